"""Random programs of the VXM, legal in every cycle, and what they touch."""

import random
from collections import defaultdict
from dataclasses import dataclass, field

from arch.config import Config
from arch.formats import DType
from arch.geometry import Direction, Unit, UnitKind, units
from arch.isa.codes import Source
from arch.isa.encoding import decode, encode, illegality
from arch.isa.footprint import StreamGroup, footprint
from arch.isa.vxm_rows import alu_column
from arch.timing import timing
from verif.vxm.vectors import operations

__all__ = ["Program", "random_program", "vxm_units"]


def vxm_units(config: Config) -> list[Unit]:
    """Return the ALUs in queue order."""
    return [unit for unit in units(config) if unit.kind is UnitKind.VXM]


@dataclass(frozen=True)
class Program:
    """Words of all ALUs by cycle of issue.

    Attributes
    ----------
    config : Config
    issues : dict
        ``(cycle, alu)`` to word.
    cycles : int
        Until the last result is on its streams.
    limits : dict
        ``(cycle, alu)`` to the superlanes of a CONFIG.
    """

    config: Config
    issues: dict[tuple[int, int], int]
    cycles: int
    limits: dict[tuple[int, int], int] = field(default_factory=dict)

    def timeline(self, alu: int) -> list[tuple[int, int]]:
        """Return ``(cycle, word)`` pairs of one ALU."""
        limits = {place: encode("CONFIG", superlanes=superlanes) for place, superlanes in self.limits.items()}
        return sorted((cycle, word) for (cycle, number), word in (self.issues | limits).items() if number == alu)

    def superlanes(self, cycle: int, alu: int) -> int:
        """Return how many superlanes a word acts on that issues in `cycle`."""
        before = [(when, limit) for (when, number), limit in self.limits.items() if number == alu and when < cycle]
        return max(before)[1] if before else self.config.superlanes

    def touched(self, reads: bool, superlane: int = 0) -> dict[tuple[int, int], int]:
        """Return by cycle and ALU the mask of the streams that a superlane reads, or drives, then.

        Eastward streams are at the low bits.
        """
        masks: dict[tuple[int, int], int] = defaultdict(int)
        alus = vxm_units(self.config)
        for (cycle, alu), word in self.issues.items():
            if superlane >= self.superlanes(cycle, alu):
                continue
            row, fields = decode(word)
            latency = timing(self.config)[row.mnemonic]
            found = footprint(self.config, alus[alu], row.mnemonic, fields)
            delay = latency.d_skew if reads else latency.d_func
            for group in found.reads if reads else found.drives:
                masks[cycle + (delay or 0), alu] |= _mask(self.config, group)
        return masks


def _mask(config: Config, group: StreamGroup) -> int:
    return ((1 << group.size) - 1) << group.first + config.streams * (group.direction == Direction.WEST)


def random_program(config: Config, rng: random.Random, cycles: int, busy: float = 0.8) -> Program:
    """Return a program in which every ALU issues something in a share `busy` of `cycles`, and CONFIG in some others.

    Mesh operands are taken wherever there is a result to take; no two results meet on a stream. Reads of streams are
    not looked at: every stream must hold something in every cycle.
    """
    table = timing(config)
    issues: dict[tuple[int, int], int] = {}
    limits: dict[tuple[int, int], int] = {}
    driven: dict[int, int] = defaultdict(int)
    alus = vxm_units(config)
    abilities = [operations(config, column) for column in range(config.alu_cols)]
    for cycle in range(cycles):
        for alu, unit in enumerate(alus):
            if rng.random() >= busy:
                if rng.random() < 0.5:
                    limits[cycle, alu] = rng.randint(1, config.superlanes)
                continue
            operation = rng.choice(abilities[alu_column(unit, config)])
            fields = operation.fields
            for name, dtype in (("a", operation.dtype), ("b", operation.dtype), ("c", DType.INT8)):
                fields |= _operand(config, rng, issues, cycle - table.chain, alu, name, dtype)
            if operation.mnemonic != "SEL" and rng.random() < 0.5:
                # Others take no notice of c: neither of what is not there nor of a row that does not exist.
                fields |= {"c_src": rng.choice((Source.STREAM, Source.MESH)), "c_index": rng.randrange(32)}
            due = cycle + (table[operation.mnemonic].d_func or 0)
            fields |= _result(config, rng, driven, due, operation.out_dtype)
            word = encode(operation.mnemonic, **fields)
            assert illegality(config, unit, word) is None
            issues[cycle, alu] = word
    return Program(config, issues, cycles + (table["PASS"].d_func or 0) + 1, limits)


def _operand(
    config: Config,
    rng: random.Random,
    issues: dict[tuple[int, int], int],
    produced: int,
    alu: int,
    name: str,
    dtype: DType,
) -> dict[str, int]:
    """Fields of an operand; `produced` is the cycle in which a mesh operand must have issued."""
    column = (alu - 1) % config.alu_cols
    rows = [row for row in range(config.alu_rows) if (produced, row * config.alu_cols + column) in issues]
    sources = [Source.STREAM, Source.STREAM, Source.SELF, Source.ZERO, *[Source.MESH] * (3 if rows else 0)]
    source = rng.choice(sources)
    index = rng.randrange(32)
    if source == Source.STREAM:
        index = rng.randrange(0, config.streams, dtype.size)
    elif source == Source.MESH:
        index = rng.choice(rows)
    return {f"{name}_src": source, f"{name}_dir": rng.randrange(2), f"{name}_index": index}


def _result(config: Config, rng: random.Random, driven: dict[int, int], due: int, out_dtype: DType) -> dict[str, int]:
    """Fields of a result on streams that nobody else drives in cycle `due`, or of none."""
    direction = rng.randrange(2)
    first = rng.randrange(0, config.streams, out_dtype.size)
    mask = _mask(config, StreamGroup(Direction(direction), first, out_dtype.size))
    drive = rng.random() < 0.8 and not driven[due] & mask
    if drive:
        driven[due] |= mask
    return {"drive": drive, "dst_dir": direction, "dst": first if drive else rng.randrange(32)}
