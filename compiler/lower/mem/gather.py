"""A Gather as a macro-operation: indices that pass the slices of a table."""

from itertools import accumulate

import numpy as np

from arch.geometry import units
from arch.isa.mem_rows import gather_accesses
from arch.timing import timing
from compiler.ir.gather import Gather
from compiler.lower.mem.share import passing, turn_cycles
from compiler.lower.storage import OperationStorage
from compiler.memory.copies import Template
from compiler.schedule.flow import Flow
from compiler.schedule.macro import Action, Macro
from compiler.schedule.sweeps import BURST_LIMIT
from compiler.schedule.transfer import Transfers


def gather_template(op: Gather, placed: OperationStorage) -> Template:
    """Return the template of a Gather.

    The slices of the table read indices as these pass: those of a way the same ones, those of another way others, in
    other cycles. A slice with several parts does one after another. The result goes to the other bank of the slice.
    """
    config, gathering = op.config, placed.gathering
    assert gathering is not None
    latency = timing(config)["GATHER"]
    assert latency.d_skew is not None and latency.d_func is not None
    template = Template(Macro(op.name))
    macro = template.macro
    transfers = Transfers(config, macro)
    interval = gather_accesses(config)
    starts = list(accumulate((turn_cycles(config, turn) for turn in gathering.turns), initial=0))
    times = [
        [start + way + passing(config, len(rows)) for way, rows in enumerate(turn.ways)]
        for turn, start in zip(gathering.turns, starts, strict=False)
    ]
    positions = [unit.position for unit in units(config)[: config.slices]]
    step_of = gathering.direction.step
    sink = max((positions[part.slice] for part in gathering.parts), key=lambda position: position * step_of)
    indices = Flow(("gather", "map"), gathering.direction, 2)
    macro.flows.append(indices)
    for number, (slices, addrs) in enumerate(gathering.words):
        for byte in range(2):
            # READs of single words would hold the engine as long; bursts at intervals do.
            cycles = np.sort(np.concatenate(times[number]))
            transfers.read(indices, byte, slices[byte], addrs[byte], cycles, sink, interval)
    copy = placed.outputs[0][0]
    ready = np.zeros((op.target.itemsize, op.blocks * op.m), np.int64)
    flows: dict[int, Flow] = {}
    for part in gathering.parts:
        unit = units(config)[part.slice]
        flow = flows.setdefault(part.slice, Flow(("gather", unit.id), gathering.direction, 1))
        rows = gathering.turns[part.turn].ways[part.way]
        issues = times[part.turn][part.way] - abs(sink - unit.position) - latency.d_skew
        for burst in range(0, len(rows), BURST_LIMIT):
            fields = {
                "dir": int(gathering.direction),
                "map_dir": int(gathering.direction),
                "addr": part.addr,
                "count": min(BURST_LIMIT, len(rows) - burst),
            }
            streams = {"stream": (flow, 0), "map": (indices, 0)}
            macro.actions.append(Action(unit, "GATHER", int(issues[burst]), fields, streams, interval=interval))
        vectors = part.block * op.m + rows
        words = copy.slices[part.byte, vectors], copy.addrs[part.byte, vectors]
        (done,) = transfers.write(flow, 0, [words], issues + latency.d_func, unit.position, interval)
        ready[part.byte, vectors] = done
    template.writes(copy, op.target, np.arange(op.blocks * op.m), ready)
    macro.flows += flows.values()
    macro.flows.sort(key=lambda flow: -flow.width)
    return template
