"""The parameters of one machine."""

import dataclasses
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

from arch.ecc import check_masks
from arch.errors import TaktError, shown

HEMISPHERES = 2
"""West and east of the VXM. Not a parameter: the machine class has two."""


def _is_power_of_two(value: int) -> bool:
    return value > 0 and value & (value - 1) == 0


@dataclass(frozen=True, kw_only=True)
class Config:
    """Every parameter of a machine, checked on construction.

    Attributes
    ----------
    name : str
        Preset the parameters started from; not part of the fingerprint.
    lanes : int
        Byte lanes per superlane (4, 8 or 16): also the edge of an MXM supercell and the streams of a weight load.
    superlanes : int
        Tiles per slice, 1 to 20. A vector has ``lanes * superlanes`` elements.
    streams : int
        Streams per direction: a multiple of 4 and of `lanes`, at most 32.
    mem_slices : int
        MEM slices per hemisphere.
    mem_depth : int
        Words (of `lanes` bytes per tile) per bank; a slice has two banks. A power of two, 16 to 8192.
    sram_latency : int
        Cycles from an SRAM access to its data, 1 or 2.
    slices_per_hop : int
        MEM slices that share one stream register position.
    planes : int
        MXM planes in both hemispheres together, 2 or 4.
    acc_depth : int
        Result vectors (int32) that a plane's accumulator memory holds. A power of two, 4 to 4096.
    alu_rows, alu_cols : int
        The VXM's ALU mesh per lane. Columns form a ring and must be 2 or 4; rows 1 to 4.
    queue_depth : int
        Instruction words per queue. A power of two, 16 to 4096.
    links : int
        Chip-to-chip ports, even, 0 to 16; half of them at either edge.
    ecc : bool
        SECDED on SRAM and streams, see `arch.ecc`.
    clock_hz : float
        Nominal clock, for rates in reports only.
    checks : bool
        Shadow bits that find reads of unwritten streams. They change no result and no cycle, so they are
        not part of the fingerprint.
    """

    name: str = "custom"
    lanes: int
    superlanes: int
    streams: int
    mem_slices: int
    mem_depth: int
    sram_latency: int = 1
    slices_per_hop: int
    planes: int = 4
    acc_depth: int
    alu_rows: int = 4
    alu_cols: int = 4
    queue_depth: int
    links: int
    ecc: bool = False
    clock_hz: float = 900e6
    checks: bool = True

    def __post_init__(self) -> None:
        self._check_types()
        self._check("lanes", self.lanes in (4, 8, 16), "4, 8 or 16")
        self._check("superlanes", 1 <= self.superlanes <= 20, "1 to 20")
        self._check(
            "streams",
            4 <= self.streams <= 32 and self.streams % 4 == 0 and self.streams % self.lanes == 0,
            f"at most 32 and a multiple of 4 and of lanes ({self.lanes})",
        )
        self._check("slices_per_hop", 1 <= self.slices_per_hop <= 44, "1 to 44")
        self._check(
            "mem_slices",
            4 <= self.mem_slices <= 44 and self.mem_slices % self.slices_per_hop == 0,
            f"4 to 44 and a multiple of slices_per_hop ({self.slices_per_hop})",
        )
        self._check("mem_slices", self.mem_slices >= self.lanes, f"at least lanes ({self.lanes})")
        self._check(
            "mem_depth",
            16 <= self.mem_depth <= 8192 and _is_power_of_two(self.mem_depth),
            "a power of two from 16 to 8192",
        )
        self._check("sram_latency", self.sram_latency in (1, 2), "1 or 2")
        self._check("planes", self.planes in (2, 4), "2 or 4")
        self._check(
            "acc_depth",
            4 <= self.acc_depth <= 4096 and _is_power_of_two(self.acc_depth),
            "a power of two from 4 to 4096",
        )
        self._check("alu_rows", 1 <= self.alu_rows <= 4, "1 to 4")
        self._check("alu_cols", self.alu_cols in (2, 4), "2 or 4")
        self._check(
            "queue_depth",
            16 <= self.queue_depth <= 4096 and _is_power_of_two(self.queue_depth),
            "a power of two from 16 to 4096",
        )
        self._check("links", 0 <= self.links <= 16 and self.links % 2 == 0, "even, 0 to 16")
        self._check("clock_hz", 1e3 <= self.clock_hz <= 1e11, "1e3 to 1e11")

    def _check(self, parameter: str, legal: bool, expected: str) -> None:
        if not legal:
            raise TaktError(f"{parameter} must be {expected}, not {shown(getattr(self, parameter))}")

    def _check_types(self) -> None:
        for field in dataclasses.fields(self):
            value, kind = getattr(self, field.name), cast(type, field.type)
            # A bool is an int to Python, and any int is a good frequency.
            good = type(value) is kind or (kind is float and type(value) is int)
            self._check(field.name, good, f"of type {kind.__name__}")

    @cached_property
    def vector_length(self) -> int:
        """Elements of a vector: lanes of all superlanes."""
        return self.lanes * self.superlanes

    @cached_property
    def ecc_bits(self) -> int:
        """Check bits of a superlane's stream or MEM word: a Hamming code and a parity bit; 0 without `ecc`."""
        return len(check_masks(8 * self.lanes)) + 1 if self.ecc else 0

    @cached_property
    def stream_bits(self) -> int:
        """Bits of one stream, or of one MEM word, in one superlane: `lanes` bytes, and the check bits above them."""
        return 8 * self.lanes + self.ecc_bits

    @cached_property
    def slices(self) -> int:
        """MEM slices of both hemispheres."""
        return HEMISPHERES * self.mem_slices

    @cached_property
    def mem_hops(self) -> int:
        """Stream register positions that the MEM slices of one hemisphere occupy."""
        return self.mem_slices // self.slices_per_hop

    @cached_property
    def planes_per_hemisphere(self) -> int:
        """MXM planes in one hemisphere."""
        return self.planes // HEMISPHERES

    @cached_property
    def alus(self) -> int:
        """VXM ALUs per lane."""
        return self.alu_rows * self.alu_cols

    @cached_property
    def mem_bytes(self) -> int:
        """SRAM of the whole chip in bytes."""
        return self.slices * 2 * self.mem_depth * self.vector_length

    def check_fits(self, what: str, needed: int) -> None:
        """Raise TaktError, saying how much is lacking, if `needed` bytes are more than MEM."""
        if needed > self.mem_bytes:
            raise TaktError(
                f"{what} must fit the MEM of {self.name}, {self.mem_bytes} bytes, "
                f"not need {shown(needed)} ({shown(needed - self.mem_bytes)} too many)"
            )

    @cached_property
    def macs_per_cycle(self) -> int:
        """INT8 multiply-accumulates per cycle of all planes."""
        return self.planes * self.vector_length**2

    @cached_property
    def fingerprint(self) -> int:
        """64-bit digest of every parameter that a program's bits or cycles can depend on."""
        relevant = {
            field.name: getattr(self, field.name)
            for field in dataclasses.fields(self)
            if field.name not in ("name", "clock_hz", "checks")
        }
        text = "takt-1;" + ";".join(f"{key}={value}" for key, value in sorted(relevant.items()))
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little")

    def replace(self, **changes: Any) -> "Config":
        """Return a copy with some parameters changed, checked again."""
        return dataclasses.replace(self, **changes)

    def as_dict(self) -> dict[str, Any]:
        """Return the parameters as plain values, for JSON."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Config":
        """Rebuild a configuration from `as_dict`.

        Raises
        ------
        TaktError
            When a parameter is unknown, missing or illegal.
        """
        fields = {field.name: field for field in dataclasses.fields(cls)}
        for parameter in values.keys() - fields.keys():
            raise TaktError(f"parameters must be those of this version, not {shown(parameter)}")
        for parameter, field in fields.items():
            if field.default is dataclasses.MISSING and parameter not in values:
                raise TaktError(f"parameters must include {parameter!r}")
        return cls(**values)
