"""The datapaths of one ALU in all lanes of a superlane."""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.shared import place
from hdl.vxm.lane import VxmLane
from hdl.vxm.lane_control import FINISH_CONTROL, LANE_CONTROL
from hdl.vxm.lane_streams import lane_of, streams_of

__all__ = ["VxmLanes"]


class VxmLanes(wiring.Component):
    """`lanes` times :class:`hdl.vxm.lane.VxmLane` under one control.

    Parameters
    ----------
    lanes : int
    multiply, float_add, functions : bool
        As in :class:`hdl.vxm.capability.Capability`.

    Attributes
    ----------
    a, b : Signal(lanes * 32), in
        As four streams, the lowest bytes of all lanes on the first one.
    c : Signal(lanes * 8), in
        One stream.
    control, finish, store : Signal, in
        As a lane's.
    function_results : Signal(lanes * 32), in
        Only with `functions`: as four streams, as a lane's `function_result`.
    result : Signal(lanes * 32), out
        As four streams.
    """

    def __init__(self, *, lanes: int, multiply: bool, float_add: bool, functions: bool) -> None:
        self.lanes = lanes
        self.multiply = multiply
        self.float_add = float_add
        self.functions = functions
        super().__init__(
            {
                "a": In(lanes * 32),
                "b": In(lanes * 32),
                "c": In(lanes * 8),
                "control": In(LANE_CONTROL.size),
                "finish": In(FINISH_CONTROL.size),
                "store": In(1),
                "result": Out(lanes * 32),
                **({"function_results": In(lanes * 32)} if functions else {}),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        results = [Signal(32, name=f"result{lane}") for lane in range(self.lanes)]
        # One lane is one module of the netlist, however many there are: it is synthesised and compiled once.
        for lane, result in enumerate(results):
            function = {"function_result": lane_of(self.function_results, lane, self.lanes)} if self.functions else {}
            m.submodules[f"lane{lane}"] = place(
                VxmLane(multiply=self.multiply, float_add=self.float_add, functions=self.functions),
                a=lane_of(self.a, lane, self.lanes),
                b=lane_of(self.b, lane, self.lanes),
                c=self.c.word_select(lane, 8),
                control=self.control,
                finish=self.finish,
                store=self.store,
                result=result,
                **function,
            )
        m.d.comb += self.result.eq(streams_of(results))
        return m
