"""BANK_CONFLICT: a slice reads and writes one bank in the same cycle."""

from collections.abc import Iterator

import numpy as np

from arch.config import Config
from arch.faults import Fault, FaultKind
from arch.geometry import UnitKind
from arch.isa.mem_rows import gather_accesses, scatter_accesses
from arch.timing import timing
from compiler.verifier.queue_walk import Cycles, Issued


def bank_faults(config: Config, issued: list[Issued]) -> Iterator[Fault]:
    """Yield the first BANK_CONFLICT of one unit, if it is a MEM slice and has one."""
    if not issued or issued[0].unit.kind is not UnitKind.MEM:
        return
    reads = _accesses(config, issued, "READ", "GATHER")
    writes = _accesses(config, issued, "WRITE", "SCATTER")
    shared = reads[np.isin(reads, writes)]
    if len(shared):
        first = int(shared.min())
        detail = f"bank {first % 2} is read and written"
        yield Fault(first // 2, issued[0].unit.id, FaultKind.BANK_CONFLICT, detail)


def _accesses(config: Config, issued: list[Issued], plain: str, indexed: str) -> Cycles:
    """Return ``2 * cycle + bank`` of every access of one engine."""
    indices = timing(config)[indexed].d_skew
    each = gather_accesses(config) if indexed == "GATHER" else scatter_accesses(config)
    assert indices is not None
    cycles, addrs = word_accesses(config, issued, plain, indexed)
    found = [2 * cycles + addrs // config.mem_depth]
    for item in issued:
        if item.mnemonic == indexed:
            those = (item.elements[:, None] + indices + 1 + np.arange(each)).reshape(-1)
            found.append(2 * those + item.fields["addr"] // config.mem_depth)
    return np.concatenate(found)


def word_accesses(config: Config, issued: list[Issued], plain: str, indexed: str) -> tuple[Cycles, Cycles]:
    """Return cycles and addresses of the accesses of one engine of a slice, by READ or WRITE alone.

    Parameters
    ----------
    config : Config
    issued : list of Issued
        All of the slice.
    plain, indexed : str
        The engine's instructions: READ and GATHER, or WRITE and SCATTER.
    """
    table = timing(config)
    latency = table.mem_access if plain == "READ" else table["WRITE"].d_skew
    assert latency is not None
    size = 2 * config.mem_depth
    times, places = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    kept = 0
    for item in issued:
        if item.mnemonic == indexed:
            kept = item.fields["addr"]
        if item.mnemonic != plain:
            continue
        stride = item.fields["stride"]
        burst = item.count * stride
        first = kept if item.fields["cont"] else item.fields["addr"]
        advance = burst if item.fields["cont"] else 0
        starts = first + advance * np.arange(len(item.cycles))
        places.append((starts[:, None] + stride * np.arange(item.count)).reshape(-1) % size)
        times.append(item.elements + latency)
        kept = int(starts[-1] + burst) % size
    return np.concatenate(times), np.concatenate(places)
