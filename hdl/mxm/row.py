"""One superlane's row of supercells in a plane."""

from amaranth.hdl import Cat, Module
from amaranth.lib import wiring
from amaranth.lib.wiring import Out

from hdl.mxm.row_port import row_port
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
    load_clock, load_reset, array_clock, array_reset, load, reach, columns, valid, install, x, psum_in, psum
        See `row_port`.
    buffers : out superlanes * lanes * lanes * 8
        What the weight buffers hold, column block 0 lowest.
    """

    def __init__(self, *, lanes: int, superlanes: int, psum_bits: int) -> None:
        self.lanes = lanes
        self.superlanes = superlanes
        self.psum_bits = psum_bits
        buffers = superlanes * lanes * lanes * 8
        super().__init__({**row_port(lanes, superlanes).members, "buffers": Out(buffers)})

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
            # Buffers and cells have clocks of their own: weights load while the array multiplies, and each stands still
            # without work.
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
