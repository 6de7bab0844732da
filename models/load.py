"""From a file to a graph with static shapes."""

from collections.abc import Mapping
from pathlib import Path

import onnx
import onnx_ir as ir
from onnx_ir.passes import PassManager
from onnx_ir.passes.common import (
    CommonSubexpressionEliminationPass,
    IdentityEliminationPass,
    InlinePass,
    RemoveUnusedNodesPass,
)

from arch.errors import TaktError, shown

OLDEST = 7
"""First version of ONNX's operator set that is taken."""

Shapes = Mapping[str, tuple[int, ...]]


def load_model(source: str | Path | onnx.ModelProto) -> ir.Model:
    """Return a model, checked by the standard's own checker, functions inlined, what nothing uses left out.

    Raises
    ------
    TaktError
        For a file that is no ONNX model, or one that breaks the standard's rules or is of another version.
    """
    name = shown(str(source)) if isinstance(source, str | Path) else "model"
    try:
        if isinstance(source, str | Path):
            # A path, since a model may be larger than what protobuf checks in one piece.
            onnx.checker.check_model(str(source))
            proto = onnx.load(str(source))
        else:
            proto = source
            onnx.checker.check_model(proto)
        model = ir.from_proto(proto)
        _read_tensors(model)
    except OSError:
        raise
    except Exception as error:
        # Of a damaged file protobuf, the checker and the IR raise what they come upon.
        reason = str(error).strip().partition("\n")[0]
        raise TaktError(f"{name} must be an ONNX model: {reason}") from None
    _check_versions(name, proto)
    passes = PassManager(
        [InlinePass(), IdentityEliminationPass(), CommonSubexpressionEliminationPass(), RemoveUnusedNodesPass()]
    )
    return passes(model).model


def _read_tensors(model: ir.Model) -> None:
    """Read every tensor of a model once: what is damaged shows here, whatever exception it raises."""
    for graph in model.graphs():
        for value in graph.initializers.values():
            if value.const_value is not None:
                value.const_value.numpy()
        for node in graph:
            for attribute in node.attributes.values():
                if attribute.type is ir.AttributeType.TENSOR and not attribute.is_ref():
                    attribute.value.numpy()


def _check_versions(name: str, proto: onnx.ModelProto) -> None:
    newest = onnx.defs.onnx_opset_version()
    for entry in proto.opset_import:
        if entry.domain in ("", "ai.onnx") and not OLDEST <= entry.version <= newest:
            raise TaktError(
                f"operator set of {name} must be of version {OLDEST} to {newest}, not {entry.version}: "
                "onnx.version_converter changes it"
            )


def static_shape(declared: ir.Value, shapes: Shapes) -> tuple[int, ...]:
    """Return the shape of an input: what is given, or what the model says.

    Raises
    ------
    TaktError
        For a shape that is not static, or a given one that does not fit the model's.
    """
    said, given = declared.shape, shapes.get(declared.name or "")
    if given is not None:
        fits = said is None or (
            len(said) == len(given)
            and all(not isinstance(size, int) or size == other for size, other in zip(said, given, strict=True))
        )
        if not fits:
            raise TaktError(f"shape of {declared.name} must fit {_text(said)}, not be {'x'.join(map(str, given))}")
        return given
    if said is None or not all(isinstance(size, int) for size in said):
        raise TaktError(
            f"shape of input {declared.name} must be static, not {_text(said)}: give it, as --shape {declared.name}="
            f"{_example(said)}"
        )
    return tuple(int(size) for size in said)


def _text(shape: ir.Shape | None) -> str:
    return "unknown" if shape is None else "(" + ", ".join(str(size) for size in shape) + ")"


def _example(shape: ir.Shape | None) -> str:
    return "1x128" if shape is None else "x".join(str(size) if isinstance(size, int) else "1" for size in shape) or "1"
