"""What the commands that take models share."""

import importlib
from collections.abc import Callable, Iterable, Mapping
from types import ModuleType
from typing import Any, TypeVar

import click
import numpy as np

from arch.errors import TaktError
from runtime.options import pairs

__all__ = ["api", "beside_onnxruntime", "precision_option", "shapes_of"]

_NEEDED = ("onnx", "onnx_ir")

TOLERANCES = {"float16": 2.0**-7, "float32": 2.0**-17, "w8a16": 2.0**-5}
"""By precision: how far a float may be from onnxruntime's, beside the largest element of its tensor."""

_Function = TypeVar("_Function", bound=Callable[..., Any])


def api() -> ModuleType:
    """Return `takt.api`.

    Raises
    ------
    TaktError
        Where the extra is not installed that models need.
    """
    try:
        return importlib.import_module("takt.api")
    except ModuleNotFoundError as error:
        if error.name not in _NEEDED:
            raise
        raise TaktError(f"models need the extra onnx, not only what is installed: {error.name} is missing") from None


def shapes_of(texts: Iterable[str]) -> dict[str, tuple[int, ...]]:
    """Return what ``--shape NAME=1x128`` says, by name.

    Raises
    ------
    TaktError
        For another form.
    """
    found = {}
    for name, text in pairs("--shape", texts, "NAME=1x128").items():
        sizes = text.split("x")
        if not all(size.isascii() and size.isdigit() and 0 < int(size) < 1 << 31 for size in sizes):
            raise TaktError(f"--shape {name} must be sizes from 1 on with x between them, not {text!r}")
        found[name] = tuple(int(size) for size in sizes)
    return found


def precision_option(function: _Function) -> _Function:
    """Add ``--precision``."""
    return click.option(
        "--precision",
        metavar="float16|float32|w8a16",
        help="How the chip holds float32; w8a16: float16, with int8 weights and int16 activations in products.  "
        "[default: float16]",
    )(function)


def beside_onnxruntime(
    path: str, inputs: Mapping[str, Any], outputs: Mapping[str, Any], precision: str
) -> list[dict[str, Any]]:
    """Return for each output how far it is from onnxruntime's, and whether that is near enough: see `TOLERANCES`.

    Integers and bools must be equal.

    Raises
    ------
    TaktError
        Where onnxruntime is not installed, or cannot run the model.
    """
    try:
        ort = importlib.import_module("onnxruntime")
    except ModuleNotFoundError:
        raise TaktError("--check onnxruntime needs the package onnxruntime, which is not installed") from None
    options = ort.SessionOptions()
    options.log_severity_level = 4
    try:
        session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        found = session.run([*outputs], dict(inputs))
    except Exception as error:
        # onnxruntime has no one class of errors.
        raise TaktError(f"onnxruntime must run {path!r}, not say: {' '.join(str(error).split())}") from None
    return [
        {"name": name} | _distance(np.asarray(ours), np.asarray(theirs), TOLERANCES[precision])
        for (name, ours), theirs in zip(outputs.items(), found, strict=True)
    ]


def _distance(ours: Any, theirs: Any, tolerance: float) -> dict[str, Any]:
    if ours.shape != theirs.shape or ours.dtype != theirs.dtype:
        return {"max_abs_error": None, "tolerance": 0.0, "near": False}
    a, b = ours.astype(np.float64), theirs.astype(np.float64)
    same = (a == b) | (np.isnan(a) & np.isnan(b))
    with np.errstate(invalid="ignore"):
        error = float(np.where(same, 0, np.abs(a - b)).max(initial=0))
    finite = np.abs(b[np.isfinite(b)])
    limit = tolerance * float(finite.max(initial=0)) if ours.dtype.kind == "f" else 0.0
    return {"max_abs_error": error, "tolerance": limit, "near": bool(error <= limit)}
