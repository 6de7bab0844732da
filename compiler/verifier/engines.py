"""BUSY: one burst at a time in every engine, and in the two arrays of a pair of planes."""

from collections.abc import Iterator, Mapping
from typing import Literal

import numpy as np
import numpy.typing as npt

from arch.config import Config
from arch.faults import Fault, FaultKind
from arch.formats import DType
from arch.geometry import UnitKind, units
from arch.timing import timing
from compiler.verifier.queue_walk import Cycles, Issued

_BURST_KINDS = (UnitKind.MEM, UnitKind.MXM_WEIGHTS, UnitKind.MXM_ACTIVATIONS, UnitKind.MXM_RESULTS)


_ENGINES = {"GATHER": "READ", "SCATTER": "WRITE"}
"""Mnemonics that use another one's engine."""


def engine_faults(config: Config, issued: list[Issued]) -> Iterator[Fault]:
    """Yield the first BUSY of each engine of one unit; reading and writing MEM have an engine each."""
    if not issued or issued[0].unit.kind not in _BURST_KINDS:
        return
    engines: dict[str, list[Issued]] = {}
    for item in issued:
        engines.setdefault(_ENGINES.get(item.mnemonic, item.mnemonic), []).append(item)
    for name, mine in engines.items():
        starts, ends = _bursts(config, mine)
        busy = np.flatnonzero(starts[1:] < ends[:-1])
        if len(busy):
            first = int(busy[0])
            detail = f"{name} engine is free from cycle {int(ends[first])} on"
            yield Fault(int(starts[first + 1]), mine[0].unit.id, FaultKind.BUSY, detail)


def pair_faults(config: Config, issued: Mapping[int, list[Issued]]) -> Iterator[Fault]:
    """Yield the first BUSY of every pair of planes whose arrays an fp16 ABC and another plane's ABC both want.

    `issued` is by queue number.
    """
    queues = [unit for unit in units(config) if unit.kind is UnitKind.MXM_ACTIVATIONS]
    for first in queues:
        for second in queues:
            if first.hemisphere is second.hemisphere and second.index == first.index + 1:
                halves = [item for item in issued.get(first.id, []) if item.fields["dtype"] == DType.FP16]
                fp16, int8 = _bursts(config, halves), _bursts(config, issued.get(second.id, []))
                for queue, cycles, detail in (
                    (second.id, int8[0][_within(int8[0], *fp16, "left")], "an fp16 ABC of the pair runs"),
                    (first.id, fp16[0][_within(fp16[0], *int8, "right")], "an ABC of the pair's other plane runs"),
                ):
                    if len(cycles):
                        yield Fault(int(cycles[0]), queue, FaultKind.BUSY, detail)


def _within(cycles: Cycles, starts: Cycles, ends: Cycles, side: Literal["left", "right"]) -> npt.NDArray[np.bool_]:
    """Return which `cycles` are in a burst; of its start only with `side` "right"."""
    if not len(starts):
        return np.zeros(len(cycles), np.bool_)
    before = np.searchsorted(starts, cycles, side) - 1
    inside: npt.NDArray[np.bool_] = (before >= 0) & (cycles < ends[before])
    return inside


def _bursts(config: Config, items: list[Issued]) -> tuple[Cycles, Cycles]:
    """Return in which cycle each burst issues, and from which one on its engine is free again."""
    repeats = [len(item.cycles) for item in items]
    lasts = [_last(config, item) for item in items]
    spans = [(item.count - 1) * item.interval + last for item, last in zip(items, lasts, strict=True)]
    starts = np.concatenate([np.zeros(0, np.int64), *(item.cycles for item in items)])
    return starts, starts + np.repeat(np.array(spans, np.int64), repeats)


def _last(config: Config, item: Issued) -> int:
    """Return the cycles for which a burst's last element occupies the engine."""
    if item.mnemonic == "ABC" and item.fields["dtype"] == DType.FP16:
        return 2
    return timing(config).mem_free.get(item.mnemonic, 1)
