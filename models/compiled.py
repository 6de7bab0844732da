"""Compiled models: the program, and what the host does at its edges."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnx_ir as ir
from onnx_ir import DataType

import models.operators as _operators
from arch.config import Config
from arch.errors import TaktError
from arch.image import Image
from compiler.program import Program
from models.builder import Builder
from models.load import Shapes, load_model, static_shape
from models.value import PRECISIONS, Array, Refused, Value, constant, held_format
from models.walk import Frame, Walk

__all__ = ["CompiledModel", "Port", "compile_model"]

_operators.load()


@dataclass(frozen=True)
class Port:
    """An input or output of a model.

    Attributes
    ----------
    name : str
    dtype : DataType
        The model's.
    shape : tuple of int
    tensor : str
        Name of the program's input or output; empty if it has none.
    held : str
        Format in which the chip has it.
    known : ndarray or None
        Its value, if the program was compiled for it.
    """

    name: str
    dtype: DataType
    shape: tuple[int, ...]
    tensor: str
    held: str
    known: Array | None = None

    @property
    def type(self) -> str:
        """The model's type as onnxruntime writes it, such as ``tensor(float)``."""
        return f"tensor({self.dtype.name.lower()})"

    @property
    def at_the_edge(self) -> str:
        """What the host does with it, for a report; empty if nothing."""
        if self.known is not None:
            return f"{self.name}: known when the model was compiled"
        said = str(np.dtype(self.dtype.numpy()))
        return "" if said == self.held else f"{self.name}: {said} is {self.held} on the chip"


@dataclass(frozen=True)
class CompiledModel:
    """A model for one machine.

    Attributes
    ----------
    image : Image or None
        None where every output was known when the model was compiled.
    inputs, outputs : tuple of Port
    """

    image: Image | None
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]

    @property
    def at_the_edge(self) -> tuple[str, ...]:
        """What is done on the host, one line per input and output."""
        return tuple(port.at_the_edge for port in (*self.inputs, *self.outputs) if port.at_the_edge)


def compile_model(
    source: str | Path | onnx.ModelProto,
    config: Config,
    *,
    shapes: Shapes | None = None,
    values: Mapping[str, Array] | None = None,
    precision: str = "float16",
) -> CompiledModel:
    """Return a model, compiled.

    Parameters
    ----------
    source : path or ModelProto
    config : Config
    shapes : mapping, optional
        Of inputs whose shape is not static.
    values : mapping, optional
        Of inputs that the program is to be compiled for; they are none of its inputs then.
    precision : str
        ``float16`` or ``float32``: the format in which the chip holds float32. Products multiply float16 in any case:
        of float32 three times, see `models.operators.products`. ``w8a16``: as float16, but products of what is computed
        with known matrices multiply int16 numbers by int8 weights, see `models.operators.int16_weights`.

    Raises
    ------
    TaktError
        For a file that is no model, a shape or value that does not fit it, and what the machine cannot do: of a node,
        its name and operator come first.
    """
    if precision not in PRECISIONS:
        raise TaktError(f"precision must be one of {', '.join(PRECISIONS)}, not {precision!r}")
    model = load_model(source)
    graph = model.graph
    declared = [entry for entry in graph.inputs if entry.name not in graph.initializers]
    _check_names(declared, shapes or {}, values or {})
    builder = Builder(Program(config, name=graph.name or "model"), PRECISIONS[precision], precision == "w8a16")
    inputs = [_input(builder, entry, shapes or {}, values or {}) for entry in declared]
    frame = Frame(dict(zip(declared, (value for _, value in inputs), strict=True)), _versions(graph))
    walk = Walk(builder)
    found = walk.graph(graph, (), frame)
    outputs = [_output(builder, str(entry.name), value) for entry, value in zip(graph.outputs, found, strict=True)]
    image = None
    if any(port.tensor for port in outputs):
        try:
            image = builder.program.compile()
        except TaktError as error:
            raise walk.attributed(error, f"graph {graph.name!r}") from None
    return CompiledModel(image, tuple(port for port, _ in inputs), tuple(outputs))


def _versions(graph: ir.Graph) -> dict[str, int]:
    return {"" if domain == "ai.onnx" else domain: number for domain, number in graph.opset_imports.items()}


def _check_names(declared: Sequence[ir.Value], *given: Mapping[str, Any]) -> None:
    names = [str(entry.name) for entry in declared]
    for mapping in given:
        for name in mapping:
            if name not in names:
                raise TaktError(f"input must be one of {', '.join(names) or 'none'}, not {name!r}")


def _input(builder: Builder, entry: ir.Value, shapes: Shapes, values: Mapping[str, Array]) -> tuple[Port, Value]:
    """Return an input of the model, and its value."""
    name, dtype = str(entry.name), entry.dtype
    if dtype is None or not isinstance(entry.type, ir.TensorType):
        raise Refused(f"input {name!r} must be a tensor, not {entry.type}")
    if name in values:
        array = np.asarray(values[name])
        if array.dtype != dtype.numpy():
            raise TaktError(f"value of {name} must be {dtype.numpy()}, not {array.dtype}")
        shape = static_shape(entry, {name: array.shape})
        return Port(name, dtype, shape, "", str(array.dtype), array), constant(array, dtype)
    shape = static_shape(entry, shapes)
    if 0 in shape:
        # There is but one value of no elements.
        empty = np.zeros(shape, dtype.numpy())
        return Port(name, dtype, shape, "", str(empty.dtype), empty), constant(empty, dtype)
    try:
        held = held_format(dtype, builder.precision)
    except Refused as error:
        raise Refused(f"input {name!r}: {error}") from None
    tensor = builder.program.input(name, shape or (1,), held)
    return Port(name, dtype, shape, name, held), Value(dtype, shape, None, tensor.view(), frozenset([name]))


def _output(builder: Builder, name: str, value: Value) -> Port:
    """Return an output of the model, after declaring it if the program makes it."""
    if value.array is not None:
        return Port(name, value.dtype, value.shape, "", str(value.array.dtype), value.array)
    view = builder.stored(value)
    builder.program.output(name, view)
    return Port(name, value.dtype, value.shape, name, view.dtype)
