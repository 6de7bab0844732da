"""BUSY: one burst at a time in every engine."""

from collections.abc import Iterator

import numpy as np

from arch.faults import Fault, FaultKind
from arch.geometry import UnitKind
from compiler.verifier.queue_walk import Issued

_BURST_KINDS = (UnitKind.MEM, UnitKind.MXM_WEIGHTS, UnitKind.MXM_ACTIVATIONS, UnitKind.MXM_RESULTS)


def engine_faults(issued: list[Issued]) -> Iterator[Fault]:
    """Yield the first BUSY of each engine of one unit; READ and WRITE have an engine each."""
    if not issued or issued[0].unit.kind not in _BURST_KINDS:
        return
    for mnemonic in {item.mnemonic for item in issued}:
        mine = [item for item in issued if item.mnemonic == mnemonic]
        starts = np.concatenate([item.cycles for item in mine])
        spans = np.repeat([(item.count - 1) * item.interval + 1 for item in mine], [len(item.cycles) for item in mine])
        busy = np.flatnonzero(starts[1:] < (starts + spans)[:-1])
        if len(busy):
            first = int(busy[0])
            detail = f"{mnemonic} engine is free from cycle {int(starts[first] + spans[first])} on"
            yield Fault(int(starts[first + 1]), mine[0].unit.id, FaultKind.BUSY, detail)
