"""The functions, and their codes."""

import enum

__all__ = ["Function"]


class Function(enum.IntEnum):
    """A costly function of one fp32 operand; the instruction's mnemonic is its name."""

    EXP = 0
    TANH = 1
    RSQRT = 2
    RECIP = 3
    LOG = 4
    SIGMOID = 5
