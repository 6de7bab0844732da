"""One superlane's row of supercells in a pair's fp16 array."""

from amaranth.hdl import Cat, Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.mxm.half_cell import MARKS, SUM_WINDOW, HalfCell
from hdl.mxm.half_number import HALF_SLOT
from hdl.shared import place

__all__ = ["HalfRow"]


class HalfRow(wiring.Component):
    """Supercells, west to east.

    Ports are those of `HalfCell`, of the westmost one or of all with column block 0 lowest. Column block c does
    everything c cycles later.

    Parameters
    ----------
    lanes
        Rows and columns of a supercell.
    superlanes
        Supercells of the row.

    Attributes
    ----------
    valid, install, x : in 1, 1, lanes * HALF_SLOT
        Activations from the streams.
    low, high : in superlanes * lanes * lanes * 8
        Buffers of the two planes.
    low_sum_in, high_sum_in, marks_in, low_sum, high_sum, marks : superlanes times those of `HalfCell`
    done : out superlanes
    """

    def __init__(self, *, lanes: int, superlanes: int) -> None:
        self.lanes = lanes
        self.superlanes = superlanes
        sums, marks = superlanes * lanes // 2 * SUM_WINDOW, superlanes * lanes // 2 * MARKS.size
        super().__init__(
            {
                "valid": In(1),
                "install": In(1),
                "x": In(lanes * HALF_SLOT),
                "low": In(superlanes * lanes * lanes * 8),
                "high": In(superlanes * lanes * lanes * 8),
                "low_sum_in": In(sums),
                "high_sum_in": In(sums),
                "marks_in": In(marks),
                "low_sum": Out(sums),
                "high_sum": Out(sums),
                "marks": Out(marks),
                "done": Out(superlanes),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        valid, install, x = self.valid, self.install, self.x
        cells = []
        for block in range(self.superlanes):
            cell = HalfCell(lanes=self.lanes)
            of_block = {
                name: getattr(self, name).word_select(block, len(getattr(cell, name)))
                for name in ("low", "high", "low_sum_in", "high_sum_in", "marks_in")
            }
            m.submodules[f"cell{block}"] = place(cell, valid_in=valid, install_in=install, x_in=x, **of_block)
            valid, install, x = cell.valid, cell.install, cell.x
            cells.append(cell)
        m.d.comb += [
            getattr(self, name).eq(Cat(getattr(cell, name) for cell in cells))
            for name in ("low_sum", "high_sum", "marks", "done")
        ]
        return m
