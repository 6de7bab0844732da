"""The fp32 adders of one superlane's accumulator."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.mxm.fp32_sum import Fp32Sum
from hdl.mxm.supercell import SUM_SLOT
from hdl.shared import place

__all__ = ["Fp32Sums"]


class Fp32Sums(wiring.Component):
    """Adds results to stored sums, one of each per column.

    What is at `result` in a cycle with `take` is at `sum` in the next cycle, until the next one with `take`.

    Parameters
    ----------
    lanes
        Columns.

    Attributes
    ----------
    take, add : in 1
        A result comes; it is added to the stored sum.
    result : in lanes * 32
    stored : in lanes * 32
        One cycle after `result`.
    sum : out lanes * 32
    """

    def __init__(self, *, lanes: int) -> None:
        self.lanes = lanes
        width = lanes * SUM_SLOT
        super().__init__({"take": In(1), "add": In(1), "result": In(width), "stored": In(width), "sum": Out(width)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        s1_add, s1_result = Signal(), Signal(len(self.result), reset_less=True)
        with m.If(self.take):
            m.d.sync += [s1_add.eq(self.add), s1_result.eq(self.result)]
        sums = []
        for column in range(self.lanes):
            adder = Fp32Sum()
            m.submodules[f"column{column}"] = place(adder)
            m.d.comb += [
                adder.a.eq(s1_result.word_select(column, SUM_SLOT)),
                adder.b.eq(self.stored.word_select(column, SUM_SLOT)),
            ]
            sums.append(Mux(s1_add, adder.sum, s1_result.word_select(column, SUM_SLOT)))
        m.d.comb += self.sum.eq(Cat(sums))
        return m
