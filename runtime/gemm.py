"""A matrix product as a program, and what it must give."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from arch.config import Config
from arch.errors import TaktError
from arch.image import Image
from golden.reference.matmul_fp16 import matmul_fp16

__all__ = ["FORMATS", "Gemm", "blank_gemm", "compile_gemm", "gemm_reference", "randomised"]

FORMATS = {"int8": "int8", "fp16": "float16"}
"""NumPy's names of the formats of matrices."""

_LARGEST = (1 << 31) - 1
"""Size of a matrix."""


@dataclass(frozen=True, kw_only=True)
class Gemm:
    """A product ``a @ b`` and what is done to it.

    Attributes
    ----------
    a : ndarray of int8 or float16, shape (m, k)
    b : ndarray of the same dtype, shape (k, n)
        The result of a float16 product is float32, as it is: bias, scale and relu belong to int8.
    bias : ndarray of int32, shape (n,), or None
        Added to every row.
    scale : ndarray of float32, shape (1,) or (n,), or None
        The result is ``saturate(round(float32(sum) * scale))`` as int8, to nearest even (ONNX QLinear). None: the
        result is the int32 sum.
    relu : bool
        Negative results become 0.

    Raises
    ------
    TaktError
        When dtypes or shapes do not fit together.
    """

    a: npt.NDArray[Any]
    b: npt.NDArray[Any]
    bias: npt.NDArray[np.int32] | None = None
    scale: npt.NDArray[np.float32] | None = None
    relu: bool = False

    def __post_init__(self) -> None:
        for name, matrix in (("A", self.a), ("B", self.b)):
            if matrix.dtype not in (np.int8, np.float16):
                raise TaktError(f"{name} must be int8 or float16, not {matrix.dtype}")
            if matrix.ndim != 2:
                raise TaktError(f"{name} must have 2 dimensions, not {matrix.ndim}")
            if 0 in matrix.shape:
                raise TaktError(f"{name} must not be empty, not of shape {matrix.shape}")
        if self.a.shape[1] != self.b.shape[0]:
            raise TaktError(
                f"B must have as many rows as A has columns ({self.a.shape[1]}), not {self.b.shape[0]}: "
                f"A is {self.a.shape}, B is {self.b.shape}"
            )
        if self.a.dtype != self.b.dtype:
            raise TaktError(f"B must be {self.a.dtype} as A, not {self.b.dtype}")
        if self.format == "fp16" and (self.bias is not None or self.scale is not None or self.relu):
            raise TaktError("bias, scale and relu must be left out of an fp16 product")
        n = self.b.shape[1]
        if self.bias is not None and (self.bias.dtype != np.int32 or self.bias.shape != (n,)):
            raise TaktError(f"bias must be int32 of shape ({n},), not {self.bias.dtype} of shape {self.bias.shape}")
        if self.scale is not None:
            if self.scale.dtype != np.float32 or self.scale.shape not in ((), (1,), (n,)):
                raise TaktError(
                    f"scale must be float32 of shape (), (1,) or ({n},), "
                    f"not {self.scale.dtype} of shape {self.scale.shape}"
                )
            wrong = self.scale[~(np.isfinite(self.scale) & (self.scale > 0))]
            if wrong.size:
                raise TaktError(f"scale must be positive and finite, not {float(wrong.flat[0])!r}")

    @property
    def format(self) -> str:
        """Of the matrices: a key of `FORMATS`."""
        return next(name for name, dtype in FORMATS.items() if self.a.dtype == dtype)

    @property
    def shape(self) -> tuple[int, int, int]:
        """(m, k, n)."""
        return self.a.shape[0], self.a.shape[1], self.b.shape[1]

    @property
    def macs(self) -> int:
        """Multiply-accumulates."""
        m, k, n = self.shape
        return m * k * n


def blank_gemm(m: int, k: int, n: int, dtype: str = "int8") -> Gemm:
    """Return a product of matrices of zeros that take no memory, to be compiled before there are values.

    `dtype` is a key of `FORMATS`.

    Raises
    ------
    TaktError
        When a size is below 1, or beyond what numbers of elements can count.
    """
    for name, value in (("m", m), ("k", k), ("n", n)):
        if value < 1:
            raise TaktError(f"{name} must be at least 1, not {value}")
        if value > _LARGEST:
            raise TaktError(f"{name} must be at most {_LARGEST}, not {value}")
    zero = np.zeros((), FORMATS[dtype])
    return Gemm(a=np.broadcast_to(zero, (m, k)), b=np.broadcast_to(zero, (k, n)))


def randomised(gemm: Gemm, seed: int) -> Gemm:
    """Return the product with random matrices of the same shapes: int8 uniform, float16 normal."""
    rng = np.random.default_rng(seed)
    if gemm.format == "fp16":
        a, b = (rng.standard_normal(matrix.shape).astype(np.float16) for matrix in (gemm.a, gemm.b))
        return replace(gemm, a=a, b=b)
    return replace(
        gemm,
        a=rng.integers(-128, 128, gemm.a.shape, dtype=np.int8),
        b=rng.integers(-128, 128, gemm.b.shape, dtype=np.int8),
    )


def gemm_reference(gemm: Gemm, config: Config) -> npt.NDArray[Any]:
    """Return what NumPy says the result is: int32, or int8 with a scale; float32 of float16; shape (m, n).

    The vector length of the machine decides where sums of float16 products are rounded.
    """
    if gemm.format == "fp16":
        return matmul_fp16(gemm.a, gemm.b, config.vector_length)
    # float64 holds sums below 2**53 exactly, and is 30 times as fast as NumPy's integer product.
    total = (gemm.a.astype(np.float64) @ gemm.b.astype(np.float64)).astype(np.int64).astype(np.int32)
    if gemm.bias is not None:
        total = (total + gemm.bias).astype(np.int32)
    if gemm.scale is not None:
        with np.errstate(over="ignore"):  # infinity saturates like any number that is too large
            scaled = total.astype(np.float32) * gemm.scale
        total = np.clip(np.rint(scaled), -128, 127).astype(np.int8)
    return np.maximum(total, 0) if gemm.relu else total


def compile_gemm(config: Config, gemm: Gemm, planes: int | None = None) -> Image:
    """Compile a product for a machine.

    Parameters
    ----------
    config
        The machine.
    gemm
        Gives the shapes; of its values only bias and scale become part of the image.
    planes
        MXM planes to use; None: as many as pay.

    Returns
    -------
    Image
        With the inputs ``a`` and ``b`` and the output ``c``.

    Raises
    ------
    TaktError
        When the problem does not fit the machine.
    """
    from compiler.program import Program

    m, k, n = gemm.shape
    result = 1 if gemm.scale is not None else 4
    config.check_fits(f"{m}x{k}x{n}", (m * k + k * n) * gemm.a.dtype.itemsize + m * n * result)
    program = Program(config, f"{m}x{k}x{n}" + ("" if gemm.format == "int8" else f" {gemm.format}"))
    a = program.input("a", (m, k), FORMATS[gemm.format])
    b = program.input("b", (k, n), FORMATS[gemm.format])
    bias = None if gemm.bias is None else program.constant("bias", gemm.bias)
    scale = None if gemm.scale is None else np.broadcast_to(gemm.scale, (n,)).astype(np.float32)
    c = program.matmul(a, b, bias=bias, scale=scale, relu=gemm.relu, planes=planes)
    program.output("c", c)
    return program.compile()
