"""Runs of a compiled model, under the method names that ONNX's runtimes have."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from onnx_ir import DataType

from arch.errors import TaktError
from models.compiled import CompiledModel, Port
from models.value import Array
from runtime.backend import Backend, GoldenBackend
from runtime.measure import run_checked

__all__ = ["Session"]


class Session:
    """A compiled model on a backend.

    Parameters
    ----------
    model : CompiledModel
    backend : Backend, optional
        The golden model by default.
    """

    def __init__(self, model: CompiledModel, backend: Backend | None = None) -> None:
        self.model = model
        self.cycles = 0
        self._backend = backend or GoldenBackend()

    def get_inputs(self) -> tuple[Port, ...]:
        """Return the inputs that a run takes."""
        return tuple(port for port in self.model.inputs if port.known is None)

    def get_outputs(self) -> tuple[Port, ...]:
        """Return the outputs."""
        return self.model.outputs

    def run(self, output_names: Sequence[str] | None, input_feed: Mapping[str, Any]) -> list[Array]:
        """Return outputs, all or those that are named, of the model's types.

        Raises
        ------
        TaktError
            For an input that the model does not have, one that is missing or of another type or shape, and a value that
            the chip's format does not have.
        """
        names = [port.name for port in self.model.outputs]
        for name in output_names or ():
            if name not in names:
                raise TaktError(f"output must be one of {', '.join(names)}, not {name!r}")
        feeds = self.feeds(input_feed)
        made: Mapping[str, Array] = {}
        if self.model.image is not None:
            result = run_checked(self._backend, self.model.image, [feeds])[0]
            made, self.cycles = result.outputs, result.cycles
        found = self.results(made)
        return [found[name] for name in output_names or names]

    def results(self, made: Mapping[str, Array]) -> dict[str, Array]:
        """Return the outputs of the model, by name, of those of a run of its image."""
        return {port.name: _given_back(port, made) for port in self.model.outputs}

    def feeds(self, given: Mapping[str, Any]) -> dict[str, Array]:
        """Return what the image takes of what the model takes: see `run`."""
        ports = {port.name: port for port in self.get_inputs()}
        for name in given:
            if name not in ports:
                raise TaktError(f"input must be one of {', '.join(ports) or 'none'}, not {name!r}")
        feeds = {}
        for name, port in ports.items():
            if name not in given:
                raise TaktError(f"input {name!r} is missing: {port.dtype.numpy()} of shape {port.shape}")
            array = np.asarray(given[name])
            if array.shape != port.shape or array.dtype != port.dtype.numpy():
                raise TaktError(
                    f"input {name} must be {port.dtype.numpy()} of shape {port.shape}, "
                    f"not {array.dtype} of shape {array.shape}"
                )
            with np.errstate(over="ignore"):
                # Integers of NumPy's own types are checked by the run.
                array = array if array.dtype.kind in "biu" else array.astype(port.held)
            feeds[port.tensor] = array.reshape(array.shape or (1,))
        return feeds


def _given_back(port: Port, made: Mapping[str, Array]) -> Array:
    """Return an output in the model's type."""
    if port.known is not None:
        return port.known
    array = made[port.tensor].reshape(port.shape)
    found: Array = array != 0 if port.dtype is DataType.BOOL else array.astype(port.dtype.numpy())
    return found
