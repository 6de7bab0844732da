"""Rounding and taking apart of fp32 against fractions."""

from fractions import Fraction

import numpy as np

from golden.numerics.fp32 import rounded, taken_apart
from verif.golden.exact_float import nearest, value
from verif.vxm.vectors import FLOAT_CORNERS


def test_rounded(rng):
    count = 4000
    bits = rng.integers(0, 63, count)
    magnitudes = rng.integers(0, np.int64(1) << bits, dtype=np.int64)
    # Halves, and halves but for the last bit.
    tie = rng.integers(1 << 23, 1 << 24, count) * 2 + 1 << 30
    magnitudes = np.where(rng.random(count) < 0.3, tie + rng.integers(-1, 2, count), magnitudes)
    exponents = np.where(rng.random(count) < 0.5, -149 - bits, rng.integers(-260, 140, count))
    negative = rng.random(count) < 0.5
    got = rounded(negative, magnitudes, exponents)
    for index, bits_got in enumerate(got.tolist()):
        number = Fraction(int(magnitudes[index])) * Fraction(2) ** int(exponents[index])
        sign = 1 << 31 if negative[index] else 0
        assert bits_got == nearest(-number if sign else number, sign), (magnitudes[index], exponents[index])


def test_taken_apart():
    finite = FLOAT_CORNERS[FLOAT_CORNERS & 0x7FFFFFFF < 0x7F800000]
    parts = taken_apart(finite)
    for bits, negative, exponent, significand in zip(
        finite.tolist(), parts.negative, parts.exponent.tolist(), parts.significand.tolist(), strict=True
    ):
        number = Fraction(significand) * Fraction(2) ** (exponent - 23)
        assert (-number if negative else number) == value(bits)
        assert significand == 0 or 1 << 23 <= significand < 1 << 24
