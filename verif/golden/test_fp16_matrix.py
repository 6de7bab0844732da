"""Products of fp16 against fractions."""

from fractions import Fraction

import numpy as np
import numpy.typing as npt
import pytest

from golden.numerics.fp16_matrix import Fp16Matrix
from verif.golden import exact_float

Half = npt.NDArray[np.float16]

ZEROS = [0x0000, 0x8000]
TINY = [0x0001, 0x8001, 0x0002, 0x03FF, 0x83FF, 0x0400, 0x8400]
HUGE = [0x7BFF, 0xFBFF, 0x7800, 0xF800]
ONES = [0x3C00, 0xBC00, 0x3C01, 0xBC01]
SPECIAL = [0x7C00, 0xFC00, 0x7E00, 0xFD01]


def expected(vector: Half, column: Half) -> int:
    """Return the pattern of one sum, from its definition."""
    plus = minus = False
    total, negative_zeros = Fraction(0), True
    for a, b in zip(vector.tolist(), column.tolist(), strict=True):
        product = a * b  # float64 holds it exactly
        if np.isnan(product):
            return exact_float.NAN
        plus |= product == np.inf
        minus |= product == -np.inf
        if np.isfinite(product):
            total += Fraction(product)
        negative_zeros &= product == 0 and bool(np.signbit(product))
    if plus or minus:
        return exact_float.NAN if plus and minus else exact_float.INFINITY | exact_float.SIGN * minus
    return exact_float.nearest(total, exact_float.SIGN * negative_zeros)


def check(vector: Half, columns: Half) -> None:
    with np.errstate(all="ignore"):
        found = Fp16Matrix(columns).product(vector)
    for column, bits in zip(columns, found.tolist(), strict=True):
        assert bits == expected(vector, column), f"{vector.view(np.uint16)} @ {column.view(np.uint16)}"


def halves(rng: np.random.Generator, pool: list[int] | None, *shape: int) -> Half:
    patterns = rng.integers(0, 1 << 16, shape) if pool is None else rng.choice(pool, shape)
    return patterns.astype(np.uint16).view(np.float16)


@pytest.mark.parametrize(
    "pool",
    [
        None,
        ZEROS,
        TINY,
        TINY + ZEROS,
        HUGE,
        HUGE + TINY,
        ONES + ZEROS,
        ONES * 9 + SPECIAL,
        HUGE * 5 + SPECIAL[:2],
        ZEROS + SPECIAL[:2],
    ],
)
@pytest.mark.parametrize("length", [1, 2, 7, 64, 320])
def test_exact_sums(rng: np.random.Generator, pool: list[int] | None, length: int) -> None:
    for _ in range(40 if length < 64 else 4):
        check(halves(rng, pool, length), halves(rng, pool, 9, length))


def test_what_is_left_after_cancellation_is_exact(rng: np.random.Generator) -> None:
    """Large products that cancel but for a small one."""
    for _ in range(200):
        half = halves(rng, list(range(0x7000, 0x7C00)), 8)
        vector = np.concatenate([half, -half, halves(rng, TINY + ONES, 1)])
        column = halves(rng, list(range(0x7000, 0x7C00)), 8)
        check(vector, np.concatenate([column, column, halves(rng, TINY + ONES, 1)])[None])


def test_ties_and_what_breaks_them() -> None:
    """2**24 + 1 lies between two fp32 numbers; one unit of 2**-48 decides."""
    one, huge = np.float16(1), np.float16(4096)
    for tie, even in ((1, 0), (3, 4)):
        for last in (0x0000, 0x0001, 0x8001):
            tiny = np.array([last], np.uint16).view(np.float16)[0]
            vector = np.array([huge, tie, tiny], np.float16)
            column = np.array([huge, one, np.float16(2**-24)], np.float16)
            check(vector, column[None])
            if last == 0:
                assert Fp16Matrix(column[None]).product(vector).view(np.float32)[0] == 2**24 + even


def test_the_matrix_is_copied() -> None:
    columns = np.ones((1, 4), np.float16)
    matrix = Fp16Matrix(columns)
    columns[:] = np.inf
    assert matrix.product(np.ones(4, np.float16)).view(np.float32)[0] == 4
