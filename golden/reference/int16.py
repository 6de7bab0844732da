"""Products of int16 activations, quantised row by row, with int8 weights."""

import numpy as np
import numpy.typing as npt

from golden.reference.fp32 import Float16, Float32, apply, narrowed, widened
from golden.reference.matmul import matmul_int32
from golden.reference.matmul_fp16 import matmul_fp16

Int32 = npt.NDArray[np.int32]

_NEAR, _RAISED, _FAR = np.float32(2**5), np.float32(2**10), np.float32(2**-19)
"""Largest square that is one float16, and its factor; factor of what squares have above it."""

_FACTORS = np.array([2.0**-14, 2.0**15], np.float16)
"""Of both parts in a sum of squares, for it to count 2**-4."""


def quantised_rows(x: Float16, vector_length: int) -> tuple[Int32, Float32]:
    """Return rows as int16 numbers, at most 32512 but for rounding, and the step that those of a row count.

    With the sum of squares in units of 2**-4, a float16 product of two float16 numbers per square (``min(square, 32)``
    times 1024 and what is above times ``2**-19``; all of the first ones and then all of the second ones, each in whole
    passes), and fp32, rounded after every operation: ``inverse = rsqrt(max(sum, 2**-28)) * 8128``, numbers
    ``round_half_even(x * inverse)``, step ``recip(inverse)``.

    Parameters
    ----------
    x : ndarray of float16, shape (m, k)
    vector_length : int
        Terms of an MXM pass.

    Returns
    -------
    numbers : ndarray of int32, shape (m, k)
    step : ndarray of float32, shape (m, 1)
    """
    value = widened(x)
    square = apply("MUL", value, value)
    near = apply("MIN", square, _NEAR)
    both = apply("MUL", near, _RAISED), apply("MUL", apply("SUB", square, near), _FAR)
    whole = ((0, 0), (0, -x.shape[1] % vector_length))
    parts = np.concatenate([np.pad(narrowed(part, np.float16), whole) for part in both], axis=1)
    factors = np.repeat(_FACTORS, parts.shape[1] // 2)[:, None]
    total = apply("MAX", matmul_fp16(parts, factors, vector_length), np.float32(2.0**-28))
    inverse = apply("MUL", apply("RSQRT", total), np.float32(8128))
    return np.rint(apply("MUL", value, inverse)).astype(np.int32), apply("RECIP", inverse)


def int16_product(x: Float16, w: npt.NDArray[np.int8], scale: Float32, vector_length: int) -> Float32:
    """Return ``(256 * high @ w + low @ w) * step * scale`` of rows of floats, fp32 but for the sums.

    The high digit of a number is ``(number + 128) >> 8``, the low one what is left; their sums are int32.

    Parameters
    ----------
    x : ndarray of float16, shape (m, k)
    w : ndarray of int8, shape (k, n)
    scale : ndarray of float32, shape (n,)
    vector_length : int

    Returns
    -------
    ndarray of float32, shape (m, n)
    """
    numbers, step = quantised_rows(x, vector_length)
    high = (numbers + 128) >> 8
    low = numbers - 256 * high
    sums = [matmul_int32(digit.astype(np.int8), w).astype(np.float32) for digit in (high, low)]
    total = apply("ADD", apply("MUL", sums[0], np.float32(256)), sums[1])
    return apply("MUL", apply("MUL", total, step), scale)
