"""What ``import takt`` gives; the commands use the same."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import onnx

from arch.config import Config
from arch.errors import TaktError
from arch.presets import preset as machine
from models.compiled import CompiledModel, compile_model
from models.load import Shapes
from models.saved import image_of, load_compiled, model_of
from models.session import Session as _Session
from models.value import Array
from runtime.backend import make_backend

__all__ = ["CompiledModel", "Session", "TaktError", "compile", "model_of", "run", "save"]

Model: TypeAlias = str | Path | onnx.ModelProto | CompiledModel
"""A file, ``.onnx`` or an image of `save`; a model of the package `onnx`; or one that is compiled."""


def compile(  # noqa: A001 - the name that the work has in a namespace of its own
    model: str | Path | onnx.ModelProto,
    preset: str | Config = "small",
    settings: Sequence[str] = (),
    *,
    shapes: Shapes | None = None,
    values: Mapping[str, Array] | None = None,
    precision: str = "float16",
) -> CompiledModel:
    """Return a model, compiled for a machine.

    Parameters
    ----------
    model : path or ModelProto
    preset : str or Config
        ``nano``, ``small``, ``base`` or ``groqchip``, or a machine.
    settings : sequence of str
        Changes of the preset, such as ``superlanes=2``.
    shapes : mapping, optional
        Of inputs whose shape the model leaves open.
    values : mapping, optional
        Of inputs that the program is compiled for.
    precision : str
        ``float16`` or ``float32``: how the chip holds float32; sums are float32 with both. ``w8a16``: as float16, with
        int8 weights and int16 activations in products with known matrices.

    Raises
    ------
    TaktError
        In one line: for a file that is no model, and for what cannot run on the chip, with the node's name.
    """
    config = preset if isinstance(preset, Config) else machine(preset, settings)
    return compile_model(model, config, shapes=shapes, values=values, precision=precision)


def save(model: CompiledModel, path: str | Path) -> None:
    """Write a compiled model as an image, for ``takt run``, `Session` and `run`.

    Raises
    ------
    TaktError
        When it cannot be written, or has an input or output that is known beforehand.
    """
    image_of(model).save(path)


class Session(_Session):
    """A model on a backend, with the methods of onnxruntime's ``InferenceSession``.

    Parameters
    ----------
    model : path, ModelProto or CompiledModel
    backend : str
        ``golden``, ``verilator`` or ``icarus``.
    **options
        Of `compile`, for a model that is not compiled.

    Attributes
    ----------
    cycles : int
        Of the last run.
    predicted_cycles : int
        Of each run, known beforehand; 0 where the chip has nothing to do.
    """

    def __init__(self, model: Model, backend: str = "golden", **options: Any) -> None:
        if isinstance(model, CompiledModel) or _is_image(model):
            if options:
                raise TaktError(f"a compiled model must come without options, not with {', '.join(options)}")
            compiled = model if isinstance(model, CompiledModel) else load_compiled(str(model))
        else:
            compiled = compile(model, **options)
        super().__init__(compiled, make_backend(backend))
        self.predicted_cycles = 0 if compiled.image is None else compiled.image.cycles


def _is_image(model: Model) -> bool:
    return isinstance(model, str | Path) and Path(model).suffix != ".onnx"


def run(model: Model, inputs: Mapping[str, Any], backend: str = "golden", **options: Any) -> dict[str, Array]:
    """Return the outputs of a model by name: a `Session` for one run.

    Parameters
    ----------
    model : path, ModelProto or CompiledModel
        Compiled for the shapes of its inputs where it leaves them open.
    inputs : mapping
    backend : str
    **options
        Of `compile`.
    """
    if not isinstance(model, CompiledModel) and not _is_image(model):
        shapes = {name: tuple(getattr(value, "shape", ())) for name, value in inputs.items()}
        options = {"shapes": shapes, **options}
    session = Session(model, backend, **options)
    return dict(zip([port.name for port in session.get_outputs()], session.run(None, inputs), strict=True))
