"""The VXM of one superlane: the mesh of ALUs."""

from amaranth.hdl import Cat, ClockSignal, Instance, Module, ResetSignal, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from arch.config import Config
from hdl.ecc.reader import ecc_ports
from hdl.shared import place
from hdl.span import climb
from hdl.stream.group import group_bits
from hdl.vxm.alu import VxmAlu
from hdl.vxm.micro_op import MICRO_OP, climbing_op

__all__ = ["VxmTile"]


class VxmTile(wiring.Component):
    """All ALUs of a superlane, each on a gated clock; micro-ops climb to the next tile in one cycle.

    Function lanes have a gated clock of their own, so that other operations of their ALU leave them alone. A micro-op
    in `op_in` in cycle c reads its operands in cycle c; its result is on the mesh, and at the outputs to the stream
    registers, in cycle ``c + chain``. Of a port with a part per ALU, ALU 0 has the lowest bits.

    Parameters
    ----------
    config : Config

    Attributes
    ----------
    op_in : Signal(alus * climbing_op.size), in
    op_out : Signal(alus * climbing_op.size), out
        To the next superlane's tile, unless that is off.
    east, west : Signal(streams * stream_bits), in
        The position's stream registers.
    mask : Signal(alus * 4), out
        Per ALU: the streams of its group that it drives.
    direction : Signal(alus), out
    group : Signal(alus * group_bits), out
        Per ALU: number of the group of four streams.
    data : Signal(alus * 4 * lanes * 8), out
    corrected, uncorrectable : Signal(alus), out
        With ECC: see `hdl.ecc.reader.ecc_ports`.
    """

    def __init__(self, config: Config) -> None:
        self.config = config
        bus = config.streams * config.stream_bits
        super().__init__(
            {
                "op_in": In(config.alus * climbing_op(config).size),
                "op_out": Out(config.alus * climbing_op(config).size),
                "east": In(bus),
                "west": In(bus),
                "mask": Out(config.alus * 4),
                "direction": Out(config.alus),
                "group": Out(config.alus * group_bits(config.streams, 4)),
                "data": Out(config.alus * 4 * config.lanes * 8),
                **ecc_ports(config, config.alus),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        columns = self.config.alu_cols
        alus = [VxmAlu.of_column(self.config, alu % columns) for alu in range(self.config.alus)]
        layout = climbing_op(self.config)
        above = [Signal(layout, name=f"above{alu}") for alu in range(self.config.alus)]
        m.d.comb += self.op_out.eq(Cat(above))
        for index, alu in enumerate(alus):
            # The mesh is a ring of columns: column 0 takes from the last.
            column = [other.result for other in alus[(index - 1) % columns :: columns]]
            op = data.View(layout, self.op_in.word_select(index, layout.size))
            climb(m, op, above[index])
            functions = {}
            if alu.functions:
                # The costly functions' datapath is large and seldom used: it has a clock to itself.
                wanted = alu.function_op | alu.function_busy
                functions = {"function_clock": self._gate(m, f"function_clk{index}", wanted)}
            m.submodules[f"alu{index}"] = place(
                alu,
                clk=self._gate(m, f"clk{index}", op.valid | alu.busy),
                op=op.as_value()[: MICRO_OP.size],
                east=self.east,
                west=self.west,
                mesh=Cat(column),
                **functions,
            )
        for name in ("mask", "direction", "group", "data", *ecc_ports(self.config)):
            m.d.comb += getattr(self, name).eq(Cat(getattr(alu, name) for alu in alus))
        return m

    def _gate(self, m: Module, name: str, wanted: Value) -> Signal:
        clock = Signal(name=name)
        m.submodules[f"gate_{name}"] = Instance(
            "takt_clock_gate",
            i_clk=ClockSignal(),
            i_en=wanted | ResetSignal(),
            o_gclk=clock,
        )
        return clock
