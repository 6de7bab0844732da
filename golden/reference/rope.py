"""Rotary position embedding (RoPE)."""

import numpy as np

from golden.reference.fp32 import Float32, Floats, apply, narrowed, widened


def rope(x: Floats, cosine: Float32, sine: Float32) -> Floats:
    """Rotate pairs of elements (i, i + d/2) of every row by its position's angles (Su et al., RoFormer, 3.4.2).

    In fp32: ``(a cos - b sin, b cos + a sin)``, products rounded before the sum.

    Parameters
    ----------
    x : ndarray of float16 or float32, shape (m, d)
        d even; the halves of a row are a and b.
    cosine, sine : ndarray of float32, shape (m, d / 2)

    Returns
    -------
    ndarray
        Shape and dtype of `x`.
    """
    values = widened(x)
    half = x.shape[-1] // 2
    a, b = values[..., :half], values[..., half:]
    first = apply("SUB", apply("MUL", a, cosine), apply("MUL", b, sine))
    second = apply("ADD", apply("MUL", b, cosine), apply("MUL", a, sine))
    return narrowed(np.concatenate((first, second), axis=-1), x.dtype)
