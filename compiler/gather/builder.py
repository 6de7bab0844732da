"""A Gather as a macro-operation: indices that pass the slices of a table."""

import numpy as np

from arch.geometry import units
from arch.isa.mem_rows import gather_accesses
from arch.timing import timing
from compiler.gather.operation import Gather
from compiler.placement.layout import BURST_LIMIT
from compiler.placement.placed import Placed
from compiler.schedule.flow import Flow
from compiler.schedule.macro import Action, Macro
from compiler.schedule.transfer import Transfers
from compiler.vector.builder import PassTemplate


def gather_template(op: Gather, placed: Placed) -> PassTemplate:
    """Return the template of a Gather.

    All slices of the table read the same indices as these pass; a slice with several parts does one after another. The
    result goes to the other bank of the slice.
    """
    config, gathering = op.config, placed.gathering
    assert gathering is not None
    table = timing(config)
    latency = table["GATHER"]
    assert latency.d_skew is not None and latency.d_func is not None
    template = PassTemplate(Macro(op.name))
    macro = template.macro
    transfers = Transfers(config, macro)
    interval = gather_accesses(config)
    pause = table.mem_free["GATHER"] - interval
    step = np.arange(op.m)
    # An engine is free a little later than its bank.
    passing = step * interval + step // BURST_LIMIT * pause
    turn = int(passing[-1]) + interval + pause
    positions = [unit.position for unit in units(config)[: config.slices]]
    step_of = gathering.direction.step
    sink = max((positions[part.slice] for part in gathering.parts), key=lambda position: position * step_of)
    turns = 1 + max(part.turn for part in gathering.parts)
    indices = Flow(("gather", "map"), gathering.direction, 2)
    macro.flows.append(indices)
    for number in range(turns):
        for byte in range(2):
            # READs of single words would hold the engine as long; bursts at intervals do.
            transfers.read(
                indices,
                byte,
                gathering.slices[byte],
                gathering.addrs[byte],
                number * turn + passing,
                sink,
                interval,
            )
    layout = placed.outputs[0][0]
    ready = np.zeros((op.blocks, op.m), np.int64)
    for part in gathering.parts:
        unit = units(config)[part.slice]
        flow = Flow(("gather", unit.id), gathering.direction, 1)
        macro.flows.append(flow)
        issues = part.turn * turn + passing - abs(sink - unit.position) - latency.d_skew
        for first in range(0, op.m, BURST_LIMIT):
            fields = {
                "dir": int(gathering.direction),
                "map_dir": int(gathering.direction),
                "addr": part.addr,
                "count": min(BURST_LIMIT, op.m - first),
            }
            streams = {"stream": (flow, 0), "map": (indices, 0)}
            macro.actions.append(Action(unit, "GATHER", int(issues[first]), fields, streams, interval=interval))
        words = layout.slices[part.byte, part.block], layout.addrs[part.byte, part.block]
        (done,) = transfers.write(flow, 0, [words], issues + latency.d_func, unit.position, interval)
        ready[part.block] = np.maximum(ready[part.block], done)
    template.written = [(layout, np.arange(op.blocks * op.m), ready.reshape(-1))]
    macro.flows.sort(key=lambda flow: -flow.width)
    return template
