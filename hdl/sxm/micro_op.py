"""Micro-ops of the SXM: what its controllers tell its tiles.

``span`` of each micro-op: superlanes that act on it, from superlane 0 up.
"""

from amaranth.lib import data

from arch.config import Config
from arch.isa.codes import MAP_REGISTERS
from arch.isa.table import BY_MNEMONIC
from hdl.span import span_shape
from hdl.stream.group import group_bits

__all__ = ["MAP_STREAMS", "mapped_op", "rotate_op", "shift_op", "transpose_op"]

MAP_STREAMS = {"PERMUTE": 2, "DISTRIBUTE": 1}
"""Streams that carry a lane map, and bytes of its numbers, by mnemonic."""


def shift_op(config: Config) -> data.StructLayout:
    """Return the layout of a SHIFT or SELECT on its way.

    ``valid``; ``src_dir``, ``src``: the source, which is rotated up by ``rotate`` lanes; the result takes it in
    lanes from ``bound`` up, or with ``below`` in lanes below ``bound``, and in the others the second source
    ``low_dir``, ``low`` if ``join``, else zero; ``dst_dir``, ``dst``: where the result goes.
    """
    stream = range(config.streams)
    return data.StructLayout(
        {
            "valid": 1,
            "src_dir": 1,
            "src": stream,
            "join": 1,
            "low_dir": 1,
            "low": stream,
            "rotate": range(config.vector_length),
            "bound": range(config.vector_length + 1),
            "below": 1,
            "span": span_shape(config),
            "dst_dir": 1,
            "dst": stream,
        }
    )


def mapped_op(config: Config, mnemonic: str) -> data.StructLayout:
    """Return the layout of a PERMUTE or DISTRIBUTE (which `mnemonic` says), or of a LOADMAP of that unit, on its way.

    ``valid``; ``load``: it is a LOADMAP; ``streamed``: the map comes on the group of `MAP_STREAMS` streams
    ``map_dir``, ``map``, as always with ``load``, else from map register ``register``; ``load`` puts it there instead
    of moving ``src_dir``, ``src`` to ``dst_dir``, ``dst``.
    """
    stream = range(config.streams)
    return data.StructLayout(
        {
            "valid": 1,
            "span": span_shape(config),
            "load": 1,
            "streamed": 1,
            "register": range(MAP_REGISTERS),
            "map_dir": 1,
            "map": group_bits(config.streams, MAP_STREAMS[mnemonic]),
            "src_dir": 1,
            "src": stream,
            "dst_dir": 1,
            "dst": stream,
        }
    )


def rotate_op(config: Config) -> data.StructLayout:
    """Return the layout of a ROTATE on its way.

    ``valid``, the source ``src_dir``, ``src``, ``size`` of the window, and the group of `lanes` streams ``dst_dir``,
    ``dst`` whose first ``size`` ** 2 take the result.
    """
    size = BY_MNEMONIC["ROTATE"].offsets["size"][1].width
    group = group_bits(config.streams, config.lanes)
    return data.StructLayout(
        {
            "valid": 1,
            "span": span_shape(config),
            "src_dir": 1,
            "src": range(config.streams),
            "size": size,
            "dst_dir": 1,
            "dst": group,
        }
    )


def transpose_op(config: Config) -> data.StructLayout:
    """Return the layout of a TRANSPOSE on its way.

    ``valid``, and groups of `lanes` streams ``src_dir``, ``src`` and ``dst_dir``, ``dst``.
    """
    group = group_bits(config.streams, config.lanes)
    return data.StructLayout(
        {"valid": 1, "span": span_shape(config), "src_dir": 1, "src": group, "dst_dir": 1, "dst": group}
    )
