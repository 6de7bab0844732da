"""Micro-ops of a plane: what its controllers tell its tiles, one per cycle and queue.

``span`` of each: superlanes that act on it, from superlane 0 up.
"""

from amaranth.hdl import unsigned
from amaranth.lib import data

from arch.config import Config
from hdl.span import span_shape
from hdl.stream.group import group_bits

__all__ = ["activation_op", "load_op", "result_op"]


def load_op(config: Config) -> data.StructLayout:
    """Return the layout of the weights queue's micro-op.

    ``valid``; ``group``: which aligned group of `lanes` outward streams; ``reach``: column blocks that this step still
    passes on its way to its own.
    """
    return data.StructLayout(
        {
            "valid": 1,
            "group": group_bits(config.streams, config.lanes),
            "reach": range(max(2, config.superlanes)),
            "span": span_shape(config),
        }
    )


def activation_op(config: Config) -> data.StructLayout:
    """Return the layout of the activations queue's micro-op: ``valid``, ``install`` and the outward ``stream``."""
    return data.StructLayout({"valid": 1, "install": 1, "stream": range(config.streams), "span": span_shape(config)})


def result_op(config: Config) -> data.StructLayout:
    """Return the layout of the results queue's micro-op.

    ``valid``; ``add`` the stored sum; ``fp32``: of fp32 instead of int32; ``emit`` on the inward streams
    ``4 * group ..``; ``addr`` in the accumulator memory.
    """
    return data.StructLayout(
        {
            "valid": 1,
            "add": 1,
            "emit": 1,
            "fp32": 1,
            "group": group_bits(config.streams, 4),
            "addr": unsigned((config.acc_depth - 1).bit_length()),
            "span": span_shape(config),
        }
    )
