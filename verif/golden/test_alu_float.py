"""fp32 operations and conversions against fractions."""

from fractions import Fraction

import numpy as np
import pytest

from arch.errors import TaktError
from arch.formats import INTEGERS, DType
from golden.vxm.alu import operate
from verif.golden import exact_float

MAGNITUDES = [
    0x00000000,  # zero
    0x00000001,  # smallest subnormal
    0x00000002,
    0x00000003,
    0x00400000,
    0x007FFFFF,  # largest subnormal
    0x00800000,  # smallest normal
    0x00800001,
    0x00FFFFFF,
    0x0DA24260,
    0x1FFFFFFF,
    0x20000000,
    0x33800000,  # 2**-24: half an ulp of 1
    0x33800001,
    0x34000000,  # 2**-23
    0x3EFFFFFF,
    0x3F000000,  # 0.5
    0x3F000001,
    0x3F800000,  # 1
    0x3F800001,
    0x3F800003,
    0x3FC00000,  # 1.5
    0x3FFFFFFF,
    0x40200000,  # 2.5
    0x42FE0000,  # 127
    0x42FF0000,  # 127.5
    0x43000000,  # 128
    0x43008000,  # 128.5
    0x46FFFE00,  # 32767
    0x46FFFF00,  # 32767.5
    0x47000000,  # 32768
    0x4B7FFFFF,  # 2**24 - 1
    0x4B800000,  # 2**24
    0x4EFFFFFF,  # 2**31 - 128
    0x4F000000,  # 2**31
    0x4F000001,
    0x5F7FFFFF,
    0x7E800001,
    0x7F7FFFFE,
    0x7F7FFFFF,  # largest
    0x7F800000,  # infinity
    0x7F800001,  # signalling NaN
    0x7FC00000,
    0x7FFFFFFF,
]
PATTERNS = [sign | pattern for sign in (0, exact_float.SIGN) for pattern in MAGNITUDES]
FP32 = DType.FP32


def near_pairs(rng: np.random.Generator, count: int) -> np.ndarray:
    """Return random patterns whose exponents lie close to each other, where sums round in interesting ways."""
    a = rng.integers(0, 2**32, count, dtype=np.uint32)
    near = rng.integers(0, 2**32, count, dtype=np.uint32)
    exponent = (a >> 23 & 0xFF).astype(np.int64) + rng.integers(-26, 27, count)
    b = (near & 0x807FFFFF) | (np.clip(exponent, 0, 255).astype(np.uint32) << 23)
    return np.stack([a, b], axis=1)


@pytest.mark.parametrize(
    "mnemonic,expected",
    [
        ("ADD", exact_float.add),
        ("SUB", exact_float.subtract),
        ("MUL", exact_float.multiply),
        ("MAX", exact_float.maximum),
        ("MIN", exact_float.minimum),
    ],
)
def test_binary_operations_round_once(rng, mnemonic, expected):
    corner = np.array([(a, b) for a in PATTERNS for b in PATTERNS], np.uint32)
    anything = rng.integers(0, 2**32, (1000, 2), dtype=np.uint32)
    pairs = np.concatenate([corner, anything, near_pairs(rng, 1000)])
    got = operate(mnemonic, FP32, FP32, False, pairs[:, 0], pairs[:, 1])
    for (a, b), result in zip(pairs.tolist(), got.tolist(), strict=True):
        assert result == expected(a, b), (hex(a), hex(b), hex(result), hex(expected(a, b)))


def test_pass_and_relu():
    for pattern in PATTERNS:
        nan, negative = exact_float.is_nan(pattern), bool(pattern & exact_float.SIGN)
        assert operate("PASS", FP32, FP32, False, pattern, 0) == (exact_float.NAN if nan else pattern)
        relu = exact_float.NAN if nan else 0 if negative else pattern
        assert operate("RELU", FP32, FP32, False, pattern, 0) == relu


@pytest.mark.parametrize("dtype", INTEGERS)
def test_integer_to_float(rng, dtype):
    half = 2 ** (8 * dtype.size - 1)
    edges = [0, 1, 127, 128, 2**24 - 1, 2**24, 2**24 + 1, 2**24 + 2, 2**24 + 3, 2**25 + 2, 2**25 + 6, 2**31 - 64]
    numbers = {sign * edge for edge in [*edges, half - 1] for sign in (-1, 1)} | {-half}
    numbers |= set(rng.integers(-half, half, 1000).tolist())
    legal = sorted(number for number in numbers if -half <= number < half)
    got = operate("CVT", dtype, FP32, False, np.array(legal).astype(np.uint32), np.zeros(len(legal), np.uint32))
    for number, result in zip(legal, got.tolist(), strict=True):
        assert result == exact_float.nearest(Fraction(number)), number


@pytest.mark.parametrize("saturate", [False, True])
@pytest.mark.parametrize("dtype", INTEGERS)
def test_float_to_integer(rng, dtype, saturate):
    half = 2 ** (8 * dtype.size - 1)
    halves = (np.arange(-600, 600) / 2).astype(np.float32).view(np.uint32)
    edges = np.array([half - 1.5, half - 1, half - 0.5, half, -half - 0.5, -half - 1], np.float32).view(np.uint32)
    patterns = np.concatenate([np.array(PATTERNS, np.uint32), halves, edges, rng.integers(0, 2**32, 500, np.uint32)])
    got = operate("CVT", FP32, dtype, saturate, patterns, np.zeros_like(patterns))
    for pattern, result in zip(patterns.tolist(), got.astype(np.int32).tolist(), strict=True):
        if exact_float.is_nan(pattern):
            expected = 0
        elif exact_float.is_infinite(pattern):
            expected = -half if pattern & exact_float.SIGN else half - 1
        else:
            expected = min(max(round(exact_float.value(pattern)), -half), half - 1)
        assert result == expected, hex(pattern)


@pytest.mark.parametrize(
    "mnemonic,dtype,out_dtype",
    [
        ("SHL", FP32, FP32),
        ("ADD", DType.INT32, FP32),
        ("CVT", DType.INT8, DType.INT32),
        ("CVT", FP32, FP32),
        ("CVT", DType.FP16, DType.FP16),
        ("PASS", DType.FP16, DType.FP16),
        ("CMP", DType.FP16, DType.INT8),
        ("CMP", FP32, FP32),
        ("SEL", FP32, DType.INT8),
    ],
)
def test_formats_that_an_operation_does_not_have(mnemonic, dtype, out_dtype):
    with pytest.raises(TaktError, match=f"formats must be ones that {mnemonic} has, not {dtype.name.lower()}"):
        operate(mnemonic, dtype, out_dtype, False, 0, 0)


def test_unknown_operation():
    with pytest.raises(TaktError, match="mnemonic must be one of ADD, AND, .*, not 'CVTX'"):
        operate("CVTX", FP32, FP32, False, 0, 0)
