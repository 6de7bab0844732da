"""Float operations of the VXM once more, by other means than the golden model's.

Sums and products are made in float64 and brought to fp32 by a rounding to odd first, so that nothing rounds
twice (S. Boldo and G. Melquiond, "Emulation of FMA and correctly rounded sums", 2008); conversions to fp16 are NumPy's
own; those to integers are integer arithmetic on significands.
"""

import numpy as np
import numpy.typing as npt

from arch.formats import CANONICAL_NAN, CANONICAL_NAN_FP16, DType
from arch.isa.codes import Relation
from verif.vxm.vectors import Operation

__all__ = ["independent"]

Bits = npt.NDArray[np.uint32]
Float64 = npt.NDArray[np.float64]

_SIGN = np.uint32(1 << 31)
_ZERO = np.uint32(0)


def independent(operation: Operation, a: Bits, b: Bits, c: Bits) -> Bits | None:
    """Return the results of a float operation, or None for one that is not here."""
    dtype, out_dtype = operation.dtype, operation.out_dtype
    with np.errstate(all="ignore"):
        if operation.mnemonic == "CVT":
            return _convert(dtype, out_dtype, a)
        if dtype != DType.FP32:
            return None
        match operation.mnemonic:
            case "ADD":
                return _sum(a, b)
            case "SUB":
                return _sum(a, b ^ _SIGN)
            case "MUL":
                return _single(_double(a) * _double(b))
            case "MAX":
                return _extreme(a, b, greater=True)
            case "MIN":
                return _extreme(a, b, greater=False)
            case "RELU":
                return np.where(_is_nan(a), np.uint32(CANONICAL_NAN), np.where(a & _SIGN, _ZERO, a))
            case "PASS":
                return np.where(_is_nan(a), np.uint32(CANONICAL_NAN), a)
            case "SEL":
                taken = np.where((c & np.uint32(0xFF)) == 0, b, a)
                return np.where(_is_nan(taken), np.uint32(CANONICAL_NAN), taken)
            case "CMP":
                return _compare(operation.relation, a, b)
    return None


def _is_nan(bits: Bits) -> npt.NDArray[np.bool_]:
    return (bits & ~_SIGN) > np.uint32(0xFF << 23)


def _double(bits: Bits) -> Float64:
    return bits.view(np.float32).astype(np.float64)


def _single(values: Float64) -> Bits:
    return np.where(np.isnan(values), np.uint32(CANONICAL_NAN), values.astype(np.float32).view(np.uint32))


def _sum(a: Bits, b: Bits) -> Bits:
    x, y = _double(a), _double(b)
    total = x + y
    part = total - x
    error = (x - (total - part)) + (y - part)
    # To odd: an inexact sum with an even last bit goes to its neighbour on the side of the error.
    patterns = total.view(np.int64)
    inexact = np.isfinite(total) & (error != 0) & (patterns & 1 == 0)
    outwards = (error > 0) == (total > 0)
    odd = np.where(inexact, patterns + np.where(outwards, 1, -1), patterns)
    return _single(odd.view(np.float64))


def _rank(bits: Bits) -> npt.NDArray[np.int64]:
    """The order of the numbers, -0 right below +0."""
    magnitude = (bits & ~_SIGN).astype(np.int64)
    return np.where(bits & _SIGN, -magnitude - 1, magnitude)


def _extreme(a: Bits, b: Bits, *, greater: bool) -> Bits:
    first = (_rank(a) > _rank(b)) == greater
    return np.where(_is_nan(a) | _is_nan(b), np.uint32(CANONICAL_NAN), np.where(first, a, b))


def _compare(relation: Relation, a: Bits, b: Bits) -> Bits:
    unordered = _is_nan(a) | _is_nan(b)
    zeros = ((a | b) & ~_SIGN) == 0
    equal, less = ~unordered & ((a == b) | zeros), ~unordered & ~zeros & (_rank(a) < _rank(b))
    greater = ~unordered & ~equal & ~less
    holds = {
        Relation.EQ: equal,
        Relation.NE: ~equal,
        Relation.LT: less,
        Relation.LE: less | equal,
        Relation.GT: greater,
        Relation.GE: greater | equal,
    }[relation]
    return np.where(holds, np.uint32(0xFFFFFFFF), _ZERO)


def _convert(dtype: DType, out_dtype: DType, a: Bits) -> Bits:
    if not dtype.is_float:
        shift = np.uint32(32 - 8 * dtype.size)
        number = ((a << shift).view(np.int32) >> shift.view(np.int32)).astype(np.float64)
        return _single(number) if out_dtype == DType.FP32 else _half(number)
    fraction_bits, bias = (10, 15) if dtype == DType.FP16 else (23, 127)
    sign = a >> np.uint32(8 * dtype.size - 1) & np.uint32(1)
    field = (a >> np.uint32(fraction_bits) & np.uint32(2 * bias + 1)).astype(np.int64)
    fraction = (a & np.uint32((1 << fraction_bits) - 1)).astype(np.int64)
    nan, infinite = (field == 2 * bias + 1) & (fraction != 0), (field == 2 * bias + 1) & (fraction == 0)
    significand = np.where(field > 0, fraction | 1 << fraction_bits, fraction)
    power = np.maximum(field, 1) - bias - fraction_bits
    if out_dtype.is_float:
        value = np.where(infinite, np.inf, np.ldexp(significand.astype(np.float64), power))
        signed = np.where(nan, np.nan, np.where(sign, -value, value))
        return _single(signed) if out_dtype == DType.FP32 else _half(signed)
    # Beyond 8 places up a significand is too large for any format, beyond 25 down nothing but a rest.
    up, down = np.clip(power, 0, 40 - fraction_bits), np.clip(-power, 0, 40)
    whole, rest, half = (significand << up) >> down, significand & ((1 << down) - 1), (1 << down) >> 1
    rounded = whole + ((rest > half) | ((rest == half) & (rest > 0) & (whole & 1 == 1)))
    top = 1 << 8 * out_dtype.size - 1
    rounded = np.where(infinite, top, rounded)
    number = np.where(sign, -np.minimum(rounded, top), np.minimum(rounded, top - 1))
    return np.where(nan, 0, number).astype(np.uint32)


def _half(values: Float64) -> Bits:
    """Return NumPy's fp16 of float64 values, rounded once."""
    bits = values.astype(np.float16).view(np.uint16)
    return np.where(np.isnan(values), CANONICAL_NAN_FP16, bits).astype(np.uint32)
