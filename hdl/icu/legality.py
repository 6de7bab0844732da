"""Legality of instruction words, generated from the instruction table."""

from functools import reduce
from operator import and_, or_

from amaranth.hdl import Const, Module, Signal, Value

from arch.config import Config
from arch.geometry import Unit
from arch.isa.instruction import Field, Instruction, Rule
from arch.isa.table import BY_MNEMONIC, instructions_of
from hdl.icu.decode import fields_of, has_opcode

__all__ = ["CONTROL", "is_legal_control", "is_legal_operation"]

CONTROL = ("NOP", "REPEAT", "END", "IFETCH", "SYNC", "NOTIFY", "CONFIG")
"""Instructions that are not a unit's."""


def is_legal_control(mnemonic: str, config: Config, unit: Unit, word: Value) -> Value:
    """Return whether a `word` with the opcode of a control instruction is built and has legal fields."""
    row = BY_MNEMONIC[mnemonic]
    legal: list[Value] = [Value.cast(rule.holds(fields_of(row, word), config, unit)) for rule in row.rules]
    return reduce(and_, legal, Const(row.built, 1))


def is_legal_operation(m: Module, config: Config, unit: Unit, word: Value) -> Value:
    """Return whether `word` is an operation of `unit`, with legal fields; `CONTROL` are not operations.

    A rule that several instructions share is built once.
    """
    checks: dict[tuple[Rule, tuple[tuple[int, Field], ...]], Signal] = {}

    def check(row: Instruction, rule: Rule) -> Signal:
        key = (rule, tuple(row.offsets.values()))
        if key not in checks:
            checks[key] = Signal(name=f"rule_{len(checks)}")
            m.d.comb += checks[key].eq(rule.holds(fields_of(row, word), config, unit))
        return checks[key]

    legal: list[Value] = [
        reduce(and_, (check(row, rule) for rule in row.rules), has_opcode(row.mnemonic, word))
        for row in instructions_of(unit.kind)
        if row.built and row.mnemonic not in CONTROL
    ]
    return reduce(or_, legal, Const(0, 1))
