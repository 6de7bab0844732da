"""Random programs for one hemisphere's SXM."""

import random
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from arch.config import Config
from arch.geometry import Hemisphere, Unit, UnitKind, units
from arch.isa.codes import MAP_REGISTERS
from arch.isa.encoding import decode, encode
from arch.isa.footprint import footprint
from arch.timing import timing

__all__ = ["lane_maps", "random_program", "sxm_queues"]

Timelines = dict[int, list[tuple[int, int]]]


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
    """Words in every queue, dense in time, without two drivers of one stream and cycle."""
    taken: set[tuple[int, int, int]] = set()
    program = {}
    for kind, numbers in queues.items():
        for queue in numbers:
            timeline = []
            cycle = 0
            for _ in range(words):
                cycle += rng.choice((1, 1, 1, 2, 3, 3 * config.superlanes + 6))
                word = rng.choice(_MAKERS[kind])(config, rng)
                drives = _drives(config, units(config)[queue], cycle, word)
                if drives & taken:
                    continue
                taken |= drives
                timeline.append((cycle, word))
            program[queue] = timeline
    return program


def lane_maps(config: Config, program: Timelines) -> Callable[[npt.NDArray[np.uint8], np.random.Generator], None]:
    """Return what puts lane maps, mostly of lanes that exist, where a program reads them (see `PositionBench.run`)."""

    def alter(arriving: npt.NDArray[np.uint8], rng: np.random.Generator) -> None:
        for queue, timeline in program.items():
            whole = units(config)[queue].kind is UnitKind.SXM_PERMUTE
            limit = config.vector_length if whole else config.lanes
            for issue, word in timeline:
                row, fields = decode(word)
                if not (row.mnemonic == "LOADMAP" or fields.get("streamed")):
                    continue
                numbers = rng.integers(0, limit + (rng.random() < 0.5), config.vector_length)
                wrong = rng.random(len(numbers)) < 0.05
                numbers[wrong] = rng.integers(0, 65536, int(wrong.sum()))
                cycle = issue + (timing(config)[row.mnemonic].d_skew or 0)
                for place in range(1 + whole):
                    arriving[cycle, fields["map_dir"], fields["map"] + place] = numbers >> 8 * place & 255

    return alter


def _drives(config: Config, unit: Unit, issue: int, word: int) -> set[tuple[int, int, int]]:
    """Return cycle, direction and stream of all that a word drives."""
    row, fields = decode(word)
    due = issue + (timing(config)[row.mnemonic].d_func or 0)
    groups = footprint(config, unit, row.mnemonic, fields).drives
    return {(due, group.direction, group.first + index) for group in groups for index in range(group.size)}


def _amount(config: Config, rng: random.Random) -> int:
    length = config.vector_length
    return rng.choice((0, 1, config.lanes, length - 1, length, rng.randint(0, length)))


def _shift(config: Config, rng: random.Random) -> int:
    fields = {name: rng.randrange(2) for name in ("src_dir", "dst_dir", "down")}
    fields |= {name: rng.randrange(config.streams) for name in ("src", "dst")}
    return encode("SHIFT", amount=_amount(config, rng), **fields)


def _select(config: Config, rng: random.Random) -> int:
    fields = {name: rng.randrange(2) for name in ("src_dir", "dst_dir", "low_dir")}
    fields |= {name: rng.randrange(config.streams) for name in ("src", "dst", "low")}
    return encode("SELECT", amount=_amount(config, rng), **fields)


def _transpose(config: Config, rng: random.Random) -> int:
    fields = {name: rng.randrange(2) for name in ("src_dir", "dst_dir")}
    fields |= {name: rng.randrange(config.streams // config.lanes) * config.lanes for name in ("src", "dst")}
    return encode("TRANSPOSE", **fields)


def _rotate(config: Config, rng: random.Random) -> int:
    fields = {name: rng.randrange(2) for name in ("src_dir", "dst_dir")}
    fields |= {"src": rng.randrange(config.streams), "size": rng.choice((2, 3, 4))}
    if fields["size"] ** 2 > config.lanes:
        fields["size"] = 2
    return encode("ROTATE", dst=rng.randrange(config.streams // config.lanes) * config.lanes, **fields)


def _mapped(mnemonic: str) -> Callable[[Config, random.Random], int]:
    def make(config: Config, rng: random.Random) -> int:
        fields = {name: rng.randrange(2) for name in ("src_dir", "dst_dir", "map_dir", "streamed")}
        fields |= {name: rng.randrange(config.streams) for name in ("src", "dst")}
        size = 2 if mnemonic == "PERMUTE" else 1
        fields["map"] = rng.randrange(config.streams // size) * size
        return encode(mnemonic, register=rng.randrange(MAP_REGISTERS), **fields)

    return make


def _load(size: int) -> Callable[[Config, random.Random], int]:
    def make(config: Config, rng: random.Random) -> int:
        first = rng.randrange(config.streams // size) * size
        return encode("LOADMAP", map_dir=rng.randrange(2), map=first, register=rng.randrange(MAP_REGISTERS))

    return make


_MAKERS = {
    UnitKind.SXM_SHIFT: (_shift, _select),
    UnitKind.SXM_PERMUTE: (_mapped("PERMUTE"), _mapped("PERMUTE"), _load(2)),
    UnitKind.SXM_DISTRIBUTE: (_mapped("DISTRIBUTE"), _mapped("DISTRIBUTE"), _load(1)),
    UnitKind.SXM_ROTATE: (_rotate,),
    UnitKind.SXM_TRANSPOSE: (_transpose,),
}
