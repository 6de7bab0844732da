"""What a piece of hardware is made of."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

_FLIP_FLOP = re.compile(r"\$_(S?DFFE?|SDFFCE|ALDFFE?|DFFSRE?|FF)_|\$(s?dffe?|sdffce|aldffe?|adffe?|dffsre?|ff)$")
_LATCH = re.compile(r"\$_(DLATCH(SR)?|SR)_|\$(a?dlatch|dlatchsr|sr)$")
_NO_HARDWARE = re.compile(r"\$(scopeinfo|print|check|assert|assume|cover|anyconst)$")


@dataclass(frozen=True)
class Area:
    """Sizes that add up and multiply.

    Attributes
    ----------
    cells : int
        Generic gates: two-input gates, inverters and multiplexers of one bit. Neither flip-flops nor memories.
    flip_flops : int
        Bits of flip-flops, any kind of enable and reset included.
    memory_bits : int
        Bits of memories (SRAM banks, queues, register files), their read registers included.
    latches : int
        None is intended.
    """

    cells: int = 0
    flip_flops: int = 0
    memory_bits: int = 0
    latches: int = 0

    def __add__(self, other: "Area") -> "Area":
        return Area(
            self.cells + other.cells,
            self.flip_flops + other.flip_flops,
            self.memory_bits + other.memory_bits,
            self.latches + other.latches,
        )

    def __mul__(self, times: int) -> "Area":
        return Area(self.cells * times, self.flip_flops * times, self.memory_bits * times, self.latches * times)


def area_of_cells(counts: Iterable[tuple[str, int]]) -> Area:
    """Return the area of cells given as (Yosys cell type, number); memories are not among them.

    Raises
    ------
    ValueError
        When a type is a word-level cell, which has no size in gates.
    """
    cells = flip_flops = latches = 0
    for kind, count in counts:
        if _LATCH.match(kind):
            latches += count
        elif _FLIP_FLOP.match(kind):
            flip_flops += count
        elif _NO_HARDWARE.match(kind):
            continue
        elif kind.startswith("$_"):
            cells += count
        else:
            raise ValueError(f"cell type must be a generic gate, not {kind!r}")
    return Area(cells=cells, flip_flops=flip_flops, latches=latches)
