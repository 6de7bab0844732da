"""The datapaths of one ALU in all lanes of a superlane."""

from amaranth.hdl import Cat, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.shared import place
from hdl.vxm.lane import VxmLane
from hdl.vxm.lane_control import FINISH_CONTROL, LANE_CONTROL

__all__ = ["VxmLanes"]

_BYTES = 4


class VxmLanes(wiring.Component):
    """`lanes` times :class:`hdl.vxm.lane.VxmLane` under one control.

    Parameters
    ----------
    lanes : int
    multiply, float_add : bool
        As in :class:`hdl.vxm.capability.Capability`.

    Attributes
    ----------
    a, b : Signal(lanes * 32), in
        As four streams, the lowest bytes of all lanes on the first one.
    c : Signal(lanes * 8), in
        One stream.
    control, finish, store : Signal, in
        As a lane's.
    result : Signal(lanes * 32), out
        As four streams.
    """

    def __init__(self, *, lanes: int, multiply: bool, float_add: bool) -> None:
        self.lanes = lanes
        self.multiply = multiply
        self.float_add = float_add
        super().__init__(
            {
                "a": In(lanes * 32),
                "b": In(lanes * 32),
                "c": In(lanes * 8),
                "control": In(LANE_CONTROL.size),
                "finish": In(FINISH_CONTROL.size),
                "store": In(1),
                "result": Out(lanes * 32),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        results = [Signal(32, name=f"result{lane}") for lane in range(self.lanes)]
        for lane, result in enumerate(results):
            m.submodules[f"lane{lane}"] = place(
                VxmLane(multiply=self.multiply, float_add=self.float_add),
                a=self._lane(self.a, lane),
                b=self._lane(self.b, lane),
                c=self.c.word_select(lane, 8),
                control=self.control,
                finish=self.finish,
                store=self.store,
                result=result,
            )
        m.d.comb += self.result.eq(Cat(result.word_select(byte, 8) for byte in range(_BYTES) for result in results))
        return m

    def _lane(self, streams: Value, lane: int) -> Value:
        return Cat(streams.word_select(byte * self.lanes + lane, 8) for byte in range(_BYTES))
