"""Values of a graph: what is known when a model is compiled, and what the chip makes as it runs."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx_ir import DataType

from arch.edge import AT_THE_EDGE
from arch.errors import TaktError
from compiler.ir.tensor import View

Array = npt.NDArray[Any]

PRECISIONS = {"float16": "float16", "float32": "float32", "w8a16": "float16"}
"""Ways to compute in ONNX's float32, and the format in which the chip holds it."""

_HELD = {
    DataType[name.upper()]: AT_THE_EDGE.get(name, name)
    for name in ("bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float16")
} | {
    DataType.DOUBLE: "float32",
    **dict.fromkeys((DataType.INT2, DataType.UINT2, DataType.INT4, DataType.UINT4), "int8"),
}


@dataclass(frozen=True, eq=False)
class Value:
    """A value of an ONNX graph, of static shape.

    Attributes
    ----------
    dtype : DataType
        ONNX's element type.
    shape : tuple of int
        Of no axis too; no size is 0 but of what is known.
    array : ndarray or None
        What is known at compile time.
    view : View or None
        What is made as the program runs; of a value without an axis, of shape (1,).
    sources : frozenset of str
        Inputs of the model on which it depends.
    """

    dtype: DataType
    shape: tuple[int, ...]
    array: Array | None = None
    view: View | None = None
    sources: frozenset[str] = frozenset()

    @property
    def rank(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def is_float(self) -> bool:
        """Whether its elements are floats."""
        return bool(self.dtype.is_floating_point())

    def __str__(self) -> str:
        return f"{self.dtype.name.lower()} of shape {self.shape}"


class Refused(TaktError):
    """A model, or a part of it, that cannot run on the chip; the message names the node and what would be accepted."""

    def within(self, node: str) -> "Refused":
        """Return the error with the node that it is about: the innermost one, whose function or graph others are."""
        return self if str(self).startswith("node ") else Refused(f"{node}: {self}")


class NotKnown(Refused):
    """A value that has to be known at compile time, and depends on inputs.

    Attributes
    ----------
    sources : frozenset of str
        Those inputs: with their values bound the model may compile.
    """

    def __init__(self, message: str, sources: frozenset[str]) -> None:
        super().__init__(message)
        self.sources = sources

    def within(self, node: str) -> "NotKnown":
        """Return the error with the node that it is about."""
        return self if str(self).startswith("node ") else NotKnown(f"{node}: {self}", self.sources)


def constant(array: Any, dtype: DataType | None = None) -> Value:
    """Return a value that is known; `dtype` where NumPy's says less than ONNX's."""
    values = np.asarray(array)
    return Value(dtype or DataType.from_numpy(values.dtype), values.shape, values)


def known(value: Value, what: str) -> Array:
    """Return the array of a value.

    Raises
    ------
    NotKnown
        Where it is made as the program runs.
    """
    if value.array is None:
        raise NotKnown(
            f"{what} must be known when the model is compiled, not computed from {', '.join(sorted(value.sources))}",
            value.sources,
        )
    return value.array


def held_format(dtype: DataType, precision: str) -> str:
    """Return the format in which the chip holds elements of an ONNX type.

    bool is int8, 0 or 1, and so are integers of 2 and 4 bits; other unsigned ones and int64 are the narrowest signed
    format with most of their values, see `arch.edge.AT_THE_EDGE`; float32 is what `precision` says, and float64 is
    float32.

    Raises
    ------
    Refused
        For a type that no unit of the chip computes in.
    """
    if dtype is DataType.FLOAT:
        return precision
    if dtype not in _HELD:
        names = ", ".join(sorted([*(one.name.lower() for one in _HELD), "float"]))
        raise Refused(f"element type must be one of {names}, not {dtype.name.lower()}")
    return _HELD[dtype]


def union(values: Iterable[Value | None]) -> frozenset[str]:
    """Return the inputs on which any of several values depends."""
    return frozenset().union(*(value.sources for value in values if value is not None))
