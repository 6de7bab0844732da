"""Descriptions of an instruction, its fields and the rules that make a word legal."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from arch.config import Config
from arch.geometry import Unit, UnitKind

WORD_BITS = 64
"""Width of an instruction word."""

OPCODE_BITS = 6
"""The opcode is the lowest field of every word."""


@dataclass(frozen=True)
class Field:
    """A bit field of an instruction word.

    Attributes
    ----------
    name : str
    width : int
        Bits; fields follow one another upwards from the opcode, in the order of the table.
    doc : str
        Meaning, for the ISA reference.
    signed : bool
        Two's complement.
    """

    name: str
    width: int
    doc: str
    signed: bool = False

    @property
    def minimum(self) -> int:
        """Lowest value that the bits hold."""
        return -(1 << (self.width - 1)) if self.signed else 0

    @property
    def maximum(self) -> int:
        """Highest value that the bits hold."""
        return (1 << (self.width - self.signed)) - 1


@dataclass(frozen=True)
class Rule:
    """A condition that a word must meet, else it raises ILLEGAL.

    Attributes
    ----------
    text : str
        The condition in words, for error messages and the ISA reference.
    holds : callable
        ``holds(fields, config, unit)``. `fields` has an attribute per field: an int, or an Amaranth value. Only
        ``== != < <= > >= & | + - *`` may be used on them, so that one definition serves the assembler, the
        golden model and the RTL decoder; `config` and `unit` are constants of the elaboration.
    """

    text: str
    holds: Callable[[Any, Config, Unit], Any]


@dataclass(frozen=True, kw_only=True)
class Instruction:
    """One row of the instruction table.

    Attributes
    ----------
    mnemonic : str
    opcode : int
    kinds : tuple of UnitKind
        Units whose queue may hold it.
    fields : tuple of Field
    rules : tuple of Rule
    doc : str
        What it does, for the ISA reference.
    built : bool
        False for opcodes whose place is reserved: they raise ILLEGAL.
    """

    mnemonic: str
    opcode: int
    kinds: tuple[UnitKind, ...]
    fields: tuple[Field, ...] = ()
    rules: tuple[Rule, ...] = ()
    doc: str
    built: bool = True

    @cached_property
    def offsets(self) -> dict[str, tuple[int, Field]]:
        """Lowest bit and description of each field."""
        found: dict[str, tuple[int, Field]] = {}
        bit = OPCODE_BITS
        for field in self.fields:
            found[field.name] = (bit, field)
            bit += field.width
        assert bit <= WORD_BITS, self.mnemonic
        return found


def implies(condition: Any, consequence: Any) -> Any:
    """Return ``not condition or consequence`` for bools and Amaranth values alike."""
    return (condition == 0) | consequence


def one_of(value: Any, choices: tuple[Any, ...]) -> Any:
    """Return whether `value` equals one of `choices`, for ints and Amaranth values alike."""
    found = value == choices[0]
    for choice in choices[1:]:
        found = found | (value == choice)
    return found
