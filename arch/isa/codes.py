"""Codes in instruction fields."""

import enum


class Source(enum.IntEnum):
    """Origin of a VXM operand, by its code."""

    STREAM = 0
    """Stream group ``dir, index``."""
    MESH = 1
    """Result of the ALU in row `index` of the previous mesh column (a ring), valid in this very cycle."""
    SELF = 2
    """This ALU's own last result, held since it appeared; 0 before the first."""
    ZERO = 3
    """The constant 0."""


class Relation(enum.IntEnum):
    """Question that CMP asks, by its code."""

    EQ = 0
    NE = 1
    LT = 2
    LE = 3
    GT = 4
    GE = 5


MAP_REGISTERS = 4
"""Lane maps that a permute or distribute unit holds."""
