"""Writer of ONNX models from the weights of a package."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import onnx.helper as h

__all__ = ["OnnxWriter"]

Shape = tuple[int, ...]


class OnnxWriter:
    """Nodes of a graph, and what they know.

    Parameters
    ----------
    weights : mapping of str to ndarray
        Those that nodes may name.

    Attributes
    ----------
    known : dict of str to ndarray
        Initializers so far; any may be added.
    """

    def __init__(self, weights: Mapping[str, npt.NDArray[Any]]) -> None:
        self._weights = weights
        self._nodes: list[onnx.NodeProto] = []
        self.known: dict[str, npt.NDArray[Any]] = {}

    def node(self, operator: str, *inputs: str, made: str = "", **attributes: Any) -> str:
        """Add a node; return the name of its output, `made` if there is one."""
        name = made or f"{operator}.{len(self._nodes)}"
        self._nodes.append(h.make_node(operator, [*inputs], [name], name=name, **attributes))
        return name

    def weight(self, name: str, turned: bool = False) -> str:
        """Return the name of a weight, now an initializer; `turned`: of a matrix with rows and columns exchanged."""
        self.known[name] = np.ascontiguousarray(self._weights[name].T) if turned else self._weights[name]
        return name

    def matmul(self, x: str, name: str, made: str = "") -> str:
        """Return a product with a matrix that is stored as a layer of PyTorch has it."""
        return self.node("MatMul", x, self.weight(f"{name}.weight", turned=True), made=made)

    def model(
        self, name: str, inputs: Sequence[tuple[str, int, Shape]], output: tuple[str, int, Shape]
    ) -> onnx.ModelProto:
        """Return the model, of operator set 23; inputs and output by name, element type and shape."""
        graph = h.make_graph(
            self._nodes,
            name,
            [h.make_tensor_value_info(*one) for one in inputs],
            [h.make_tensor_value_info(*output)],
            [onnx.numpy_helper.from_array(array, key) for key, array in self.known.items()],
        )
        return h.make_model(graph, opset_imports=[h.make_opsetid("", 23)], ir_version=11)
