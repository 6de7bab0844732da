"""A Scatter as a macro-operation: rows and indices that pass the slices of a state."""

import numpy as np

from arch.geometry import Direction, units
from arch.isa.mem_rows import scatter_accesses
from arch.timing import timing
from compiler.ir.scatter import STATE_SIDE, Scatter
from compiler.lower.storage import OperationStorage
from compiler.memory.copies import Cycles, Template
from compiler.schedule.flow import Flow
from compiler.schedule.macro import Action, Macro
from compiler.schedule.sweeps import BURST_LIMIT
from compiler.schedule.transfer import Transfers


def scatter_template(op: Scatter, placed: OperationStorage) -> Template:
    """Return the template of a Scatter.

    Blocks of a row come one cycle after another, each with its indices; all copies of the state take them as they
    pass. A slice with several parts of the state takes one after another, from rows and indices that are read again.
    """
    config = op.config
    table = timing(config)
    skew = table["SCATTER"].d_skew
    assert skew is not None
    template = Template(Macro(op.name))
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
        port = placed.ports[number]
        slices, addrs, ready = port.words()
        for byte in range(width):
            words = slices[byte, order], addrs[byte, order]
            transfers.read(flow, byte, *words, cycles, sink)
            access = cycles - transfers.read_travel(words[0], sink)
            template.reads(port.copy, port.accesses(byte, order, access), ready[order])
        return flow

    rows = read("rows", 0, op.state.itemsize)
    indices = read("indices", 1, 2)
    done: dict[int, Cycles] = {}
    rows_each = len(targets[0].copy.ready) // op.blocks
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
        ready = done.setdefault(id(target.copy), np.zeros(len(target.copy.ready), np.int64))
        mine = slice(target.block * rows_each, (target.block + 1) * rows_each)
        ready[mine] = np.maximum(ready[mine], int(issues[-1]) + skew + 1 + scatter_accesses(config))
    for copy in {id(target.copy): target.copy for target in targets}.values():
        found = done[id(copy)]
        # Any row may change, from the first access on.
        template.changes(copy, op.state, first_access, found)
    macro.flows.sort(key=lambda flow: -flow.width)
    return template
