"""The multiply-accumulator array of a plane, with its weight buffers."""

from amaranth.hdl import Const, Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from arch.config import Config
from hdl.mxm.row import Row
from hdl.mxm.supercell import PRODUCT_BITS, SUM_SLOT
from hdl.shared import place

__all__ = ["Array"]


class Array(wiring.Component):
    """S rows of S supercells.

    Row r belongs to superlane r of the streams, column block c to superlane c of the results.
    Activations that enter row r in cycle x + r give `result` of block c in cycle x + S + 2 + c.

    Parameters
    ----------
    config
        The machine; S is its `superlanes`.

    Attributes
    ----------
    load_clock, load_reset, array_clock, array_reset : in 1
        As for `Row`.
    load, reach, columns, valid, install, x : in, S times those of `Row`
        Row 0 lowest; row r is due r cycles after row 0.
    buffers : out S * lanes * lanes * 8, array of S
        Weight buffers, by row.
    result : out S * lanes * SUM_SLOT
        Dot products over all superlanes, int32, block 0 lowest; block c is due c cycles after block 0.
    """

    def __init__(self, *, config: Config) -> None:
        self.config = config
        lanes, rows = config.lanes, config.superlanes
        self._row = {
            "lanes": lanes,
            "superlanes": rows,
            "psum_bits": PRODUCT_BITS + (config.vector_length - 1).bit_length(),
        }
        self._reach_bits = (max(2, rows) - 1).bit_length()
        super().__init__(
            {
                "load_clock": In(1),
                "load_reset": In(1),
                "array_clock": In(1),
                "array_reset": In(1),
                "load": In(rows),
                "reach": In(rows * self._reach_bits),
                "columns": In(rows * lanes * lanes * 8),
                "valid": In(rows),
                "install": In(rows),
                "x": In(rows * lanes * 8),
                "buffers": Out(rows * lanes * lanes * 8).array(rows),
                "result": Out(rows * lanes * SUM_SLOT),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        lanes = self.config.lanes
        psum = Const(0, len(self.result))
        for index in range(self.config.superlanes):
            m.submodules[f"row{index}"] = place(
                row := Row(**self._row),
                load_clock=self.load_clock,
                load_reset=self.load_reset,
                array_clock=self.array_clock,
                array_reset=self.array_reset,
                load=self.load[index],
                reach=self.reach.word_select(index, self._reach_bits),
                columns=self.columns.word_select(index, lanes * lanes * 8),
                valid=self.valid[index],
                install=self.install[index],
                x=self.x.word_select(index, lanes * 8),
                buffers=self.buffers[index],
                psum_in=psum,
            )
            psum = row.psum
        m.d.comb += self.result.eq(psum)
        return m
