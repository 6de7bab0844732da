"""Softmax along the last axis."""

from golden.reference.fp32 import Floats, apply, narrowed, reduce_time, widened


def softmax(x: Floats) -> Floats:
    """Return ``exp(x - max) / sum(exp(x - max))`` along the last axis.

    In fp32; sums as in `reduce_time`; the quotient is a product with the reciprocal of the sum.

    Parameters
    ----------
    x : ndarray of float16 or float32, shape (..., n)

    Returns
    -------
    ndarray
        Shape and dtype of `x`.
    """
    values = widened(x)
    shifted = apply("SUB", values, reduce_time("MAX", values, -1)[..., None])
    weights = apply("EXP", shifted)
    scale = apply("RECIP", reduce_time("ADD", weights, -1))
    return narrowed(apply("MUL", weights, scale[..., None]), x.dtype)
