"""Number formats of the VXM and MXM."""

import enum

import numpy as np


class DType(enum.IntEnum):
    """Number format, by its code in instruction words."""

    INT8 = 0
    INT16 = 1
    INT32 = 2
    FP16 = 3
    FP32 = 4

    @property
    def size(self) -> int:
        """Bytes of an element: aligned streams that carry it, lowest byte on the lowest stream."""
        return (1, 2, 4, 2, 4)[self]

    @property
    def numpy(self) -> np.dtype:
        """Little-endian NumPy dtype."""
        return np.dtype(("<i1", "<i2", "<i4", "<f2", "<f4")[self])

    @property
    def is_float(self) -> bool:
        """Whether the format is a floating-point format."""
        return self in (DType.FP16, DType.FP32)


INTEGERS = (DType.INT8, DType.INT16, DType.INT32)
"""Formats of integer instructions."""

CANONICAL_NAN = 0x7FC00000
"""The only NaN that an fp32 operation returns (RISC-V F, section 11.3, uses the same)."""

CANONICAL_NAN_FP16 = 0x7E00
"""The only NaN that a conversion to fp16 returns."""
