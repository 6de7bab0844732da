"""The table of the costly functions."""

import zlib

import numpy as np
import pytest

from arch.functions.format import COEFFICIENT_BITS, DEPTH, EXPONENT_BITS, FIRST, FRACTION_BITS, LN2_BITS, LOG2E_BITS
from arch.functions.table import LN2, LOG2E, segments

T = np.linspace(0, 1, 65)


def values(first: int, count: int) -> np.ndarray:
    """Return what the polynomials of some segments, and their exponents, stand for, at 65 places of each."""
    chosen = segments()[first : first + count]
    coefficients = np.array([segment.coefficients for segment in chosen], np.float64) / 2.0**FRACTION_BITS
    exponents = np.array([segment.exponent for segment in chosen])
    return np.polynomial.polynomial.polyval(T, coefficients.T) * 2.0 ** -exponents[:, None]


def places(start: float, width: float, count: int) -> np.ndarray:
    return start + width * (np.arange(count)[:, None] + T)


def tanh_ratio(w):
    return np.where(w == 0, 1, np.tanh(w / 2) / np.where(w == 0, 1, w / 2))


def log_ratio(m):
    return np.where(m == 1, 1, np.log(m) / np.where(m == 1, 1, m - 1))


@pytest.mark.parametrize(
    "first,count,start,width,function",
    [
        (FIRST["SIGMOID"], 320, 0, 1 / 16, lambda w: 1 / (1 + np.exp(w))),
        (FIRST["TANH"], 32, 0, 1 / 16, tanh_ratio),
        (FIRST["EXP"], 32, 0, 1 / 32, np.exp2),
        (FIRST["RECIP"], 64, 1, 1 / 64, lambda m: 2 / m),
        (FIRST["RSQRT"], 32, 1, 1 / 32, lambda m: 2 / np.sqrt(m)),
        (FIRST["RSQRT"] + 32, 32, 2, 1 / 16, lambda m: 2 / np.sqrt(m)),
        (FIRST["LOG"], 32, 1, 1 / 64, log_ratio),
        (FIRST["LOG"] + 32, 32, 0.75, 1 / 128, log_ratio),
    ],
)
def test_polynomials_are_the_functions(first, count, start, width, function):
    true = function(places(start, width, count))
    assert np.abs(values(first, count) / true - 1).max() < 2.0**-26.5


def test_the_table_fits_its_words():
    assert len(segments()) == DEPTH
    for segment in segments():
        c0, *others = segment.coefficients
        # From 0.75 up: a value keeps its leading bits, and fixed point is as good as floating point.
        assert 3 << FRACTION_BITS - 2 <= c0 < 1 << COEFFICIENT_BITS[0]
        for c, bits in zip(others, COEFFICIENT_BITS[1:], strict=True):
            assert -(1 << bits - 1) <= c < 1 << bits - 1
        assert 0 <= segment.exponent < 1 << EXPONENT_BITS


def test_constants():
    assert round(np.log(2) * 2**LN2_BITS) == LN2
    assert round(np.log2(np.e) * 2**LOG2E_BITS) == LOG2E


def test_the_table_is_always_the_same():
    assert zlib.crc32(repr(segments()).encode()) == 0x2728A4BB
