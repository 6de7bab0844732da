"""Layers as the tests compile them, and what NumPy says they give."""

from typing import Any

import numpy as np
import numpy.typing as npt

from arch.config import Config
from arch.image import Image
from compiler.ir.matmul import MatMul
from compiler.program import Program
from golden.machine.machine import Machine

Array = npt.NDArray[Any]


def layer(
    x: Array, w: Array, bias: Array | None = None, scale: Any = None, zero_point: int = 0, relu: bool = False
) -> Array:
    """Return ``x @ w`` and what follows it, from the definitions of ONNX, in NumPy's own arithmetic."""
    total = x.astype(np.int64) @ w.astype(np.int64) + (0 if bias is None else bias)
    wrapped = ((total + 2**31) % 2**32 - 2**31).astype(np.int32)
    if scale is None:
        return np.maximum(wrapped, 0) if relu else wrapped
    real = wrapped.astype(np.float32) * np.asarray(scale, np.float32)
    rounded = np.rint(np.maximum(real, 0) if relu else real).astype(np.float64)
    return np.clip(rounded + zero_point, -128, 127).astype(np.int8)


def random_int8(rng: np.random.Generator, *shape: int) -> Array:
    """Return uniform int8."""
    return rng.integers(-128, 128, shape).astype(np.int8)


def random_float16(rng: np.random.Generator, *shape: int) -> Array:
    """Return float16 of all exponents, zeros among them; sums of many products stay finite."""
    values = rng.standard_normal(shape) * 2.0 ** rng.integers(-24, 14, shape)
    return np.where(rng.integers(0, 9, shape) == 0, 0, values).astype(np.float16)


def compile_layer(config: Config, m: int, k: int, n: int, dtype: str = "int8", **options: Any) -> Image:
    """Return the image of one product with the inputs ``x`` and ``w`` and the output ``y``."""
    program = Program(config, "layer")
    x, w = program.input("x", (m, k), dtype), program.input("w", (k, n), dtype)
    program.output("y", program.matmul(x, w, **options))
    return program.compile()


def product(config: Config, m: int, k: int, n: int, planes: int, **vectors: bool) -> MatMul:
    """Return the operation of an int8 product; `vectors` are bias, scale, zero_point and relu."""
    program = Program(config)
    options: dict[str, Any] = {"relu": bool(vectors.get("relu")), "zero_point": 7 if vectors.get("zero_point") else 0}
    if vectors.get("bias"):
        options["bias"] = program.input("bias", (n,), "int32")
    if vectors.get("scale"):
        options["scale"] = program.input("scale", (n,), "float32")
    program.matmul(program.input("x", (m, k)), program.input("w", (k, n)), planes=planes, **options)
    op = program.operations[-1]
    assert isinstance(op, MatMul)
    return op


def run(image: Image, **inputs: Array) -> dict[str, Array]:
    """Return the outputs of the golden machine, having checked that it takes the predicted cycles."""
    machine = Machine(image.config)
    machine.load(image)
    result = machine.run_image(image, inputs)
    assert result.cycles == image.cycles
    return dict(result.outputs)
