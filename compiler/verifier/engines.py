"""BUSY: one burst at a time in every engine."""

from collections.abc import Iterator

import numpy as np

from arch.config import Config
from arch.faults import Fault, FaultKind
from arch.geometry import UnitKind
from arch.timing import timing
from compiler.verifier.queue_walk import Issued

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
    free_after = timing(config).mem_free
    for name, mine in engines.items():
        starts = np.concatenate([item.cycles for item in mine])
        spans = np.repeat(
            [(item.count - 1) * item.interval + free_after.get(item.mnemonic, 1) for item in mine],
            [len(item.cycles) for item in mine],
        )
        busy = np.flatnonzero(starts[1:] < (starts + spans)[:-1])
        if len(busy):
            first = int(busy[0])
            detail = f"{name} engine is free from cycle {int(starts[first] + spans[first])} on"
            yield Fault(int(starts[first + 1]), mine[0].unit.id, FaultKind.BUSY, detail)
