"""The arrays of a pair of planes."""

from amaranth.hdl import Const, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from arch.config import Config
from arch.timing import timing
from hdl.activity_gate import ActivityGate
from hdl.ecc.reader import REPORT_DELAY, ecc_ports
from hdl.mxm.array_port import array_port, psum_bits, row_inputs
from hdl.mxm.fp16_cell import MARKS, SUM_WINDOW
from hdl.mxm.fp16_round import Fp16Round
from hdl.mxm.fp16_tile import Fp16Tile
from hdl.mxm.micro_op import activation_op
from hdl.mxm.pair_row import PairRow
from hdl.mxm.supercell import SUM_SLOT
from hdl.shared import place

__all__ = ["PairArray"]


class PairArray(wiring.Component):
    """Three arrays of S rows of S supercells: INT8 ones of both planes, and one that multiplies fp16 numbers.

    An ordinary submodule, not to be placed (see `hdl.mxm.plane.Plane`). The fp16 array runs on a clock of its own, with
    the wavefronts of the INT8 ones and one vector per two cycles: column block c is due c cycles after block 0. Weights
    survive `start`; all that is under way in the fp16 array does not.

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
    streams : in streams * stream_bits, array of S
        Stream registers of this position that move outward, by superlane.
    array : array_port, array of 2
        From the tiles of the planes.
    result : out S * lanes * 32
        fp32 sums, column block 0 lowest, of a micro-op in cycle c in cycle ``c + S + 6``, in block b b cycles later.
    corrected, uncorrectable : out S
        With ECC: see `hdl.ecc.reader.ecc_ports`.
    """

    def __init__(self, *, config: Config) -> None:
        self.config = config
        # ABC at t: activations are in a cell in t + 2, the second half's products in t + 4, its dot products in t + 5,
        # its sums of row r in t + 6 + r, fp32 two cycles later. ACC at u takes those of row S - 1 in u + 1.
        assert timing(config).acc_after_fp16_abc == config.superlanes + 6
        rows = config.superlanes
        super().__init__(
            {
                "start": In(1),
                "activation": In(activation_op(config)),
                "streams": In(config.streams * config.stream_bits).array(rows),
                "array": In(array_port(config)).array(2),
                "result": Out(config.vector_length * SUM_SLOT),
                **ecc_ports(config, rows),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self.config
        lanes, rows = config.lanes, config.superlanes
        # As in the INT8 array, with five stages in the last cell (both halves), and two in its rounder.
        linger = 2 * (rows - 1) + 7
        assert linger >= rows - 1 + REPORT_DELAY, "or the last tile cannot report"
        m.submodules.gate = gate = ActivityGate(linger=linger)
        m.d.comb += [gate.busy.eq(self.activation.valid), gate.flush.eq(self.start)]
        clock = {"clk": gate.clock, "rst": gate.reset}

        op = self.activation
        half = config.vector_length // 2
        low_sum, high_sum = Const(0, half * SUM_WINDOW), Const(0, half * SUM_WINDOW)
        marks, done = Const(0, half * MARKS.size), Signal(rows)
        psums = [Const(0, len(plane.result)) for plane in self.array]
        for index in range(rows):
            tile, row = Fp16Tile(config=config), PairRow(lanes=lanes, superlanes=rows, psum_bits=psum_bits(config))
            on = op.span > index
            m.submodules[f"tile{index}"] = place(tile, **clock, op_in=op, on=on, streams=self.streams[index])
            m.d.comb += [getattr(self, name)[index].eq(getattr(tile, name)) for name in ecc_ports(config)]
            planes = {
                f"planes__{number}__{name}": value
                for number, plane in enumerate(self.array)
                for name, value in {**row_inputs(plane, index, rows), "psum_in": psums[number]}.items()
            }
            m.submodules[f"row{index}"] = place(
                row,
                **clock,
                **planes,
                valid=op.valid,
                install=op.valid & op.install & on,
                x=tile.x,
                low_sum_in=low_sum,
                high_sum_in=high_sum,
                marks_in=marks,
            )
            low_sum, high_sum, marks, done, op = row.low_sum, row.high_sum, row.marks, row.done, tile.op
            psums = [plane.psum for plane in row.planes]
        for plane, psum in zip(self.array, psums, strict=True):
            m.d.comb += plane.result.eq(psum)
        for block in range(rows):
            m.submodules[f"round{block}"] = place(
                Fp16Round(lanes=lanes),
                **clock,
                done=done[block],
                low_sum=low_sum.word_select(block, lanes // 2 * SUM_WINDOW),
                high_sum=high_sum.word_select(block, lanes // 2 * SUM_WINDOW),
                marks=marks.word_select(block, lanes // 2 * MARKS.size),
                result=self.result.word_select(block, lanes * SUM_SLOT),
            )
        return m
