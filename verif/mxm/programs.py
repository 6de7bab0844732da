"""Programs for one plane: random legal ones, and ways to break them."""

import random
from dataclasses import dataclass

from arch.config import Config
from arch.geometry import Hemisphere, UnitKind, units
from arch.isa.encoding import decode, encode
from arch.timing import timing

__all__ = ["PlaneQueues", "Program", "broken", "collect", "plane_queues", "preamble", "random_program"]

Program = dict[int, list[tuple[int, int]]]


@dataclass(frozen=True)
class PlaneQueues:
    """Queue numbers of one plane."""

    weights: int
    activations: int
    results: int


def plane_queues(config: Config, hemisphere: Hemisphere, plane: int) -> PlaneQueues:
    """Return the queues of plane `plane` of a hemisphere."""
    kinds = (UnitKind.MXM_WEIGHTS, UnitKind.MXM_ACTIVATIONS, UnitKind.MXM_RESULTS)
    found = {unit.kind: unit.id for unit in units(config) if unit.hemisphere is hemisphere and unit.index == plane}
    return PlaneQueues(*(found[kind] for kind in kinds))


def preamble(config: Config, queues: PlaneQueues) -> Program:
    """Load and install all weights and overwrite every stored sum, whatever they were."""
    after = timing(config).acc_after_abc
    install = config.superlanes
    depth = config.acc_depth
    return {
        queues.weights: [(0 + 1, encode("LW", stream=0, count=config.superlanes))],
        queues.activations: [(install + 1, encode("ABC", stream=1, count=depth, interval=1, install=1))],
        queues.results: [(install + 1 + after, encode("ACC", count=depth, interval=1, stride=1))],
    }


def random_program(config: Config, queues: PlaneQueues, rng: random.Random, bursts: int) -> Program:
    """Bursts of activations with loads between, every result taken by bursts that are cut differently."""
    loads: list[tuple[int, int]] = []
    busy: set[int] = set()
    cycle = rng.randrange(1, 4)
    horizon = bursts * 8
    while cycle < horizon:
        count = rng.randint(1, config.superlanes)
        stream = rng.randrange(config.streams // config.lanes) * config.lanes
        loads.append((cycle, encode("LW", stream=stream, count=count)))
        busy.update(range(cycle + 1, cycle + count))
        cycle += count + rng.choice((0, 0, 1, 5, 13))
    activations, elements = [], []
    cycle = rng.randrange(1, 4)
    for _ in range(bursts):
        count, interval = rng.choice((1, 1, 2, 5, 11)), rng.choice((1, 1, 1, 2, 5))
        install = cycle not in busy and rng.random() < 0.6
        stream = rng.randrange(config.streams)
        word = encode("ABC", stream=stream, count=count, interval=interval, install=install)
        activations.append((cycle, word))
        burst = [cycle + k * interval for k in range(count)]
        elements += burst
        cycle = burst[-1] + rng.choice((1, 1, 1, 2, 7))
    due = [(cycle + timing(config).acc_after_abc, False) for cycle in elements]
    return {
        queues.weights: loads,
        queues.activations: activations,
        queues.results: collect(config, due, rng, range(config.streams // 4)),
    }


def collect(config: Config, due: list[tuple[int, bool]], rng: random.Random, groups: range) -> list[tuple[int, int]]:
    """Return ACCs for elements that are due in given cycles, in order, each with whether it is of fp32.

    They put sums on some of the groups of 4 streams.
    """
    words = []
    while due:
        start, is_float = due[0]
        count, interval = 1, rng.randint(1 + is_float, 4)
        if len(due) > 1 and due[1][1] == is_float:
            interval = due[1][0] - start
        while count < len(due) and due[count] == (start + count * interval, is_float) and rng.random() < 0.9:
            count += 1
        word = encode(
            "ACC",
            addr=rng.randrange(config.acc_depth),
            stride=rng.choice((0, 0, 1, 1, -1, 3, -1024, 1023)),
            count=count,
            interval=interval,
            add=rng.random() < 0.7,
            emit=rng.random() < 0.7,
            stream=rng.choice(groups) * 4,
            float=is_float,
        )
        words.append((start, word))
        due = due[count:]
    return words


def broken(program: Program, rng: random.Random) -> Program:
    """Return a copy with one word dropped, moved, given another count, or put where its engine runs."""
    copy = {queue: dict(words) for queue, words in program.items()}
    queue = rng.choice([queue for queue, words in copy.items() if words])
    cycle, word = rng.choice(sorted(copy[queue].items()))
    del copy[queue][cycle]
    action = rng.choice(("drop", "move", "count", "again"))
    if action == "move":
        copy[queue].setdefault(max(1, cycle + rng.choice((-2, -1, 1, 2))), word)
    elif action == "count":
        row, fields = decode(word)
        fields["count"] = max(1, fields["count"] + rng.choice((-1, 1)))
        if row.mnemonic != "LW":
            word = encode(row.mnemonic, **fields)
        copy[queue][cycle] = word
    elif action == "again":
        copy[queue][cycle] = word
        copy[queue].setdefault(cycle + rng.randint(1, 3), word)
    return {queue: sorted(words.items()) for queue, words in copy.items()}
