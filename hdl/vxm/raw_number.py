"""Raw number: result of a lane's first stage, which the second rounds or narrows."""

from amaranth.hdl import signed
from amaranth.lib import data

__all__ = ["raw_number", "raw_width"]


def raw_width(multiply: bool) -> int:
    """Bits of `value`: an fp32 product needs 48, all else 32."""
    return 48 if multiply else 32


def raw_number(width: int) -> data.StructLayout:
    """Return the layout of a number that is still to be rounded or narrowed.

    `float` set: ``(-1)**sign * value / 2**(width - 1) * 2**(exponent - 127)``, finite, as
    :class:`hdl.vxm.fp32_round.Fp32Round` takes it. Clear: the integer ``value[:32] + carry``, to be narrowed; `over`
    says that the exact number, of sign `sign`, does not fit 32 bits. Finished fp32 results pass as integers that do.
    """
    return data.StructLayout({"value": width, "exponent": signed(10), "sign": 1, "over": 1, "carry": 1, "float": 1})
