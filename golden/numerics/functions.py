"""EXP, TANH, RSQRT, RECIP, LOG and SIGMOID of the VXM, bit for bit: docs/machine.md, section 6, rule 8."""

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from arch.formats import CANONICAL_NAN
from arch.functions.format import ARGUMENT_BITS, FIRST, FRACTION_BITS, LN2_BITS, LOG2E_BITS, SIGMOID_SEGMENTS
from arch.functions.function import Function
from arch.functions.table import LN2, LOG2E
from golden.numerics.fp32 import INFINITY, Parts, taken_apart
from golden.numerics.polynomial import FACTOR_BITS, ONE_ADDEND, ONE_FACTOR, Terms, down_by, evaluate

__all__ = ["FUNCTIONS"]

Bits = npt.NDArray[np.uint32]
Int64 = npt.NDArray[np.int64]

_SIGN = 1 << 31
_ONE, _TEN, _TWENTY = 0x3F800000, 0x41200000, 0x41A00000
_FRACTION = 23


def _exp(x: Parts) -> Bits:
    """2**n * 2**r, n + r = x * log2(e)."""
    bits = ARGUMENT_BITS + 5
    power = _fixed(x, LOG2E, bits)
    power = np.where(x.negative, -power, power)
    segment, t = _place("EXP", power & (1 << bits) - 1, bits, 5)
    # The whole part of the power, rounded down, is the exponent of the result; what is left lies between 0 and 1.
    result = evaluate(Terms(segment, t, exponent=power >> bits))
    # From 2**7 up the result is beyond every number, or below; `_fixed` means nothing there.
    return np.where(x.exponent < 7, result, np.where(x.negative, 0, INFINITY))


def _tanh(x: Parts) -> Bits:
    """x * (tanh(x) / x) below 1, then 1 - 2 / (1 + e**2x), 1 from 10 up."""
    w = _fixed(x, 1 << LOG2E_BITS, ARGUMENT_BITS + 5)
    small = x.exponent < 0
    near, t = _place("TANH", w & (1 << ARGUMENT_BITS + 5) - 1, ARGUMENT_BITS + 5, 5)
    segment = np.where(small, near, _beyond(w))
    terms = Terms(
        segment,
        t,
        factor=np.where(small, x.significand << FACTOR_BITS - _FRACTION, ONE_FACTOR << 1 >> down_by(segment)),
        exponent=np.where(small, x.exponent, 0),
        addend=np.where(small, 0, ONE_ADDEND),
        subtract=~small,
        negative=x.negative,
    )
    return np.where(x.magnitude < _TEN, evaluate(terms), x.negative * _SIGN | _ONE)


def _sigmoid(x: Parts) -> Bits:
    """1 / (1 + e**w) for x = -w, 1 - 1 / (1 + e**w) for x = w; from w = 20 up e**-w and 1."""
    w = _fixed(x, 1 << LOG2E_BITS, ARGUMENT_BITS + 4)
    segment = _beyond(w)
    down = down_by(segment)
    terms = Terms(
        segment,
        w & (1 << ARGUMENT_BITS) - 1,
        factor=np.where(x.negative, ONE_FACTOR, ONE_FACTOR >> down),
        exponent=np.where(x.negative, -down, 0),
        addend=np.where(x.negative, 0, ONE_ADDEND),
        subtract=~x.negative,
    )
    return np.where(x.magnitude < _TWENTY, evaluate(terms), np.where(x.negative, _exp(x), _ONE))


def _recip(x: Parts) -> Bits:
    """2 / m * 2**(-e - 1), x = m * 2**e."""
    segment, t = _place("RECIP", _fraction(x), _FRACTION, 6)
    result = evaluate(Terms(segment, t, exponent=-x.exponent - 1, negative=x.negative))
    sign = x.negative * _SIGN
    return np.where(x.magnitude == 0, sign | INFINITY, np.where(x.magnitude == INFINITY, sign, result))


def _rsqrt(x: Parts) -> Bits:
    """2 / sqrt(m) * 2**(-k - 1), x = m * 4**k, m from 1 up, below 4."""
    # An odd exponent gives one factor of two to the significand, so that the rest has a whole square root.
    odd = x.exponent & 1
    segment, t = _place("RSQRT", odd << _FRACTION | _fraction(x), _FRACTION + 1, 6)
    result = evaluate(Terms(segment, t, exponent=-(x.exponent >> 1) - 1))
    result = np.where(x.magnitude == INFINITY, 0, result)
    return np.where(x.magnitude == 0, x.negative * _SIGN | INFINITY, np.where(x.negative, CANONICAL_NAN, result))


def _log(x: Parts) -> Bits:
    """e * ln(2) + f * (ln(1 + f) / f), x = (1 + f) * 2**e, f from -1/4 up, below 1/2."""
    segment, t = _place("LOG", _fraction(x), _FRACTION, 6)
    # Significands from 1.5 up count as 1 + f of the next exponent with f below 0: near 1, where the logarithm is near
    # 0, no digits are lost to a difference.
    high = _fraction(x) >> _FRACTION - 1 == 1
    e = x.exponent + high
    size = np.where(high, (2 << _FRACTION) - x.significand << 1, _fraction(x) << 2)
    terms = Terms(
        segment,
        t,
        factor=size << FACTOR_BITS - (_FRACTION + 2),
        addend=np.abs(e) * LN2 << FRACTION_BITS + FACTOR_BITS - LN2_BITS,
        # Addend and product have opposite signs; with e = 0 there is no addend, and the product's sign is the result's.
        subtract=(e != 0) & ((e < 0) != high),
        negative=np.where(e == 0, high, e < 0),
    )
    result = np.where(x.magnitude == INFINITY, INFINITY, evaluate(terms))
    return np.where(x.magnitude == 0, _SIGN | INFINITY, np.where(x.negative, CANONICAL_NAN, result))


def _fixed(x: Parts, constant: int, bits: int) -> Int64:
    """|x| times a constant of `LOG2E_BITS` fraction bits, to `bits` fraction bits, rounded down.

    Right where |x| is below 128; anything beyond, which no caller uses.
    """
    down = np.clip(_FRACTION + LOG2E_BITS - bits - x.exponent, 0, 63)
    fixed: Int64 = x.significand * constant >> down
    return fixed


def _fraction(x: Parts) -> Int64:
    return x.significand & (1 << _FRACTION) - 1


def _place(name: str, number: Int64, bits: int, index_bits: int) -> tuple[Int64, Int64]:
    """Segment and argument of a fraction of `bits` bits, whose highest ones are the index."""
    rest = bits - index_bits
    return FIRST[name] + (number >> rest), (number & (1 << rest) - 1) << ARGUMENT_BITS - rest


def _beyond(w: Int64) -> Int64:
    """Segment of 1 / (1 + e**w), `SEGMENTS_PER_UNIT` of them per unit; the last one from 20 up."""
    index: Int64 = np.minimum(w >> ARGUMENT_BITS, SIGMOID_SEGMENTS - 1)
    return FIRST["SIGMOID"] + index


def _operation(function: Callable[[Parts], Bits]) -> Callable[[Bits], Bits]:
    def operation(bits: Bits) -> Bits:
        parts = taken_apart(bits)
        # Last: `function` computes something for NaN as well, for speed, and means nothing by it.
        result = np.where(parts.magnitude > INFINITY, CANONICAL_NAN, function(parts))
        return result.astype(np.uint32)

    return operation


FUNCTIONS: Mapping[str, Callable[[Bits], Bits]] = {
    Function.EXP.name: _operation(_exp),
    Function.TANH.name: _operation(_tanh),
    Function.RSQRT.name: _operation(_rsqrt),
    Function.RECIP.name: _operation(_recip),
    Function.LOG.name: _operation(_log),
    Function.SIGMOID.name: _operation(_sigmoid),
}
"""By mnemonic: ``FUNCTIONS[m](bits)`` on uint32 bit patterns of any shape; every NaN result is the canonical one."""
