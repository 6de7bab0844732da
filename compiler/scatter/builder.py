"""A Scatter as a macro-operation: rows and indices that pass the slices of a state."""

import numpy as np

from arch.geometry import Direction, units
from arch.isa.mem_rows import scatter_accesses
from arch.timing import timing
from compiler.placement.layout import BURST_LIMIT, Cycles
from compiler.placement.placed import Placed
from compiler.scatter.operation import STATE_SIDE, Scatter
from compiler.schedule.flow import Flow
from compiler.schedule.macro import Action, Macro
from compiler.schedule.transfer import Transfers
from compiler.vector.builder import PassTemplate


def scatter_template(op: Scatter, placed: Placed) -> PassTemplate:
    """Return the template of a Scatter.

    Blocks of a row come one cycle after another, each with its indices; all copies of the state take them as they
    pass. A slice with several parts of the state takes one after another, from rows and indices that are read again.
    """
    config = op.config
    table = timing(config)
    skew = table["SCATTER"].d_skew
    assert skew is not None
    template = PassTemplate(Macro(op.name))
    macro = template.macro
    transfers = Transfers(config, macro)
    targets = placed.scattering
    places = [unit.position for unit in units(config)[: config.slices]]
    direction = Direction.EAST if STATE_SIDE else Direction.WEST
    sink = max((places[target.slice] for target in targets), key=lambda place: place * direction.step)
    pause = table.mem_free["SCATTER"] - scatter_accesses(config)
    step = np.arange(op.m)
    # An engine is free a little later than its bank.
    passing = step * op.pace + step // BURST_LIMIT * pause
    turn = int(passing[-1]) + op.pace + op.blocks + pause
    turns = 1 + max(target.turn for target in targets)
    cycles = (turn * np.arange(turns)[:, None, None] + passing[:, None] + np.arange(op.blocks)).reshape(-1)
    order = np.tile((op.m * np.arange(op.blocks) + step[:, None]).reshape(-1), turns)

    def read(name: str, number: int, width: int) -> Flow:
        flow = Flow(("scatter", name), direction, width)
        macro.flows.append(flow)
        slices, addrs, ready = placed.ports[number].words()
        for byte in range(width):
            words = slices[byte, order], addrs[byte, order]
            transfers.read(flow, byte, *words, cycles, sink)
            access = cycles - transfers.read_travel(words[0], sink)
            template.needs = max(template.needs, int((ready[order] - access).max()))
        return flow

    rows = read("rows", 0, op.state.itemsize)
    indices = read("indices", 1, 2)
    done: dict[int, Cycles] = {}
    first_access = int(cycles[-1])
    for target in targets:
        unit = units(config)[target.slice]
        issues = target.turn * turn + passing + target.block - abs(sink - unit.position) - skew
        for first in range(0, op.m, BURST_LIMIT):
            fields = {
                "dir": int(direction),
                "map_dir": int(direction),
                "addr": target.addr,
                "count": min(BURST_LIMIT, op.m - first),
            }
            streams = {"stream": (rows, target.byte), "map": (indices, 0)}
            macro.actions.append(Action(unit, "SCATTER", int(issues[first]), fields, streams, interval=op.pace))
        first_access = min(first_access, int(issues[0]) + skew + 1)
        ready = done.setdefault(id(target.layout), np.zeros(target.layout.ready.shape, np.int64))
        ready[target.block] = np.maximum(ready[target.block], int(issues[-1]) + skew + 1 + scatter_accesses(config))
    template.first_access = first_access
    layouts = {id(target.layout): target.layout for target in targets}
    for number, layout in layouts.items():
        flat = done[number].reshape(-1)
        template.written.append((layout, np.arange(len(flat)), flat))
        # After the rows of an operation before it.
        template.needs = max(template.needs, int(layout.ready.max()) - first_access)
    macro.flows.sort(key=lambda flow: -flow.width)
    return template
