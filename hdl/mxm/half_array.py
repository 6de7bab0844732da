"""The fp16 array of a pair of planes."""

from amaranth.hdl import Const, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from arch.config import Config
from arch.timing import timing
from hdl.activity_gate import ActivityGate
from hdl.mxm.half_cell import MARKS, SUM_WINDOW
from hdl.mxm.half_round import HalfRound
from hdl.mxm.half_row import HalfRow
from hdl.mxm.half_tile import HalfTile
from hdl.mxm.micro_op import activation_op
from hdl.mxm.supercell import SUM_SLOT
from hdl.shared import place

__all__ = ["HalfArray"]


class HalfArray(wiring.Component):
    """S rows of S supercells that multiply fp16 numbers, and a rounder per column block; on a clock of its own.

    An ordinary submodule, not to be placed (see `hdl.mxm.plane.Plane`). The wavefronts are those of the INT8 array,
    with one vector per two cycles: column block c is due c cycles after block 0. Weights survive `start`; all that is
    under way does not.

    Parameters
    ----------
    config
        The machine; S is its `superlanes`.

    Attributes
    ----------
    start : in 1
        From a register.
    activation : in activation_op
        Micro-op of tile 0, from registers; not in consecutive cycles.
    streams : in streams * lanes * 8, array of S
        Stream registers of this position that move outward, by superlane.
    low, high : in S * lanes * lanes * 8, array of S
        Buffers of the two planes, by row; column block 0 lowest.
    result : out S * lanes * 32
        fp32 sums, column block 0 lowest, of a micro-op in cycle c in cycle ``c + S + 6``, in block b b cycles later.
    """

    def __init__(self, *, config: Config) -> None:
        self.config = config
        # ABC at t: activations are in a cell in t + 2, the second half's products in t + 4, its dot products in t + 5,
        # its sums of row r in t + 6 + r, fp32 two cycles later. ACC at u takes those of row S - 1 in u + 1.
        assert timing(config).acc_after_fp16_abc == config.superlanes + 6
        rows, weights = config.superlanes, config.vector_length * config.lanes * 8
        super().__init__(
            {
                "start": In(1),
                "activation": In(activation_op(config)),
                "streams": In(config.streams * config.lanes * 8).array(rows),
                "low": In(weights).array(rows),
                "high": In(weights).array(rows),
                "result": Out(config.vector_length * SUM_SLOT),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self.config
        lanes, rows = config.lanes, config.superlanes
        # As in the INT8 array, with five stages in the last cell (both halves), and two in its rounder.
        m.submodules.gate = gate = ActivityGate(linger=2 * (rows - 1) + 7)
        m.d.comb += [gate.busy.eq(self.activation.valid), gate.flush.eq(self.start)]
        clock = {"clk": gate.clock, "rst": gate.reset}

        op = self.activation
        half = config.vector_length // 2
        low_sum, high_sum = Const(0, half * SUM_WINDOW), Const(0, half * SUM_WINDOW)
        marks, done = Const(0, half * MARKS.size), Signal(rows)
        for index in range(rows):
            tile, row = HalfTile(config=config), HalfRow(lanes=lanes, superlanes=rows)
            m.submodules[f"tile{index}"] = place(tile, **clock, op_in=op, streams=self.streams[index])
            m.submodules[f"row{index}"] = place(
                row,
                **clock,
                valid=op.valid,
                install=op.valid & op.install,
                x=tile.x,
                low=self.low[index],
                high=self.high[index],
                low_sum_in=low_sum,
                high_sum_in=high_sum,
                marks_in=marks,
            )
            low_sum, high_sum, marks, done, op = row.low_sum, row.high_sum, row.marks, row.done, tile.op
        for block in range(rows):
            m.submodules[f"round{block}"] = place(
                HalfRound(lanes=lanes),
                **clock,
                done=done[block],
                low_sum=low_sum.word_select(block, lanes // 2 * SUM_WINDOW),
                high_sum=high_sum.word_select(block, lanes // 2 * SUM_WINDOW),
                marks=marks.word_select(block, lanes // 2 * MARKS.size),
                result=self.result.word_select(block, lanes * SUM_SLOT),
            )
        return m
