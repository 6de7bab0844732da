"""Operands worth trying, and the operations to try them on."""

from collections.abc import Iterator
from itertools import product
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from arch.config import Config
from arch.formats import DType
from arch.geometry import UnitKind, units
from arch.isa.codes import Relation
from arch.isa.encoding import encode, illegality
from arch.isa.table import INSTRUCTIONS
from arch.isa.vxm_rows import alu_column

__all__ = [
    "FLOAT_CORNERS",
    "FP16_CORNERS",
    "INTEGER_CORNERS",
    "Operation",
    "corners_of",
    "hard_floats",
    "operand_bits",
    "operations",
]

Bits = npt.NDArray[np.uint32]

_POSITIVE_FLOATS = (
    0x00000000,  # zero
    0x00000001,  # smallest subnormal
    0x00000002,
    0x00400000,
    0x007FFFFF,  # greatest subnormal
    0x00800000,  # smallest normal number
    0x00800001,
    0x00FFFFFF,
    0x1F800000,
    0x20000000,
    0x33800000,  # 2**-24, half a unit in the last place of 1
    0x33800001,
    0x34000000,
    0x3EFFFFFF,
    0x3F000000,  # 0.5
    0x3F7FFFFF,
    0x3F800000,  # 1
    0x3F800001,
    0x3FC00000,  # 1.5
    0x40200000,  # 2.5
    0x42FD0000,  # 126.5
    0x42FF0000,  # 127.5
    0x43000000,  # 128
    0x46FFFF00,  # 32767.5
    0x47000000,
    0x4B000000,  # 2**23
    0x4B7FFFFF,
    0x4B800001,
    0x4EFFFFFF,
    0x4F000000,  # 2**31
    0x5F000000,
    0x7EFFFFFF,
    0x7F000000,
    0x7F7FFFFF,  # greatest finite number
    0x7F800000,  # infinity
    0x7F800001,  # signalling NaN
    0x7FC00000,
    0x7FFFFFFF,
)

FLOAT_CORNERS: Bits = np.array([*_POSITIVE_FLOATS, *(bits | 1 << 31 for bits in _POSITIVE_FLOATS)], np.uint32)
"""fp32 patterns at which something changes."""

INTEGER_CORNERS: Bits = np.array(
    [
        *range(33),
        *(1 << bit for bit in range(5, 32)),
        *((1 << bit) - 1 for bit in range(6, 33)),
        *((1 << 32) - (1 << bit) for bit in range(32)),
        *((1 << 32) - (1 << bit) - 1 for bit in range(32)),
        0x01000001,
        0x01000003,
        0x7FFFFFC0,
        0x7FFFFF40,
        0x55555555,
        0xAAAAAAAA,
    ],
    np.uint32,
)
"""32-bit patterns at the ends of the integer formats, around the rounding of CVT, and shift amounts."""


_POSITIVE_FP16 = (
    0,
    1,
    2,
    0x200,
    0x3FF,
    0x400,
    0x401,
    0x3800,
    0x3C00,
    0x3C01,
    0x3E00,
    0x5800,
    0x7BFF,
    0x7C00,
    0x7C01,
    0x7E00,
    0x7FFF,
)

FP16_CORNERS: Bits = np.array(
    [
        sign | bits | above << 16
        for bits in (*_POSITIVE_FP16, 0x7E00, 0x7FFF)
        for sign in (0, 1 << 15)
        for above in (0, 1)
    ],
    np.uint32,
)
"""fp16 patterns at which something changes, with and without something above them."""


class Operation(NamedTuple):
    """What an ALU is told: the fields of a word that say what to compute."""

    mnemonic: str
    dtype: DType
    out_dtype: DType
    saturate: bool
    relation: Relation = Relation.EQ

    @property
    def fields(self) -> dict[str, int]:
        """The fields by name."""
        return {name: int(value) for name, value in self._asdict().items() if name != "mnemonic"}


def operations(config: Config, column: int) -> list[Operation]:
    """Return every operation that a mesh column has."""
    unit = next(unit for unit in units(config) if unit.kind is UnitKind.VXM and alu_column(unit, config) == column)

    def all_words() -> Iterator[Operation]:
        mnemonics = [row.mnemonic for row in INSTRUCTIONS if row.built and row.kinds == (UnitKind.VXM,)]
        for mnemonic, dtype, out_dtype, saturate in product(mnemonics, DType, DType, (False, True)):
            for relation in Relation if mnemonic == "CMP" else (Relation.EQ,):
                yield Operation(mnemonic, dtype, out_dtype, saturate, relation)

    return [one for one in all_words() if illegality(config, unit, encode(one.mnemonic, **one.fields)) is None]


def corners_of(dtype: DType) -> Bits:
    """Return the patterns at which something changes, of a format."""
    return {DType.FP16: FP16_CORNERS, DType.FP32: FLOAT_CORNERS}.get(dtype, INTEGER_CORNERS)


def operand_bits(rng: np.random.Generator, mnemonic: str, dtype: DType, count: int) -> tuple[Bits, Bits]:
    """Return `count` pairs of operands: corners, numbers near one another, and any bits.

    Parameters
    ----------
    rng : numpy.random.Generator
    mnemonic : str
    dtype : DType
    count : int

    Returns
    -------
    a, b : ndarray of uint32, shape (count,)
    """
    corners = corners_of(dtype)
    a, b = rng.integers(0, 1 << 32, (2, count), dtype=np.uint32)
    kind = rng.integers(0, 8, count, dtype=np.uint32)
    a = np.where(kind < 3, rng.choice(corners, count), a)
    b = np.where((kind < 2) | (kind == 3), rng.choice(corners, count), b)
    if dtype == DType.FP32:
        a, b = _float_bits(rng, mnemonic, kind, a, b)
    elif mnemonic == "CVT":
        # Every size of number, not only great ones.
        a = np.where(kind >= 3, (a.view(np.int32) >> rng.integers(0, 32, count, np.int32)).view(np.uint32), a)
    elif mnemonic in ("ADD", "SUB", "MUL", "CMP"):
        b = np.where(kind == 4, a + rng.integers(-3, 4, count).astype(np.uint32), b)
    return a.astype(np.uint32), b.astype(np.uint32)


def _float_bits(rng: np.random.Generator, mnemonic: str, kind: Bits, a: Bits, b: Bits) -> tuple[Bits, Bits]:
    """Change the pairs of `kind` 4 and up: what an adder, a multiplier and a conversion find hard."""
    count = len(a)
    if mnemonic == "CVT":
        exponent = rng.integers(110, 165, count, dtype=np.uint32) << 23
        return np.where(kind >= 3, (a & 0x807FFFFF) | exponent, a), b
    if mnemonic == "MUL":
        # Exponents whose sum is near the smallest or the greatest; few significant bits, so that products are ties.
        total = rng.choice([0, 253], count) - rng.integers(-26, 27, count)
        exponent = np.clip(total + 127 - (a >> 23 & 0xFF).astype(np.int64), 0, 254).astype(np.uint32)
        b = np.where((kind == 4) | (kind == 5), (b & 0x807FFFFF) | exponent << 23, b)
        few = np.array(0xFFFFF800, np.uint32)
        return np.where(kind == 5, a & few, a), np.where(kind == 5, b & (few << 1), b)
    # An exponent nearby, and significands whose sum is a tie, or all but one.
    distance = rng.integers(0, 27, count, dtype=np.uint32)
    exponent = np.maximum(a >> 23 & 0xFF, distance) - distance
    near = (b & 0x807FFFFF) | exponent << 23
    below = (np.uint32(1) << distance) - 1
    tie = ((near & ~below) | (below + 1) >> 1 | rng.integers(0, 2, count, dtype=np.uint32)) & 0x7FFFFF
    b = np.where(kind == 4, near, np.where(kind >= 5, (near & 0xFF800000) | tie, b))
    return a, b


_HARD_EXPONENTS = np.array(
    [0, 0, 0, 1, 1, 2, 23, 24, 25, 104, 126, 127, 128, 150, 151, 157, 158, 230, 252, 253, 254, 254, 255], np.uint32
)


def hard_floats(rng: np.random.Generator, mnemonic: str, count: int) -> tuple[Bits, Bits]:
    """Return `count` pairs of fp32 operands: those of `operand_bits`, ends of the exponents, and any bits.

    The ends make subnormals, sums and products on either side of them, overflows, infinities and NaN payloads.
    """
    kind = rng.integers(0, 4, count)
    a, b = rng.integers(0, 1 << 32, (2, count), dtype=np.uint32)
    ends = (rng.choice(_HARD_EXPONENTS, (2, count)) << np.uint32(23)).astype(np.uint32)
    easy_a, easy_b = operand_bits(rng, mnemonic, DType.FP32, count)

    def mixed(easy: Bits, bits: Bits, end: Bits) -> Bits:
        return np.where(kind < 2, easy, np.where(kind == 2, (bits & np.uint32(0x807FFFFF)) | end, bits))

    return mixed(easy_a, a, ends[0]), mixed(easy_b, b, ends[1])
