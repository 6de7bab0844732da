"""One ONNX operator, run by onnxruntime."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime
from onnx import helper

OPSET = 21
IR_VERSION = 10


def run_operator(
    operator: str, inputs: Mapping[str, npt.ArrayLike], dtype: type, *, domain: str = "", **attributes: Any
) -> npt.NDArray[Any]:
    """Return the only output, of `dtype`, of an operator on inputs in the order of the operator's signature."""
    arrays = {name: np.asarray(value) for name, value in inputs.items()}
    node = helper.make_node(operator, list(arrays), ["y"], domain=domain, **attributes)
    graph = helper.make_graph(
        [node],
        operator,
        [_describe(name, array.dtype, array.shape) for name, array in arrays.items()],
        [_describe("y", np.dtype(dtype), None)],
    )
    opsets = [helper.make_opsetid("", OPSET)] + ([helper.make_opsetid(domain, 1)] if domain else [])
    model = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    result: npt.NDArray[Any] = session.run(None, arrays)[0]
    return result


def _describe(name: str, dtype: np.dtype, shape: tuple[int, ...] | None) -> Any:
    return helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(dtype), shape)
