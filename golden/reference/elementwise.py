"""A chain of elementwise operations."""

from golden.reference.fp32 import Float32, Floats, apply, narrowed, widened


def elementwise(x: Floats, scale: Float32, shift: Float32, residual: Floats | None = None) -> Floats:
    """Return ``max(x * scale + shift + residual, 0)`` in fp32, rounded after every operation, in the dtype of `x`.

    Parameters
    ----------
    x : ndarray of float16 or float32, shape (..., n)
    scale, shift : ndarray of float32, shape (n,)
    residual : ndarray, optional
        Shape and dtype of `x`.
    """
    total = apply("ADD", apply("MUL", widened(x), scale), shift)
    if residual is not None:
        total = apply("ADD", total, widened(residual))
    return narrowed(apply("RELU", total), x.dtype)
