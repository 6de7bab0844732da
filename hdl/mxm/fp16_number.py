"""An fp16 number taken apart."""

from amaranth.hdl import Instance, Module, Signal, Value, signed
from amaranth.lib import data

__all__ = ["FP16_NUMBER", "FP16_SLOT", "fp16_numbers"]

FP16_NUMBER = data.StructLayout(
    {"value": signed(16), "shift": 5, "sign": 1, "zero": 1, "infinite": 1, "nan": 1},
)
"""A finite number is ``value * 2**(shift - 24)``: `value` is the significand with its sign, 12 bits sign-extended; a
subnormal has the exponent of the smallest normal numbers."""

FP16_SLOT = 32
"""Bits that a `FP16_NUMBER` takes in a vector port."""


def fp16_numbers(m: Module, name: str, *, en: Value, low: Value, high: Value) -> Signal:
    """Add the decoder of a vector of fp16 numbers to a module, combinational.

    Parameters
    ----------
    m
    name
        Of the submodule.
    en
        Whether the numbers are wanted.
    low, high
        Their low and high bytes, ``count * 8`` bits each.

    Returns
    -------
    Signal
        ``count * FP16_SLOT`` bits; 0 without `en`.
    """
    count = len(low) // 8
    numbers = Signal(count * FP16_SLOT, name=f"{name}_numbers")
    m.submodules[name] = Instance("takt_fp16_decode", p_COUNT=count, i_en=en, i_low=low, i_high=high, o_numbers=numbers)
    return numbers
