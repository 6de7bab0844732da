"""One superlane's rows of supercells in a pair of planes."""

from amaranth.hdl import Cat, Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.mxm.fp16_cell import MARKS, SUM_WINDOW, Fp16Cell
from hdl.mxm.fp16_number import FP16_SLOT
from hdl.mxm.row import Row
from hdl.mxm.row_port import row_port
from hdl.shared import place

__all__ = ["PairRow"]


class PairRow(wiring.Component):
    """Both planes' rows, and fp16 supercells, west to east, that install weights from the buffers of both.

    Ports of the fp16 cells are those of `Fp16Cell`, of the westmost one or of all with column block 0 lowest. Column
    block c does everything c cycles later.

    Parameters
    ----------
    lanes
        Rows and columns of a supercell.
    superlanes
        Supercells of a row.
    psum_bits
        As for `hdl.mxm.supercell.Supercell`.

    Attributes
    ----------
    planes : row_port, array of 2
    valid, install, x : in 1, 1, lanes * FP16_SLOT
        fp16 activations from the streams.
    low_sum_in, high_sum_in, marks_in, low_sum, high_sum, marks : superlanes times those of `Fp16Cell`
    done : out superlanes
    """

    def __init__(self, *, lanes: int, superlanes: int, psum_bits: int) -> None:
        self.lanes = lanes
        self.superlanes = superlanes
        self.psum_bits = psum_bits
        sums, marks = superlanes * lanes // 2 * SUM_WINDOW, superlanes * lanes // 2 * MARKS.size
        super().__init__(
            {
                "planes": Out(row_port(lanes, superlanes)).array(2),
                "valid": In(1),
                "install": In(1),
                "x": In(lanes * FP16_SLOT),
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
        buffers = []
        for index, plane in enumerate(self.planes):
            row = Row(lanes=self.lanes, superlanes=self.superlanes, psum_bits=self.psum_bits)
            ports = {name: getattr(plane, name) for name in plane.signature.members}
            m.submodules[f"plane{index}"] = place(row, **ports)
            buffers.append(row.buffers)
        valid, install, x = self.valid, self.install, self.x
        cells = []
        for block in range(self.superlanes):
            cell = Fp16Cell(lanes=self.lanes)
            sums = {
                name: getattr(self, name).word_select(block, len(getattr(cell, name)))
                for name in ("low_sum_in", "high_sum_in", "marks_in")
            }
            # The first plane's buffer has the low bytes, the second one's the high bytes: neither has fp16 weights of
            # its own.
            low, high = (buffer.word_select(block, len(cell.low)) for buffer in buffers)
            m.submodules[f"fp16_{block}"] = place(
                cell, valid_in=valid, install_in=install, x_in=x, low=low, high=high, **sums
            )
            valid, install, x = cell.valid, cell.install, cell.x
            cells.append(cell)
        m.d.comb += [
            getattr(self, name).eq(Cat(getattr(cell, name) for cell in cells))
            for name in ("low_sum", "high_sum", "marks", "done")
        ]
        return m
