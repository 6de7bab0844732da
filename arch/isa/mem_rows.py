"""Instructions of MEM: opcodes 16 to 23."""

from collections.abc import Callable

from arch.config import Config
from arch.geometry import UnitKind
from arch.isa.fields import BURST, BURST_RULES, direction, group, in_streams, stream_field
from arch.isa.instruction import Field, Instruction, Rule

_MEM_FIELDS = (
    direction("dir", "direction of the stream"),
    stream_field("stream", "stream read or driven"),
    Field("addr", 14, "first word; bank = addr / mem_depth; addresses wrap at 2 * mem_depth"),
    Field("stride", 11, "words from one element to the next", signed=True),
    *BURST,
    Field("cont", 1, "1: start one stride after the engine's last address instead of at addr"),
)
_MEM_RULES = (
    in_streams("stream"),
    Rule("addr must be below 2 * mem_depth", lambda f, c, u: f.addr < 2 * c.mem_depth),
    *BURST_RULES,
)

_GATHER_FIELDS = (
    direction("dir", "direction of the data stream"),
    stream_field("stream", "data stream driven or read"),
    Field("addr", 14, "word to which indices are added, modulo mem_depth; its bank is the bank accessed"),
    *BURST,
    direction("map_dir", "direction of the index streams"),
    stream_field("map", "first of 2 streams of indices, low byte on the first"),
)


def _gather_rules(busy: Callable[[Config], int]) -> tuple[Rule, ...]:
    return (
        in_streams("stream"),
        Rule("addr must be below 2 * mem_depth", lambda f, c, u: f.addr < 2 * c.mem_depth),
        Rule("count must be at least 1", lambda f, c, u: f.count >= 1),
        Rule(
            "interval must be at least the cycles of an element's accesses",
            lambda f, c, u: f.interval >= busy(c),
        ),
        in_streams("map"),
        group("map", 2),
    )


def gather_accesses(config: Config) -> int:
    """Return the cycles for which an element of GATHER occupies its bank: one access per lane."""
    return config.lanes


def scatter_accesses(config: Config) -> int:
    """Return the cycles for which an element of SCATTER occupies its bank.

    For every lane a read, its latency (in whose last cycle the word goes into a register), and a write.
    """
    return config.lanes * (2 + config.sram_latency)


MEM: tuple[Instruction, ...] = (
    Instruction(
        mnemonic="READ",
        opcode=16,
        kinds=(UnitKind.MEM,),
        fields=_MEM_FIELDS,
        rules=_MEM_RULES,
        doc="Read `count` words, one per `interval` cycles, onto a stream.",
    ),
    Instruction(
        mnemonic="WRITE",
        opcode=17,
        kinds=(UnitKind.MEM,),
        fields=_MEM_FIELDS,
        rules=_MEM_RULES,
        doc="Write `count` words, one per `interval` cycles, from a stream.",
    ),
    Instruction(
        mnemonic="GATHER",
        opcode=18,
        kinds=(UnitKind.MEM,),
        fields=_GATHER_FIELDS,
        rules=_gather_rules(gather_accesses),
        doc="Read `count` vectors whose lane l comes from lane l of word addr + index[l], and drive them.",
    ),
    Instruction(
        mnemonic="SCATTER",
        opcode=19,
        kinds=(UnitKind.MEM,),
        fields=_GATHER_FIELDS,
        rules=_gather_rules(scatter_accesses),
        doc="Write lane l of `count` vectors to lane l of word addr + index[l].",
    ),
)
"""Rows of the instruction table."""
