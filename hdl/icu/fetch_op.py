"""Micro-op of a fetch port for the tiles of its column, one per vector."""

from amaranth.lib import data

from arch.config import Config

__all__ = ["fetch_op"]


def fetch_op(config: Config) -> data.StructLayout:
    """Return the layout of a fetch micro-op: ``valid``, ``direction`` and ``stream``."""
    return data.StructLayout({"valid": 1, "direction": 1, "stream": range(config.streams)})
