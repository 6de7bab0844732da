"""Random programs for one hemisphere's SXM."""

import random

from arch.config import Config
from arch.geometry import Hemisphere, UnitKind, units
from arch.isa.encoding import encode
from arch.timing import timing

__all__ = ["random_program", "sxm_queues"]


def sxm_queues(config: Config, hemisphere: Hemisphere) -> dict[UnitKind, list[int]]:
    """Return the queue numbers of a hemisphere's SXM by kind."""
    found: dict[UnitKind, list[int]] = {}
    for unit in units(config):
        if unit.hemisphere is hemisphere and unit.kind.value.startswith("SXM"):
            found.setdefault(unit.kind, []).append(unit.id)
    return found


def random_program(
    config: Config, queues: dict[UnitKind, list[int]], rng: random.Random, words: int
) -> dict[int, list[tuple[int, int]]]:
    """Words in every queue that has instructions, dense in time, without two drivers of one stream and cycle."""
    taken: set[tuple[int, int, int]] = set()
    program = {}
    for kind, makers in ((UnitKind.SXM_SHIFT, (_shift, _select)), (UnitKind.SXM_TRANSPOSE, (_transpose,))):
        for queue in queues[kind]:
            timeline = []
            cycle = 0
            for _ in range(words):
                cycle += rng.choice((1, 1, 1, 2, 3, 3 * config.superlanes + 6))
                mnemonic, fields, size = rng.choice(makers)(config, rng)
                due = cycle + (timing(config)[mnemonic].d_func or 0)
                drives = {(due, fields["dst_dir"], fields["dst"] + j) for j in range(size)}
                if drives & taken:
                    continue
                taken |= drives
                timeline.append((cycle, encode(mnemonic, **fields)))
            program[queue] = timeline
    return program


def _amount(config: Config, rng: random.Random) -> int:
    length = config.vector_length
    return rng.choice((0, 1, config.lanes, length - 1, length, rng.randint(0, length)))


def _shift(config: Config, rng: random.Random) -> tuple[str, dict[str, int], int]:
    fields = {name: rng.randrange(2) for name in ("src_dir", "dst_dir", "down")}
    fields |= {name: rng.randrange(config.streams) for name in ("src", "dst")}
    return "SHIFT", fields | {"amount": _amount(config, rng)}, 1


def _select(config: Config, rng: random.Random) -> tuple[str, dict[str, int], int]:
    fields = {name: rng.randrange(2) for name in ("src_dir", "dst_dir", "low_dir")}
    fields |= {name: rng.randrange(config.streams) for name in ("src", "dst", "low")}
    return "SELECT", fields | {"amount": _amount(config, rng)}, 1


def _transpose(config: Config, rng: random.Random) -> tuple[str, dict[str, int], int]:
    fields = {name: rng.randrange(2) for name in ("src_dir", "dst_dir")}
    fields |= {name: rng.randrange(config.streams // config.lanes) * config.lanes for name in ("src", "dst")}
    return "TRANSPOSE", fields, config.lanes
