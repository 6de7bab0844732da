"""One ALU of the mesh in one superlane."""

from collections.abc import Mapping

from amaranth.hdl import Cat, ClockDomain, ClockSignal, Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from arch.config import Config
from arch.formats import DType
from arch.isa.table import BY_MNEMONIC
from arch.timing import timing
from hdl.ecc.reader import REPORT_DELAY, EccReader, ecc_ports
from hdl.shared import place
from hdl.stream.group import group_bits
from hdl.vxm.capability import capability
from hdl.vxm.function_lanes import VxmFunctionLanes
from hdl.vxm.lane_control import FINISH_CONTROL, decode_finish, decode_lane, function_code, is_function
from hdl.vxm.lanes import VxmLanes
from hdl.vxm.micro_op import MICRO_OP
from hdl.vxm.operand import OPERAND_BYTES, take_operand
from hdl.vxm.width import is_two_bytes

__all__ = ["VxmAlu"]

_STAGES = 3
"""Operands captured, raw result, result."""


class VxmAlu(wiring.Component):
    """All lanes of one ALU; an operation per cycle, its result three cycles after its micro-op.

    Runs on a clock that need only tick in cycles with `op` valid or `busy`: then idle ALUs cost a simulator nothing and
    silicon no power.

    Parameters
    ----------
    config : Config
    multiply, float_add, functions : bool
        As in :class:`hdl.vxm.capability.Capability`.

    Attributes
    ----------
    op : Signal(MICRO_OP), in
        Valid in the cycle in which operands are read.
    east, west : Signal(streams * stream_bits), in
        The position's stream registers.
    mesh : Signal(alu_rows * lanes * 32), in
        `result` of the ALUs of the previous mesh column, row 0 lowest.
    busy : Signal(1), out
        Something is in the pipeline; from registers.
    result : Signal(lanes * 32), out
        The last result, as four streams, the lowest byte on the first one.
    mask : Signal(4), out
        Streams of the group to be driven, three cycles after `op`.
    direction : Signal(1), out
    group : Signal, out
        Number of the group of four streams.
    data : Signal(lanes * 32), out
        Result as four streams; a narrow one on every stream (pair) of the group.
    function_clock : Signal(1), in
        Only with `functions`: clock of the function lanes, that need only tick when `function_op` or `function_busy`.
    function_op, function_busy : Signal(1), out
        Only with `functions`: `op` is a function; one is in its first stage, from a register.
    corrected, uncorrectable : Signal(1), out
        With ECC: see `hdl.ecc.reader.ecc_ports`.
    """

    def __init__(self, *, config: Config, multiply: bool, float_add: bool, functions: bool) -> None:
        self.config = config
        self.multiply = multiply
        self.float_add = float_add
        self.functions = functions
        vector, bus = OPERAND_BYTES * config.lanes * 8, config.streams * config.stream_bits
        super().__init__(
            {
                "op": In(MICRO_OP.size),
                "east": In(bus),
                "west": In(bus),
                "mesh": In(config.alu_rows * vector),
                "busy": Out(1),
                "result": Out(vector),
                "mask": Out(OPERAND_BYTES),
                "direction": Out(1),
                "group": Out(group_bits(config.streams, OPERAND_BYTES)),
                "data": Out(vector),
                **({"function_clock": In(1), "function_op": Out(1), "function_busy": Out(1)} if functions else {}),
                **ecc_ports(config),
            }
        )

    @classmethod
    def of_column(cls, config: Config, column: int) -> "VxmAlu":
        """Return an ALU of a mesh column."""
        assert timing(config).chain == timing(config).held == _STAGES
        able = capability(config, column)
        return cls(config=config, multiply=able.multiply, float_add=able.float_add, functions=able.functions)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        lanes = self.config.lanes
        op = data.View(MICRO_OP, self.op)
        ecc = EccReader(m, self.config)

        # Cycle 0: read operands.
        s1_op = Signal(MICRO_OP, reset_less=True)
        s1_valid, s2_valid, s3_valid = Signal(), Signal(), Signal()
        m.d.sync += [s1_op.eq(op), s1_valid.eq(op.valid)]
        sources = {"east": self.east, "west": self.west, "mesh": self.mesh, "own": self.result}
        s1_a, s1_b = (take_operand(m, self.config, ecc, name, op, en=op.valid, **sources) for name in "ab")
        has_mask = op.valid & (op.opcode == BY_MNEMONIC["SEL"].opcode)
        s1_c = take_operand(m, self.config, ecc, "c", op, en=has_mask, size=1, **sources)

        # Cycle 1: operate.
        s1_control = decode_lane(m, s1_op)
        s2_op = Signal(MICRO_OP, reset_less=True)
        s2_finish = Signal(FINISH_CONTROL, reset_less=True)
        m.d.sync += [s2_op.eq(s1_op), s2_valid.eq(s1_valid), s2_finish.eq(decode_finish(m, s1_op))]

        # Cycle 2: round or narrow.
        s3_op = Signal(MICRO_OP, reset_less=True)
        m.d.sync += [s3_op.eq(s2_op), s3_valid.eq(s2_valid)]
        functions = {"function_results": self._functions(m, op, sources)} if self.functions else {}
        m.submodules.lanes = place(
            VxmLanes(lanes=lanes, multiply=self.multiply, float_add=self.float_add, functions=self.functions),
            a=s1_a,
            b=s1_b,
            c=s1_c,
            control=s1_control.as_value(),
            finish=s2_finish.as_value(),
            store=s2_valid,
            result=self.result,
            **functions,
        )
        busy = s1_valid | s2_valid | s3_valid
        if self.config.ecc:
            # The reports are out in cycle 4, and gone in the next.
            assert REPORT_DELAY == _STAGES + 1
            s4_valid = Signal()
            m.d.sync += s4_valid.eq(s3_valid)
            busy |= s4_valid
        m.d.comb += self.busy.eq(busy)
        ecc.report(self)

        # Cycle 3: put the result on streams.
        byte, two_bytes = Signal(), Signal()
        first = s3_op.dst[:2]
        m.d.comb += [
            byte.eq(s3_op.out_dtype == DType.INT8),
            two_bytes.eq(is_two_bytes(s3_op.out_dtype)),
            self.direction.eq(s3_op.dst_dir),
            self.group.eq(s3_op.dst[2:]),
            self.data.eq(self.result),
        ]
        stream = [self.result.word_select(index, lanes * 8) for index in range(OPERAND_BYTES)]
        with m.If(byte):
            m.d.comb += self.data.eq(Cat(stream[0] for _ in range(OPERAND_BYTES)))
        with m.If(two_bytes):
            m.d.comb += self.data.eq(Cat(stream[:2], stream[:2]))
        with m.If(s3_valid & s3_op.drive):
            m.d.comb += self.mask.eq(Mux(byte, 1, Mux(two_bytes, 3, 15)) << first)
        return m

    def _functions(self, m: Module, op: data.View, sources: Mapping[str, Signal]) -> Signal:
        """Results of the function lanes, in cycle 2."""
        m.domains.function = ClockDomain(reset_less=True, local=True)
        lanes = self.config.lanes
        s1_function = Signal(3)
        results = Signal(OPERAND_BYTES * lanes * 8, name="function_results")
        m.d.comb += [
            ClockSignal("function").eq(self.function_clock),
            self.function_op.eq(op.valid & is_function(op.opcode)),
        ]
        m.d.sync += self.function_busy.eq(self.function_op)
        m.d.function += s1_function.eq(function_code(op.opcode))
        # The same operand as in the other lanes, which report of it.
        ecc = EccReader(m, self.config, "function_ecc")
        m.submodules.function_lanes = place(
            VxmFunctionLanes(lanes=lanes),
            clk=self.function_clock,
            operands=take_operand(m, self.config, ecc, "a", op, en=self.function_op, domain="function", **sources),
            function=s1_function,
            results=results,
        )
        return results
