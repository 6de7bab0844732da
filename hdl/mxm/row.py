"""One superlane's row of supercells in a plane."""

from amaranth.hdl import Cat, Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.mxm.supercell import SUM_SLOT, Supercell
from hdl.mxm.weight_buffer import WeightBuffer
from hdl.shared import place

__all__ = ["Row"]


class Row(wiring.Component):
    """Supercells and their weight buffers, west to east.

    Ports are those of the westmost supercell and buffer; see `Supercell` and `WeightBuffer`. Column block c does
    everything c cycles later.

    Parameters
    ----------
    lanes
        Rows and columns of a supercell.
    superlanes
        Supercells of the row.
    psum_bits
        As for `Supercell`.

    Attributes
    ----------
    load_clock, load_reset, array_clock, array_reset : in 1
        Clocks of the buffers and of the supercells, each with its synchronous reset.
    load, reach, columns : in 1, log2(superlanes), lanes * lanes * 8
        Weights from the streams.
    valid, install, x : in 1, 1, lanes * 8
        Activations from the streams.
    buffers : out superlanes * lanes * lanes * 8
        What the weight buffers hold, column block 0 lowest.
    psum_in, psum : in, out superlanes * lanes * SUM_SLOT
        Partial sums from the row below and to the one above, column block 0 lowest.
    """

    def __init__(self, *, lanes: int, superlanes: int, psum_bits: int) -> None:
        self.lanes = lanes
        self.superlanes = superlanes
        self.psum_bits = psum_bits
        super().__init__(
            {
                "load_clock": In(1),
                "load_reset": In(1),
                "array_clock": In(1),
                "array_reset": In(1),
                "load": In(1),
                "reach": In(range(max(2, superlanes))),
                "columns": In(lanes * lanes * 8),
                "valid": In(1),
                "install": In(1),
                "x": In(lanes * 8),
                "buffers": Out(superlanes * lanes * lanes * 8),
                "psum_in": In(superlanes * lanes * SUM_SLOT),
                "psum": Out(superlanes * lanes * SUM_SLOT),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        load, reach, columns = self.load, self.reach, self.columns
        valid, install, x = self.valid, self.install, self.x
        psums, buffers = [], []
        for block in range(self.superlanes):
            m.submodules[f"buffer{block}"] = place(
                buffer := WeightBuffer(lanes=self.lanes, superlanes=self.superlanes),
                clk=self.load_clock,
                rst=self.load_reset,
                load_in=load,
                reach_in=reach,
                columns_in=columns,
            )
            m.submodules[f"cell{block}"] = place(
                cell := Supercell(lanes=self.lanes, psum_bits=self.psum_bits),
                clk=self.array_clock,
                rst=self.array_reset,
                valid_in=valid,
                install_in=install,
                x_in=x,
                weights=buffer.columns,
                psum_in=self.psum_in.word_select(block, self.lanes * SUM_SLOT),
            )
            load, reach, columns = buffer.load, buffer.reach, buffer.columns
            valid, install, x = cell.valid, cell.install, cell.x
            psums.append(cell.psum)
            buffers.append(columns)
        m.d.comb += [self.psum.eq(Cat(psums)), self.buffers.eq(Cat(buffers))]
        return m
