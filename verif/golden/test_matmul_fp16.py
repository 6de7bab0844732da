"""The definition of the float16 product against rational arithmetic."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest

from arch.errors import TaktError
from arch.formats import CANONICAL_NAN
from golden.reference.matmul_fp16 import matmul_fp16
from verif.bits import same_bits

EDGES = np.array([0x0000, 0x8000, 0x0001, 0x83FF, 0x3C00, 0xBC00, 0x7BFF, 0xFBFF, 0x3555], np.uint16).view(np.float16)
SPECIAL = np.array([0x7C00, 0xFC00, 0x7E01, 0x0000, 0x8000, 0x3C00, 0xC000], np.uint16).view(np.float16)


def nearest(value):
    """Return the float32 nearest to a fraction, ties to even, by comparing with its neighbours."""
    guess = np.float32(float(value))
    choices = [guess, np.nextafter(guess, np.float32(-np.inf)), np.nextafter(guess, np.float32(np.inf))]
    return min(choices, key=lambda item: (abs(Fraction(float(item)) - value), int(item.view(np.uint32)) & 1))


def one_sum(x, w, full):
    if not (np.isfinite(x).all() and np.isfinite(w).all()):
        with np.errstate(invalid="ignore"):
            total = (x.astype(np.float64) * w.astype(np.float64)).sum()
        if not np.isfinite(total):
            return np.float32(total)
    exact = sum((Fraction(float(a)) * Fraction(float(b)) for a, b in zip(x, w, strict=True)), Fraction(0))
    if exact:
        return nearest(exact)
    signs = np.signbit(x) != np.signbit(w)
    return np.float32(-0.0 if full and signs.all() and all(a * b == 0 for a, b in zip(x, w, strict=True)) else 0.0)


def expected(a, b, vector):
    found = np.zeros((a.shape[0], b.shape[1]), np.float32)
    for row, column in product(range(a.shape[0]), range(b.shape[1])):
        for first in range(0, a.shape[1], vector):
            part = a[row, first : first + vector], b[first : first + vector, column]
            value = one_sum(*part, full=len(part[0]) == vector)
            with np.errstate(invalid="ignore"):
                found[row, column] = value if first == 0 else found[row, column] + value
    bits = found.view(np.uint32)
    return np.where(np.isnan(found), np.uint32(CANONICAL_NAN), bits)


def check(a, b, vector):
    same_bits(matmul_fp16(a, b, vector).view(np.uint32), expected(a, b, vector))


@pytest.mark.parametrize("vector", [1, 4, 16])
@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 5, 2), (7, 16, 5), (4, 37, 3)])
def test_any_bits(rng, shape, vector):
    m, k, n = shape
    a, b = (rng.integers(0, 1 << 16, size).astype(np.uint16).view(np.float16) for size in ((m, k), (k, n)))
    check(a, b, vector)
    a[~np.isfinite(a)] = b[~np.isfinite(b)] = 1.5
    check(a, b, vector)


def test_ties_and_cancellation(rng):
    """Sums whose leading parts cancel, and sums that lie between two float32 numbers."""
    for _ in range(20):
        a, b = (rng.choice(EDGES, size) for size in ((6, 8), (8, 6)))
        check(a, b, 8)
    one, tiny = np.float16(1), np.float16(2.0**-24)
    row = np.array([[4096, tiny, tiny * 2, -tiny]], np.float16)
    for columns in product((0, 1, -1, 2**-12, 4096), repeat=2):
        column = np.array([[4096], [columns[0]], [columns[1]], [one]], np.float16)
        check(row, column, 4)


def test_signed_zeros_infinities_and_nans(rng):
    for vector, k in ((2, 2), (4, 2), (2, 3)):
        for _ in range(60):
            a, b = (rng.choice(SPECIAL, size) for size in ((3, k), (k, 3)))
            check(a, b, vector)


def test_wrong_arguments():
    good = np.zeros((2, 3), np.float16)
    with pytest.raises(TaktError, match=r"a must be a float16 matrix, not float32 of shape \(2, 3\)"):
        matmul_fp16(good.astype(np.float32), good.T, 4)
    with pytest.raises(TaktError, match="b must have 3 rows, the columns of a, not 2"):
        matmul_fp16(good, good, 4)
    with pytest.raises(TaktError, match="vector_length must be 1 to 4096, not 0"):
        matmul_fp16(good, good.T, 0)
