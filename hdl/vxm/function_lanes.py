"""The costly functions of one ALU in all lanes of a superlane."""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.shared import place
from hdl.vxm.function_unit import FunctionUnit
from hdl.vxm.lane_streams import lane_of, streams_of

__all__ = ["VxmFunctionLanes"]


class VxmFunctionLanes(wiring.Component):
    """`lanes` times :class:`hdl.vxm.function_unit.FunctionUnit`: operands and code in cycle c, results in cycle c + 1.

    Runs on a clock that need only tick at the end of cycle c. `operands` and `function` come from registers on that
    clock too: then other operations of the ALU cost these lanes nothing.

    Parameters
    ----------
    lanes : int

    Attributes
    ----------
    operands : Signal(lanes * 32), in
        fp32, as four streams.
    function : Signal(3), in
        See `FunctionUnit`.
    results : Signal(lanes * 32), out
        As four streams; combinational from registers.
    """

    def __init__(self, *, lanes: int) -> None:
        self.lanes = lanes
        super().__init__({"operands": In(lanes * 32), "function": In(3), "results": Out(lanes * 32)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        results = [Signal(32, name=f"result{lane}") for lane in range(self.lanes)]
        for lane, result in enumerate(results):
            m.submodules[f"lane{lane}"] = place(
                FunctionUnit(),
                operand=lane_of(self.operands, lane, self.lanes),
                function=self.function,
                result=result,
            )
        m.d.comb += self.results.eq(streams_of(results))
        return m
