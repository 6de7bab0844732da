"""OPERAND_MISSED in the VXM: a mesh operand whose ALU issued nothing at the right time."""

from collections.abc import Iterator, Mapping

import numpy as np

from arch.config import Config
from arch.faults import Fault, FaultKind
from arch.geometry import UnitKind, units
from arch.isa.codes import Source
from arch.timing import timing
from compiler.verifier.queue_walk import Issued


def mesh_faults(config: Config, issued: Mapping[int, list[Issued]]) -> Iterator[Fault]:
    """Yield the first fault of every word; `issued` is by queue number."""
    alus = [unit for unit in units(config) if unit.kind is UnitKind.VXM]
    active = {
        unit.index: np.concatenate([np.zeros(0, np.int64), *(item.cycles for item in issued.get(unit.id, []))])
        for unit in alus
    }
    for unit in alus:
        column = (unit.index % config.alu_cols - 1) % config.alu_cols
        for item in issued.get(unit.id, []):
            skew = timing(config)[item.mnemonic].d_skew
            assert skew is not None
            for operand in "abc" if item.mnemonic == "SEL" else "ab":
                if item.fields[f"{operand}_src"] != Source.MESH:
                    continue
                source = item.fields[f"{operand}_index"] * config.alu_cols + column
                missed = item.cycles[~np.isin(item.cycles - timing(config).chain, active[source])]
                if len(missed):
                    detail = f"{operand} needs a result of VXM_{source}"
                    yield Fault(int(missed[0]) + skew, unit.id, FaultKind.OPERAND_MISSED, detail)
