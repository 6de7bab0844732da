"""Micro-ops of a slice: what its controller tells its tiles, one per cycle and engine."""

from amaranth.hdl import unsigned
from amaranth.lib import data

from arch.config import Config
from hdl.span import span_shape
from hdl.stream.group import group_bits

__all__ = ["access_op", "address_bits", "indexed_op", "slice_ops"]


def address_bits(config: Config) -> int:
    """Return the width of an address within a slice; its highest bit is the bank."""
    return config.mem_depth.bit_length()


def access_op(config: Config) -> data.StructLayout:
    """Return the layout of a read or write micro-op: ``valid``, ``direction`` and ``stream``, ``addr``.

    ``span``: superlanes from this one up that act on it, see `hdl.span.climb`.
    """
    return data.StructLayout(
        {
            "valid": 1,
            "span": span_shape(config),
            "direction": 1,
            "stream": range(config.streams),
            "addr": unsigned(address_bits(config)),
        }
    )


def indexed_op(config: Config) -> data.StructLayout:
    """Return the layout of a micro-op of GATHER or SCATTER.

    ``take``: read the indices (and a SCATTER's data) in this cycle, from streams ``map_direction`` and pair
    ``map_group`` (``direction`` and ``stream``). ``read``: read the word of lane ``lane``, at ``addr`` plus its index.
    ``write`` (SCATTER): write it back. A micro-op may take for the next element while it serves the last lane of one.
    ``span``: superlanes from this one up that act on it, at least 1 where one of the three is high.
    """
    return data.StructLayout(
        {
            "take": 1,
            "read": 1,
            "write": 1,
            "span": span_shape(config),
            "lane": range(config.lanes),
            "addr": unsigned(address_bits(config)),
            "direction": 1,
            "stream": range(config.streams),
            "map_direction": 1,
            "map_group": group_bits(config.streams, 2),
        }
    )


def slice_ops(config: Config) -> data.StructLayout:
    """Return the layout of all micro-ops of a slice: ``read``, ``write``, ``gather``, ``scatter``."""
    access, indexed = access_op(config), indexed_op(config)
    return data.StructLayout({"read": access, "write": access, "gather": indexed, "scatter": indexed})
