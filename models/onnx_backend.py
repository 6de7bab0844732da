"""Takt as a backend of ONNX's own tests: `onnx.backend.base.Backend`."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from onnx.backend.base import Backend, BackendRep

from arch.config import Config
from arch.presets import preset
from models.compiled import CompiledModel, compile_model
from models.session import Session
from models.value import Array, NotKnown

__all__ = ["PreparedModel", "TaktBackend"]

MACHINE = preset("small", ["mem_depth=8192"])
"""Vectors of 16 lanes, for small tensors, and MEM for the largest ones of the tests."""


class PreparedModel(BackendRep):  # type: ignore[misc]
    """A model that is compiled as it is run: for the shapes of its inputs, and values of those that decide shapes.

    Parameters
    ----------
    model : ModelProto
    config : Config
    precision : str
        See `compile_model`.
    """

    def __init__(self, model: onnx.ModelProto, config: Config, precision: str) -> None:
        self._model = model
        self._config = config
        self._precision = precision
        self.compiled: CompiledModel | None = None
        self.cycles = 0

    def run(self, inputs: Any, **kwargs: Any) -> tuple[Any, ...]:
        """Return the outputs for inputs, in the order of the graph or by name, on the golden model.

        Raises
        ------
        TaktError
            For what the chip cannot do: see `compile_model`.
        """
        names = [entry.name for entry in self._model.graph.input]
        given = inputs if isinstance(inputs, Mapping) else dict(zip(names, inputs, strict=False))
        feeds = {name: _array(value) for name, value in given.items()}
        self.compiled = self._compile(feeds)
        session = Session(self.compiled)
        found = session.run(None, {port.name: feeds[port.name] for port in session.get_inputs()})
        self.cycles = session.cycles
        return tuple(found)

    def _compile(self, feeds: Mapping[str, Array]) -> CompiledModel:
        shapes = {name: array.shape for name, array in feeds.items() if isinstance(array, np.ndarray)}
        values: dict[str, Array] = {}
        while True:
            try:
                return compile_model(self._model, self._config, shapes=shapes, values=values, precision=self._precision)
            except NotKnown as error:
                more = {name: feeds[name] for name in error.sources if name in feeds and name not in values}
                if not more:
                    raise
                values |= more


def _array(value: Any) -> Any:
    return onnx.numpy_helper.to_array(value) if isinstance(value, onnx.TensorProto) else value


class TaktBackend(Backend):  # type: ignore[misc]
    """Runs models and nodes on the golden model, float32 held as float32."""

    @classmethod
    def prepare(cls, model: onnx.ModelProto, device: str = "CPU", **kwargs: Any) -> PreparedModel:
        """Return a model, ready to run; `config` and `precision` may be given.

        Raises
        ------
        onnx.checker.ValidationError
            For a model that breaks the standard's rules.
        """
        super().prepare(model, device, **kwargs)
        return PreparedModel(model, kwargs.get("config", MACHINE), kwargs.get("precision", "float32"))

    @classmethod
    def run_node(
        cls, node: onnx.NodeProto, inputs: Any, device: str = "CPU", outputs_info: Any = None, **kwargs: Any
    ) -> tuple[Any, ...]:
        """Return the outputs of one node."""
        super().run_node(node, inputs, device, outputs_info)
        arrays: Sequence[Array] = [np.asarray(_array(value)) for value in inputs]
        names = [name for name in node.input if name]
        graph = onnx.helper.make_graph(
            [node],
            "node",
            [
                onnx.helper.make_tensor_value_info(name, onnx.helper.np_dtype_to_tensor_dtype(array.dtype), array.shape)
                for name, array in zip(names, arrays, strict=True)
            ],
            [onnx.helper.make_value_info(name, onnx.TypeProto()) for name in node.output if name],
        )
        version = kwargs.get("opset_version", onnx.defs.onnx_opset_version())
        model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid(node.domain, version)])
        return PreparedModel(model, MACHINE, "float32").run(arrays)

    @classmethod
    def supports_device(cls, device: str) -> bool:
        """Return whether a device is the one that there is."""
        return device == "CPU"
