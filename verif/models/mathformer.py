"""MathFormer: four Llama models of 1,480 weights that do arithmetic, as ONNX models.

The package's own code (``mathformer/llama.py``) is the definition: RMSNorm, rotary embedding of halves, causal
attention of two heads, SwiGLU. Its tokens are characters; an answer is made token by token, each the largest of the
last position.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from safetensors.numpy import load

from verif.models.onnx_writer import OnnxWriter
from verif.models.packages import Package

Array = npt.NDArray[Any]

PACKAGE = Package("mathformer", "2.0.0", "2b707dc5f9f260848c28046bda8b079008e65c5f11ec67f331e903ca5ce22932")

OPERATIONS = {"add": "+", "sub": "-", "mul": "*", "div": "/"}

LENGTH = 8
"""Tokens of a run: the longest prompt and answer, ``9/2=Q4R1``, whose last token ends it."""

Logits = Callable[[list[Array]], list[Array]]
"""From tokens of several runs, int64 (1, LENGTH), to logits, float32 (1, LENGTH, vocabulary)."""


@dataclass(frozen=True)
class MathFormer:
    """One of the models.

    Attributes
    ----------
    model : ModelProto
        From ``tokens``, int64 (1, LENGTH), to ``logits``, float32 (1, LENGTH, vocabulary).
    tokens : mapping of str to int
    """

    model: onnx.ModelProto
    tokens: Mapping[str, int]

    def answers(self, asked: Sequence[str], logits: Logits) -> list[str]:
        """Return what follows prompts such as ``7+8=``, token by token."""
        rows = [[self.tokens[character] for character in prompt] for prompt in asked]
        names = {number: name for name, number in self.tokens.items()}
        said = [""] * len(rows)
        open_ones = [*range(len(rows))]
        while open_ones:
            padded = [np.array([rows[one] + [0] * (LENGTH - len(rows[one]))], np.int64) for one in open_ones]
            going = []
            for one, found in zip(open_ones, logits(padded), strict=True):
                following = int(np.argmax(found[0, len(rows[one]) - 1]))
                if following == self.tokens["</s>"]:
                    continue
                said[one] += names[following]
                rows[one].append(following)
                if len(rows[one]) <= LENGTH:
                    going.append(one)
            open_ones = going
        return said


def prompts(operation: str) -> list[tuple[str, str]]:
    """Return the prompts of an operation on digits, with their answers: 345 of all four."""
    found = []
    for a in range(10):
        for b in range(10):
            if operation == "div":
                if b:
                    found.append((f"{a}/{b}=", f"Q{a // b}R{a % b}"))
            elif operation != "sub" or a >= b:
                value = {"add": a + b, "sub": a - b, "mul": a * b}[operation]
                found.append((f"{a}{OPERATIONS[operation]}{b}=", str(value)))
    return found


def mathformer(operation: str) -> MathFormer:
    """Return the model of an operation."""
    config, tokens, weights = (
        PACKAGE.read(f"mathformer/{operation}former/{name}")
        for name in ("config.json", "vocab.json", "model.safetensors")
    )
    return MathFormer(_llama(json.loads(config), load(weights)), json.loads(tokens))


def _llama(config: Mapping[str, Any], weights: Mapping[str, Array]) -> onnx.ModelProto:
    """Return a Llama model over LENGTH positions, in the standard's own operators."""
    heads, size = config["num_attention_heads"], config["head_dim"]
    places = np.arange(LENGTH)[:, None]
    angles = places / config["rope_parameters"]["rope_theta"] ** (np.arange(0, size, 2) / size)
    writer = OnnxWriter(weights)
    writer.known |= {"cosine": np.cos(angles)[None].astype(np.float32), "sine": np.sin(angles)[None].astype(np.float32)}
    node, dense = writer.node, writer.matmul

    def norm(x: str, name: str) -> str:
        return node("RMSNormalization", x, writer.weight(f"{name}.weight"), epsilon=config["rms_norm_eps"])

    x = node("Gather", writer.weight("model.embed_tokens.weight"), "tokens")
    for layer in range(config["num_hidden_layers"]):
        prefix = f"model.layers.{layer}"
        normal = norm(x, f"{prefix}.input_layernorm")
        q, k, v = (dense(normal, f"{prefix}.self_attn.{name}_proj") for name in "qkv")
        q, k = (node("RotaryEmbedding", one, "cosine", "sine", num_heads=heads) for one in (q, k))
        y = node("Attention", q, k, v, is_causal=1, q_num_heads=heads, kv_num_heads=config["num_key_value_heads"])
        x = node("Add", x, dense(y, f"{prefix}.self_attn.o_proj"))
        normal = norm(x, f"{prefix}.post_attention_layernorm")
        gate, up = (dense(normal, f"{prefix}.mlp.{name}_proj") for name in ("gate", "up"))
        inner = node("Mul", node("Mul", gate, node("Sigmoid", gate)), up)
        x = node("Add", x, dense(inner, f"{prefix}.mlp.down_proj"))
    dense(norm(x, "model.norm"), "lm_head", made="logits")
    return writer.model(
        "mathformer",
        [("tokens", onnx.TensorProto.INT64, (1, LENGTH))],
        ("logits", onnx.TensorProto.FLOAT, (1, LENGTH, config["vocab_size"])),
    )
