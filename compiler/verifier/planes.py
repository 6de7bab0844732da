"""OPERAND_MISSED in the MXM: installs during loads, results without takers, takers without results."""

from collections.abc import Iterator, Mapping

import numpy as np

from arch.config import Config
from arch.faults import Fault, FaultKind
from arch.formats import DType
from arch.geometry import UnitKind, units
from arch.timing import timing
from compiler.verifier.queue_walk import Cycles, Issued


def plane_faults(config: Config, issued: Mapping[int, list[Issued]]) -> Iterator[Fault]:
    """Yield the first faults of every plane; `issued` is by queue number."""
    numbers = {(unit.kind, unit.hemisphere, unit.index): unit.id for unit in units(config)}
    for (kind, hemisphere, index), weights in numbers.items():
        if kind is UnitKind.MXM_WEIGHTS:
            activations = numbers[UnitKind.MXM_ACTIVATIONS, hemisphere, index]
            results = numbers[UnitKind.MXM_RESULTS, hemisphere, index]
            feeds, takes = issued.get(activations, []), issued.get(results, [])
            halves = [item for item in feeds if item.fields["dtype"] == DType.FP16]
            others = [item for item in feeds if item.fields["dtype"] != DType.FP16]
            yield from _installs(config, issued.get(weights, []), feeds, activations)
            second = numbers.get((kind, hemisphere, index + 1))
            if second is not None:
                yield from _installs(config, issued.get(second, []), halves, activations)
            after_int8, after_fp16 = timing(config).acc_after_abc, timing(config).acc_after_fp16_abc
            yield from _results(
                config, others, [item for item in takes if not item.fields["float"]], results, after_int8
            )
            yield from _results(config, halves, [item for item in takes if item.fields["float"]], results, after_fp16)


def _installs(config: Config, loads: list[Issued], feeds: list[Issued], queue: int) -> Iterator[Fault]:
    """An install at t meets a load that issued at v < t and has steps left: t < v + count."""
    skew = timing(config)["ABC"].d_skew
    assert skew is not None
    installs = _joined([item.cycles for item in feeds if item.fields["install"]])
    starts = _joined([item.cycles for item in loads])
    counts = np.repeat([item.count for item in loads], [len(item.cycles) for item in loads]).astype(np.int64)
    before = np.searchsorted(starts, installs) - 1
    running = (before >= 0) & (installs < (starts + counts)[before]) if len(starts) else np.zeros(len(installs), bool)
    early = installs[running]
    if len(early):
        yield Fault(int(early[0]) + skew, queue, FaultKind.OPERAND_MISSED, "install during a load of weights")


def _results(
    config: Config, feeds: list[Issued], takes: list[Issued], queue: int, take_after_feed: int
) -> Iterator[Fault]:
    skew = timing(config)["ACC"].d_skew
    assert skew is not None
    arriving = _joined([item.elements for item in feeds]) + take_after_feed + skew
    taken = _joined([item.elements for item in takes]) + skew
    for missing, detail in (
        (taken[~np.isin(taken, arriving)], "no result arrives"),
        (arriving[~np.isin(arriving, taken)], "no ACC takes the result"),
    ):
        if len(missing):
            yield Fault(int(missing.min()), queue, FaultKind.OPERAND_MISSED, detail)


def _joined(parts: list[Cycles]) -> Cycles:
    return np.concatenate([np.zeros(0, np.int64), *parts])
