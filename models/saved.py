"""Compiled models in files: images that know the types and shapes of the model."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from onnx_ir import DataType

from arch.errors import TaktError
from arch.image import Image, TensorMap
from arch.image_header import EDGE
from models.compiled import CompiledModel, Port

__all__ = ["image_of", "load_compiled", "model_of"]


def image_of(model: CompiledModel) -> Image:
    """Return the image of a model with what the host has to know of it.

    Raises
    ------
    TaktError
        For a model of which an input or output is known, and so in no image.
    """
    if model.image is None:
        raise TaktError("model must compute something as it runs, not have outputs that are all known beforehand")
    for port in (*model.inputs, *model.outputs):
        if port.known is not None:
            raise TaktError(
                f"{port.name} must be made as the model runs, not be known beforehand: an image has no place for it"
            )
    edge = {role: _entries(ports) for role, ports in (("inputs", model.inputs), ("outputs", model.outputs))}
    return replace(model.image, notes={**model.image.notes, EDGE: edge})


def _entries(ports: Sequence[Port]) -> dict[str, Any]:
    return {port.name: {"dtype": port.dtype.name.lower(), "shape": [*port.shape]} for port in ports}


def model_of(image: Image) -> CompiledModel:
    """Return the model of an image.

    Raises
    ------
    TaktError
        For an image of another program, or one that does not fit what it says of its model.
    """
    edge = image.notes.get(EDGE)
    if edge is None:
        raise TaktError(f"image must be of a model, not of {image.notes.get('work', 'another program')}")
    inputs, outputs = _ports(edge["inputs"], image.inputs), _ports(edge["outputs"], image.outputs)
    return CompiledModel(image, inputs, outputs)


def _ports(entries: dict[str, Any], tensors: Sequence[TensorMap]) -> tuple[Port, ...]:
    by_name = {tensor.name: tensor for tensor in tensors}
    if entries.keys() != by_name.keys():
        raise TaktError(f"edge of an image must name {', '.join(by_name)}, not {', '.join(entries)}")
    ports = []
    for name, entry in entries.items():
        tensor, shape = by_name[name], tuple(entry["shape"])
        dtype = DataType.__members__.get(entry["dtype"].upper())
        if dtype is None or (shape or (1,)) != tensor.shape:
            raise TaktError(
                f"edge of {name} must be an ONNX type of shape {tensor.shape}, not {entry['dtype']} of shape {shape}"
            )
        ports.append(Port(name, dtype, shape, name, str(tensor.dtype)))
    return tuple(ports)


def load_compiled(path: str | Path) -> CompiledModel:
    """Read a compiled model.

    Raises
    ------
    TaktError
        When the file cannot be read, is damaged, or holds another program.
    """
    return model_of(Image.load(path))
