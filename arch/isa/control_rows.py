"""Instructions of every queue: opcodes 0 to 7."""

from arch.geometry import UnitKind
from arch.isa.fields import direction, in_streams, stream_field
from arch.isa.instruction import Field, Instruction, Rule, one_of

_EVERY = tuple(UnitKind)

CONTROL: tuple[Instruction, ...] = (
    Instruction(
        mnemonic="NOP",
        opcode=0,
        kinds=_EVERY,
        fields=(Field("count", 16, "cycles, at least 1"),),
        rules=(Rule("count must be at least 1", lambda f, c, u: f.count >= 1),),
        doc="Let `count` cycles pass: the next word issues `count` cycles later.",
    ),
    Instruction(
        mnemonic="REPEAT",
        opcode=1,
        kinds=_EVERY,
        fields=(
            Field("count", 16, "further issues, at least 1"),
            Field("interval", 16, "cycles from one issue to the next, at least 1"),
        ),
        rules=(
            Rule("count must be at least 1", lambda f, c, u: f.count >= 1),
            Rule("interval must be at least 1", lambda f, c, u: f.interval >= 1),
        ),
        doc=(
            "Issue the word before it again: if that issued at t, then at t + k * interval for k = 1..count; the next "
            "word issues one cycle after the last. Takes no cycle itself. After another REPEAT, t is that one's last "
            "issue. Illegal first in a queue and after NOP."
        ),
    ),
    Instruction(mnemonic="END", opcode=2, kinds=_EVERY, doc="Close the queue. The last word of every program."),
    Instruction(
        mnemonic="IFETCH",
        opcode=3,
        kinds=_EVERY,
        fields=(
            direction("dir", "direction of the stream"),
            stream_field("stream", "stream of program text"),
            Field("count", 10, "vectors, at least 1"),
        ),
        rules=(
            in_streams("stream"),
            Rule("count must be at least 1", lambda f, c, u: f.count >= 1),
            Rule("a vector must hold whole words", lambda f, c, u: one_of(c.vector_length % 8, (0,))),
        ),
        doc=(
            "Append `count` vectors of program text to this queue, one read every 2 * superlanes cycles; a vector "
            "holds vector_length / 8 words, lane 0 lowest. One IFETCH at a time per position."
        ),
    ),
    Instruction(
        mnemonic="SYNC",
        opcode=4,
        kinds=_EVERY,
        doc="Park this queue until a NOTIFY releases it.",
    ),
    Instruction(
        mnemonic="NOTIFY",
        opcode=5,
        kinds=_EVERY,
        doc="Release every queue that is parked when the barrier latency has passed.",
    ),
    Instruction(
        mnemonic="CONFIG",
        opcode=6,
        kinds=_EVERY,
        fields=(Field("superlanes", 5, "superlanes that stay on, from superlane 0 up"),),
        rules=(
            Rule(
                "superlanes must be 1 to the machine's",
                lambda f, c, u: (f.superlanes >= 1) & (f.superlanes <= c.superlanes),
            ),
        ),
        doc="From the next word on, this queue's instructions act on the first `superlanes` superlanes only.",
    ),
)
"""Rows of the instruction table."""
