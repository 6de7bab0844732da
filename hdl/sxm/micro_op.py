"""What the controllers of the SXM tell its tiles."""

from amaranth.lib import data

from arch.config import Config
from hdl.stream.group import group_bits

__all__ = ["shift_op", "transpose_op"]


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
            "dst_dir": 1,
            "dst": stream,
        }
    )


def transpose_op(config: Config) -> data.StructLayout:
    """Return the layout of a TRANSPOSE on its way.

    ``valid``, and groups of `lanes` streams ``src_dir``, ``src`` and ``dst_dir``, ``dst``.
    """
    group = group_bits(config.streams, config.lanes)
    return data.StructLayout({"valid": 1, "src_dir": 1, "src": group, "dst_dir": 1, "dst": group})
