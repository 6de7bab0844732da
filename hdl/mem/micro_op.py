"""What the controller of a slice tells its tiles, one micro-op per cycle and engine."""

from amaranth.hdl import unsigned
from amaranth.lib import data

from arch.config import Config

__all__ = ["access_op", "address_bits"]


def address_bits(config: Config) -> int:
    """Return the width of an address within a slice; its highest bit is the bank."""
    return config.mem_depth.bit_length()


def access_op(config: Config) -> data.StructLayout:
    """Return the layout of a read or write micro-op: ``valid``, ``direction`` and ``stream``, ``addr``."""
    return data.StructLayout(
        {
            "valid": 1,
            "direction": 1,
            "stream": range(config.streams),
            "addr": unsigned(address_bits(config)),
        }
    )
