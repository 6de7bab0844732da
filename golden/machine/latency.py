"""Rows of the timing table, for instructions that are known to read or to drive streams."""

from arch.config import Config
from arch.timing import timing


def d_skew(config: Config, mnemonic: str) -> int:
    """Return the cycles from the issue of an instruction to the read of its operands."""
    cycles = timing(config)[mnemonic].d_skew
    assert cycles is not None, mnemonic
    return cycles


def d_func(config: Config, mnemonic: str) -> int:
    """Return the cycles from the issue of an instruction to its result on the stream register."""
    cycles = timing(config)[mnemonic].d_func
    assert cycles is not None, mnemonic
    return cycles
