"""Port through which a unit puts data on the stream registers of one superlane."""

from amaranth.lib import wiring
from amaranth.lib.wiring import Out

from arch.config import Config
from hdl.stream.group import group_bits

__all__ = ["stream_driver"]


def stream_driver(config: Config, size: int, coded: bool = False) -> wiring.Signature:
    """Return the interface of a driver of `size` aligned streams, seen by the unit.

    In cycle ``t + d_func - 1`` of an element, on superlane r r cycles later:

    * ``mask``: which streams of the group load; 0 when there is nothing to drive
    * ``direction`` of the streams, ``group``: they are ``size * group`` and up
    * ``data``: stream j of the group at bits ``[j * lanes * 8 +: lanes * 8]``, lane 0 lowest; with `coded`, words of
      MEM, `stream_bits` instead of ``lanes * 8``. Else the stream register adds the check bits
    """
    bits = config.stream_bits if coded else 8 * config.lanes
    return wiring.Signature(
        {
            "mask": Out(size),
            "direction": Out(1),
            "group": Out(group_bits(config.streams, size)),
            "data": Out(size * bits),
        }
    )
