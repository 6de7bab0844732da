"""fp16 conversions against fractions and against NumPy's own float16."""

from fractions import Fraction

import numpy as np
import pytest

from arch.formats import INTEGERS, DType
from golden.vxm.alu import operate
from verif.golden import exact_float

FP16, FP32 = DType.FP16, DType.FP32
HALVES = np.arange(1 << 16, dtype=np.uint32)


def value(pattern: int) -> Fraction:
    """Return the number that a finite fp16 pattern stands for."""
    exponent, fraction = pattern >> 10 & 0x1F, pattern & 0x3FF
    number = Fraction(fraction | (0x400 if exponent else 0)) * Fraction(2) ** (max(exponent, 1) - 25)
    return -number if pattern >> 15 else number


def nearest(number: Fraction, zero_sign: int) -> int:
    """Return the fp16 pattern nearest to a number, ties to even, found by looking at all of them."""
    sign = 0x8000 if number < 0 or (number == 0 and zero_sign) else 0
    low, high = 0, 0x7C00
    # The pattern of infinity stands for 2**16 here.
    magnitude = abs(number)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if value(middle) <= magnitude else (low, middle)
    above = value(high) if high < 0x7C00 else Fraction(2) ** 16
    distances = magnitude - value(low), above - magnitude
    up = distances[1] < distances[0] or (distances[0] == distances[1] and low % 2 == 1)
    return sign | (high if up else low)


def single_patterns(rng: np.random.Generator) -> np.ndarray:
    """Patterns around every rounding boundary of fp16's exponents, and any."""
    exponents = np.arange(98, 146, dtype=np.uint32) << 23
    tails = np.array(
        [0, 1, 0xFFF, 0x1000, 0x1001, 0x1FFF, 0x2FFF, 0x3000, 0x3001, 0x7FEFFF, 0x7FF000, 0x7FFFFF], np.uint32
    )
    near = (exponents[:, None] | tails).ravel()
    odd = np.array([0, 1, 0x7FFFFF, 0x800000, 0x7F800000, 0x7F800001, 0x7FC00000, 0x7FFFFFFF], np.uint32)
    normal = (rng.integers(0, 1 << 23, 4000) | rng.integers(98, 146, 4000) << 23).astype(np.uint32)
    patterns = np.concatenate([near, odd, normal])
    return np.concatenate([patterns, patterns | np.uint32(1 << 31)])


def test_fp32_to_fp16(rng):
    patterns = single_patterns(rng)
    got = operate("CVT", FP32, FP16, False, patterns, 0)
    for pattern, result in zip(patterns.tolist(), got.tolist(), strict=True):
        if exact_float.is_nan(pattern):
            expected = 0x7E00
        elif exact_float.is_infinite(pattern):
            expected = 0x7C00 | pattern >> 16 & 0x8000
        else:
            expected = nearest(exact_float.value(pattern), pattern & exact_float.SIGN)
        assert result == expected, (hex(pattern), hex(result), hex(expected))


def test_fp32_to_fp16_is_what_numpy_does(rng):
    patterns = np.concatenate([single_patterns(rng), rng.integers(0, 1 << 32, 200_000, np.uint32)])
    with np.errstate(all="ignore"):
        expected = patterns.view(np.float32).astype(np.float16)
    expected_bits = np.where(np.isnan(expected), 0x7E00, expected.view(np.uint16))
    assert (operate("CVT", FP32, FP16, False, patterns, 0) == expected_bits).all()


@pytest.mark.parametrize("above", [0, 0xABCD0000])
def test_fp16_to_fp32_is_exact(above):
    got = operate("CVT", FP16, FP32, False, HALVES | np.uint32(above), 0)
    for pattern, result in enumerate(got.tolist()):
        if pattern & 0x7FFF > 0x7C00:
            assert result == exact_float.NAN
        elif pattern & 0x7FFF == 0x7C00:
            assert result == exact_float.INFINITY | pattern >> 15 << 31
        else:
            assert result == exact_float.nearest(value(pattern), pattern >> 15 << 31)


@pytest.mark.parametrize("dtype", INTEGERS)
def test_fp16_to_integer(dtype):
    half = 2 ** (8 * dtype.size - 1)
    got = operate("CVT", FP16, dtype, False, HALVES, 0).astype(np.int32)
    for pattern, result in enumerate(got.tolist()):
        if pattern & 0x7FFF > 0x7C00:
            expected = 0
        elif pattern & 0x7FFF == 0x7C00:
            expected = -half if pattern >> 15 else half - 1
        else:
            expected = min(max(round(value(pattern)), -half), half - 1)
        assert result == expected, hex(pattern)


@pytest.mark.parametrize("dtype", INTEGERS)
def test_integer_to_fp16(rng, dtype):
    half = 2 ** (8 * dtype.size - 1)
    edges = [2**bit + more for bit in range(8, 18) for more in range(-40, 41)] + [2**24 + 1, 2**31 - 1, 65519, 65520]
    numbers = {sign * edge for edge in edges for sign in (-1, 1)} | set(range(-256, 256)) | {-half}
    numbers |= set(rng.integers(-70_000, 70_000, 2000).tolist())
    legal = sorted(number for number in numbers if -half <= number < half)
    got = operate("CVT", dtype, FP16, False, np.array(legal).astype(np.uint32), 0)
    for number, result in zip(legal, got.tolist(), strict=True):
        assert result == nearest(Fraction(number), 0), number
