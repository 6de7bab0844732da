"""Random programs of the MEM slices of one position."""

import random
from collections.abc import Sequence

from arch.config import Config
from arch.geometry import Unit, UnitKind, units
from arch.isa.encoding import encode
from arch.isa.mem_rows import gather_accesses, scatter_accesses
from arch.timing import timing

__all__ = ["bursts", "indexed_program", "mixed_bursts", "random_program", "slices_of_position"]

Timeline = list[tuple[int, int]]


def slices_of_position(config: Config, first: Unit) -> list[Unit]:
    """Return the slices that share a position with `first`."""
    return [unit for unit in units(config) if unit.kind is UnitKind.MEM and unit.position == first.position]


def bursts(
    config: Config,
    rng: random.Random,
    mnemonic: str,
    issues: Sequence[int],
    streams: Sequence[int],
    phase: int,
    spread: int,
) -> Timeline:
    """Return back-to-back bursts of one engine.

    Every burst issues as soon as its engine is free, at the earliest in its cycle of `issues`. With `phase` 2 the
    engine accesses its banks in every other cycle only. Addresses lie within `spread` of either end.
    """
    words: Timeline = []
    free = issues[0]
    for issue in issues:
        issue = max(issue, free)
        count, interval = rng.randint(1, 6), phase * rng.randint(1, 3)
        place = rng.randrange(-spread, spread) % (2 * config.mem_depth)
        fields = {"dir": rng.randrange(2), "stream": rng.choice(list(streams)), "addr": place, "count": count}
        word = encode(mnemonic, interval=interval, stride=rng.randint(-3, 3), cont=rng.random() < 0.3, **fields)
        words.append((issue, word))
        free = issue + (count - 1) * interval + phase
    return words


def random_program(config: Config, rng: random.Random, slices: Sequence[Unit], length: int) -> dict[int, Timeline]:
    """Return a legal program of both engines of every slice.

    Reads access their banks in even cycles and writes in odd ones, so that any addresses are legal; slices of one
    position drive streams of their own.
    """
    assert timing(config).mem_access == timing(config)["WRITE"].d_skew
    program: dict[int, Timeline] = {}
    for index, unit in enumerate(slices):
        mine = range(index, config.streams, len(slices))
        starts = sorted(2 * rng.randrange(length // 2) for _ in range(6))
        reads = bursts(config, rng, "READ", starts, mine, 2, 12)
        writes = bursts(config, rng, "WRITE", [start + 1 for start in starts], range(config.streams), 2, 12)
        program[unit.id] = sorted(reads + writes)
    return program


def mixed_bursts(
    config: Config, rng: random.Random, engine: Sequence[str], banks: Sequence[int], streams: Sequence[int], words: int
) -> Timeline:
    """Return bursts of one engine, of plain and indexed accesses, each as soon as the engine is free or a little later.

    `engine` names its two mnemonics. Bursts stay in the banks given, one of which is chosen for each; only with several
    do some of them continue from the one before.
    """
    accesses = {"GATHER": gather_accesses(config), "SCATTER": scatter_accesses(config)}
    timeline: Timeline = []
    free = rng.randrange(4)
    for _ in range(words):
        mnemonic = rng.choice(list(engine))
        issue = free + rng.choice((0, 0, 0, 1, 5))
        count, slack = rng.randint(1, 3), rng.choice((0, 0, 1, 4))
        interval = accesses.get(mnemonic, 1) + slack
        addr = rng.choice(list(banks)) * config.mem_depth + rng.randrange(config.mem_depth)
        fields = {"dir": rng.randrange(2), "stream": rng.choice(list(streams)), "addr": addr}
        if mnemonic in accesses:
            fields |= {"map_dir": rng.randrange(2), "map": 2 * rng.randrange(config.streams // 2)}
        else:
            fields |= {"cont": len(banks) > 1 and rng.random() < 0.2}
        timeline.append((issue, encode(mnemonic, count=count, interval=interval, **fields)))
        free = issue + (count - 1) * interval + timing(config).mem_free[mnemonic]
    return timeline


def indexed_program(config: Config, rng: random.Random, slices: Sequence[Unit]) -> dict[int, Timeline]:
    """Return a legal program in which every slice reads and gathers from one bank, writes and scatters to the other.

    Slices of one position drive streams of their own. Two words of one cycle cannot both issue: the later one of a pair
    that meets is left out.
    """
    program: dict[int, Timeline] = {}
    for index, unit in enumerate(slices):
        mine = range(index, config.streams, len(slices))
        bank = rng.randrange(2)
        reads = mixed_bursts(config, rng, ("READ", "GATHER"), (bank,), mine, 5)
        writes = mixed_bursts(config, rng, ("WRITE", "SCATTER"), (1 - bank,), range(config.streams), 5)
        program[unit.id] = sorted({**dict(reads), **dict(writes)}.items())
    return program
