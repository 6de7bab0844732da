"""Ports between a row of INT8 supercells and what stands around it."""

from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.mxm.supercell import SUM_SLOT

__all__ = ["row_port"]


def row_port(lanes: int, superlanes: int) -> wiring.Signature:
    """Return the interface of `superlanes` supercells and their weight buffers, seen by the row.

    * ``load_clock``, ``load_reset``, ``array_clock``, ``array_reset`` (in): clocks of the buffers and of the
      supercells, each with its synchronous reset
    * ``load``, ``reach``, ``columns`` (in): weights from the streams, see `hdl.mxm.weight_buffer`
    * ``valid``, ``install``, ``x`` (in): activations from the streams, see `hdl.mxm.supercell`
    * ``psum_in``, ``psum`` (in, out), superlanes * lanes * SUM_SLOT bits: partial sums from the row below and to
      the one above, column block 0 lowest
    """
    return wiring.Signature(
        {
            "load_clock": In(1),
            "load_reset": In(1),
            "array_clock": In(1),
            "array_reset": In(1),
            "load": In(1),
            "reach": In(range(max(2, superlanes))),
            "columns": In(lanes * lanes * 8),
            "valid": In(1),
            "install": In(1),
            "x": In(lanes * 8),
            "psum_in": In(superlanes * lanes * SUM_SLOT),
            "psum": Out(superlanes * lanes * SUM_SLOT),
        }
    )
