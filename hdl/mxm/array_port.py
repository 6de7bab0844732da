"""Ports between the tiles of a plane and its array."""

from typing import Any

from amaranth.hdl import Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from arch.config import Config
from hdl.mxm.supercell import PRODUCT_BITS, SUM_SLOT

__all__ = ["array_port", "psum_bits", "row_inputs"]

_CLOCKS = ("load_clock", "load_reset", "array_clock", "array_reset")
_BY_ROW = ("load", "reach", "columns", "valid", "install", "x")


def array_port(config: Config) -> wiring.Signature:
    """Return the interface, seen by the tiles.

    * ``load_clock``, ``load_reset``, ``array_clock``, ``array_reset``: as for `hdl.mxm.row.Row`
    * ``load``, ``reach``, ``columns``, ``valid``, ``install``, ``x``: S times those of `hdl.mxm.row.Row`, row 0 lowest;
      row r is due r cycles after row 0
    * ``result`` (in), S * lanes * SUM_SLOT bits: dot products over all superlanes, int32, column block 0 lowest; block
      c is due c cycles after block 0
    """
    lanes, rows = config.lanes, config.superlanes
    return wiring.Signature(
        {
            **{name: Out(1) for name in _CLOCKS},
            "load": Out(rows),
            "reach": Out(rows * (max(2, rows) - 1).bit_length()),
            "columns": Out(rows * lanes * lanes * 8),
            "valid": Out(rows),
            "install": Out(rows),
            "x": Out(rows * lanes * 8),
            "result": In(rows * lanes * SUM_SLOT),
        }
    )


def psum_bits(config: Config) -> int:
    """Return the bits that hold every partial sum of a plane exactly."""
    return PRODUCT_BITS + (config.vector_length - 1).bit_length()


def row_inputs(port: Any, row: int, rows: int) -> dict[str, Value]:
    """Return what one of the `rows` rows gets from the tiles, by the name of its port."""
    shares = {name: getattr(port, name) for name in _BY_ROW}
    return {
        **{name: getattr(port, name) for name in _CLOCKS},
        **{name: value.word_select(row, len(value) // rows) for name, value in shares.items()},
    }
