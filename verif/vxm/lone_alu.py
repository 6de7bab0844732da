"""One ALU whose clocks never stand still."""

from amaranth.hdl import ClockSignal, Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from arch.config import Config
from hdl.ecc.reader import ecc_ports
from hdl.shared import place
from hdl.vxm.alu import VxmAlu
from hdl.vxm.micro_op import MICRO_OP

__all__ = ["LoneAlu"]


class LoneAlu(wiring.Component):
    """An ALU, as far as a bench of its arithmetic needs it.

    Parameters
    ----------
    config : Config
    column : int
        Of the mesh.

    Attributes
    ----------
    op, east, west, result, corrected, uncorrectable
        See `hdl.vxm.alu.VxmAlu`.
    """

    def __init__(self, *, config: Config, column: int) -> None:
        self.config = config
        self.column = column
        bus = config.streams * config.stream_bits
        super().__init__(
            {
                "op": In(MICRO_OP.size),
                "east": In(bus),
                "west": In(bus),
                "result": Out(config.lanes * 32),
                **ecc_ports(config),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        alu = VxmAlu.of_column(self.config, self.column)
        names = ("op", "east", "west", "result", *ecc_ports(self.config))
        ports = {name: getattr(self, name) for name in names}
        if alu.functions:
            ports["function_clock"] = ClockSignal()
        m.submodules.alu = place(alu, **ports)
        return m
