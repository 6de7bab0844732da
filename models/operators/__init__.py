"""Lowerings of ONNX's operators, a module per family."""

import importlib

FAMILIES = (
    "control",
    "convolutions",
    "einsum",
    "elementwise",
    "linear",
    "normalisation",
    "pooling",
    "products",
    "quantised",
    "recurrent",
    "reductions",
    "shape",
)
"""Modules that fill the table of operators."""


def load() -> None:
    """Fill the table of operators: see `models.registry`."""
    for family in FAMILIES:
        importlib.import_module(f"models.operators.{family}")
