"""Address map of the host port.

A Wishbone B4 pipelined slave, ``8 * lanes`` data bits, word addressed: one beat is one MEM word of one tile. The top
two address bits choose the region.
"""

import enum

ADR_BITS = 28
"""Width of the word address."""

REGION_SHIFT = 26
"""Lowest bit of the region number."""

SLICE_SHIFT = 19
"""MEM region: lowest bit of the chip-wide slice number (7 bits)."""

TILE_SHIFT = 14
"""MEM region: lowest bit of the superlane number (5 bits); below it the address within the slice."""

COUNTER_BITS = 48
"""Width of the cycle counter."""


class Region(enum.IntEnum):
    """Region of the address map."""

    REGISTERS = 0
    QUEUES = 1
    """``queue << 1 | half``: a write pushes a word. On a 32-bit bus write half 0 (low), then half 1, which pushes; on a
    wider bus write half 0 only. A push to a full queue latches OVERRUN at cycle 0."""
    MEM = 2
    """``slice << SLICE_SHIFT | tile << TILE_SHIFT | address``. Legal while the machine is stopped."""


class Register(enum.IntEnum):
    """Word address of a 32-bit register."""

    ID_LO = 0
    ID_HI = 1
    """Configuration fingerprint."""
    CTRL = 2
    """Write: see `Ctrl`."""
    STATUS = 3
    """Read: see `Status`."""
    CYCLES_LO = 4
    CYCLES_HI = 5
    """Cycle counter: cycles since the first issue while running, then the length of the run."""
    FAULT_KIND = 6
    FAULT_UNIT = 7
    FAULT_CYCLE_LO = 8
    FAULT_CYCLE_HI = 9
    """The sticky fault; kind 0 means none."""
    ECC_COUNT = 10
    """Corrected reads since CLEAR, saturating; 0 without ECC, like the next three."""
    ECC_UNIT = 11
    ECC_CYCLE_LO = 12
    ECC_CYCLE_HI = 13
    """The first of them."""
    FLIP0 = 14
    FLIP1 = 15
    FLIP2 = 16
    FLIP3 = 17
    FLIP4 = 18
    """Write: bits of a code word (data lowest, then check bits) that the host's writes to MEM flip, 32 per register.
    Reads give 0. No effect without ECC."""


FLIPS = (Register.FLIP0, Register.FLIP1, Register.FLIP2, Register.FLIP3, Register.FLIP4)
"""The lowest bits first."""


class Ctrl(enum.IntFlag):
    """Bits of a CTRL write."""

    START = 1
    """Run the queues from their first word. Ignored while running or while a fault is latched."""
    CLEAR = 2
    """Empty every queue, clear the fault and the ECC registers. Ignored while running."""


class Status(enum.IntFlag):
    """Bits of STATUS."""

    RUNNING = 1
    DONE = 2
    FAULT = 4


def mem_address(slice_: int, tile: int, addr: int) -> int:
    """Return the bus address of a MEM word of one tile."""
    return Region.MEM << REGION_SHIFT | slice_ << SLICE_SHIFT | tile << TILE_SHIFT | addr


def queue_address(queue: int, half: int = 0) -> int:
    """Return the bus address that pushes to a queue."""
    return Region.QUEUES << REGION_SHIFT | queue << 1 | half
