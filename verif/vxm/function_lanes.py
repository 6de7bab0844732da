"""Function units side by side, with the result registers of their lanes."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.shared import place
from hdl.vxm.function_unit import FunctionUnit

__all__ = ["FunctionLanes"]


class FunctionLanes(wiring.Component):
    """`lanes` function units; the results of operands in cycle c from cycle c + 2 on.

    Parameters
    ----------
    lanes : int

    Attributes
    ----------
    operands : Signal(lanes * 32), in
    function : Signal(3), in
    results : Signal(lanes * 32), out
    """

    def __init__(self, lanes: int) -> None:
        self.lanes = lanes
        super().__init__({"operands": In(lanes * 32), "function": In(3), "results": Out(lanes * 32)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        results = [Signal(32, name=f"result{lane}") for lane in range(self.lanes)]
        for lane, result in enumerate(results):
            operand = self.operands.word_select(lane, 32)
            m.submodules[f"lane{lane}"] = place(FunctionUnit(), operand=operand, function=self.function, result=result)
        m.d.sync += self.results.eq(Cat(results))
        return m
