"""Micro-op of the VXM, which a controller sends up its column: the operation of one ALU in one cycle."""

from amaranth.hdl import Cat, Value
from amaranth.lib import data

from arch.config import Config
from arch.geometry import UnitKind
from arch.isa.instruction import OPCODE_BITS
from arch.isa.table import INSTRUCTIONS
from hdl.span import span_shape

__all__ = ["MICRO_OP", "climbing_op", "micro_op"]

_ROWS = tuple(row for row in INSTRUCTIONS if row.kinds == (UnitKind.VXM,) and row.built)
_FIELDS = _ROWS[0].fields
assert all(row.fields == _FIELDS for row in _ROWS), "VXM instructions share one layout"

MICRO_OP = data.StructLayout({"opcode": OPCODE_BITS, **{field.name: field.width for field in _FIELDS}, "valid": 1})
"""The low bits of the instruction word, field by field, and `valid` above them."""


def climbing_op(config: Config) -> data.StructLayout:
    """Return the layout of a micro-op on its way up: `MICRO_OP`, and ``span`` above it (see `hdl.span.climb`)."""
    return data.StructLayout({**MICRO_OP.members, "span": span_shape(config)})


def micro_op(word: Value, valid: Value) -> Value:
    """Return the micro-op of an instruction word.

    Parameters
    ----------
    word : Value
        64 bits, a legal word of a VXM queue.
    valid : Value
        1 bit: the word issues.

    Returns
    -------
    Value
        As wide as `MICRO_OP`.
    """
    return Cat(word[: MICRO_OP.size - 1], valid)
