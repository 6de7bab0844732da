"""One ALU of the mesh in one superlane."""

from amaranth.hdl import Cat, ClockDomain, ClockSignal, Instance, Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from arch.config import Config
from arch.formats import DType
from arch.isa.codes import Source
from arch.isa.table import BY_MNEMONIC
from arch.timing import timing
from hdl.shared import place
from hdl.stream.group import group_bits
from hdl.vxm.capability import capability
from hdl.vxm.function_lanes import VxmFunctionLanes
from hdl.vxm.lane_control import FINISH_CONTROL, decode_finish, decode_lane, function_code, is_function
from hdl.vxm.lanes import VxmLanes
from hdl.vxm.micro_op import MICRO_OP
from hdl.vxm.width import is_half

__all__ = ["VxmAlu"]

_STAGES = 3
"""Operands captured, raw result, result."""

_BYTES = 4
"""Streams of a group, bytes of an operand."""


class VxmAlu(wiring.Component):
    """All lanes of one ALU; an operation per cycle, its result three cycles after its micro-op.

    Runs on a clock that need only tick in cycles with `op` valid or `busy`: then idle ALUs cost a simulator nothing and
    silicon no power.

    Parameters
    ----------
    lanes : int
    streams : int
        Per direction.
    rows : int
        Of the mesh.
    multiply, float_add, functions : bool
        As in :class:`hdl.vxm.capability.Capability`.

    Attributes
    ----------
    op : Signal(MICRO_OP), in
        Valid in the cycle in which operands are read.
    east, west : Signal(streams * lanes * 8), in
        The position's stream registers.
    mesh : Signal(rows * lanes * 32), in
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
    """

    def __init__(
        self, *, lanes: int, streams: int, rows: int, multiply: bool, float_add: bool, functions: bool
    ) -> None:
        self.lanes = lanes
        self.streams = streams
        self.rows = rows
        self.multiply = multiply
        self.float_add = float_add
        self.functions = functions
        vector = _BYTES * lanes * 8
        super().__init__(
            {
                "op": In(MICRO_OP.size),
                "east": In(streams * lanes * 8),
                "west": In(streams * lanes * 8),
                "mesh": In(rows * vector),
                "busy": Out(1),
                "result": Out(vector),
                "mask": Out(_BYTES),
                "direction": Out(1),
                "group": Out(group_bits(streams, _BYTES)),
                "data": Out(vector),
                **({"function_clock": In(1), "function_op": Out(1), "function_busy": Out(1)} if functions else {}),
            }
        )

    @classmethod
    def of_column(cls, config: Config, column: int) -> "VxmAlu":
        """Return an ALU of a mesh column."""
        assert (Source.STREAM, Source.MESH, Source.SELF, Source.ZERO) == (0, 1, 2, 3), "takt_operand has these codes"
        assert timing(config).chain == timing(config).held == _STAGES
        able = capability(config, column)
        return cls(
            lanes=config.lanes,
            streams=config.streams,
            rows=config.alu_rows,
            multiply=able.multiply,
            float_add=able.float_add,
            functions=able.functions,
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        op = data.View(MICRO_OP, self.op)

        # Cycle 0: read operands.
        s1_op = Signal(MICRO_OP, reset_less=True)
        s1_valid, s2_valid, s3_valid = Signal(), Signal(), Signal()
        m.d.sync += [s1_op.eq(op), s1_valid.eq(op.valid)]
        s1_a, s1_b = (self._operand(m, name, op, en=op.valid) for name in "ab")
        s1_c = self._operand(m, "c", op, en=op.valid & (op.opcode == BY_MNEMONIC["SEL"].opcode), size=1)

        # Cycle 1: operate.
        s1_control = decode_lane(m, s1_op)
        s2_op = Signal(MICRO_OP, reset_less=True)
        s2_finish = Signal(FINISH_CONTROL, reset_less=True)
        m.d.sync += [s2_op.eq(s1_op), s2_valid.eq(s1_valid), s2_finish.eq(decode_finish(m, s1_op))]

        # Cycle 2: round or narrow.
        s3_op = Signal(MICRO_OP, reset_less=True)
        m.d.sync += [s3_op.eq(s2_op), s3_valid.eq(s2_valid)]
        functions = {"function_results": self._functions(m, op)} if self.functions else {}
        m.submodules.lanes = place(
            VxmLanes(lanes=self.lanes, multiply=self.multiply, float_add=self.float_add, functions=self.functions),
            a=s1_a,
            b=s1_b,
            c=s1_c,
            control=s1_control.as_value(),
            finish=s2_finish.as_value(),
            store=s2_valid,
            result=self.result,
            **functions,
        )
        m.d.comb += self.busy.eq(s1_valid | s2_valid | s3_valid)

        # Cycle 3: put the result on streams.
        byte, half = Signal(), Signal()
        first = s3_op.dst[:2]
        m.d.comb += [
            byte.eq(s3_op.out_dtype == DType.INT8),
            half.eq(is_half(s3_op.out_dtype)),
            self.direction.eq(s3_op.dst_dir),
            self.group.eq(s3_op.dst[2:]),
            self.data.eq(self.result),
        ]
        stream = [self.result.word_select(index, self.lanes * 8) for index in range(_BYTES)]
        with m.If(byte):
            m.d.comb += self.data.eq(Cat(stream[0] for _ in range(_BYTES)))
        with m.If(half):
            m.d.comb += self.data.eq(Cat(stream[:2], stream[:2]))
        with m.If(s3_valid & s3_op.drive):
            m.d.comb += self.mask.eq(Mux(byte, 1, Mux(half, 3, 15)) << first)
        return m

    def _functions(self, m: Module, op: data.View) -> Signal:
        """Results of the function lanes, in cycle 2."""
        m.domains.function = ClockDomain(reset_less=True, local=True)
        s1_function = Signal(3)
        results = Signal(_BYTES * self.lanes * 8, name="function_results")
        m.d.comb += [
            ClockSignal("function").eq(self.function_clock),
            self.function_op.eq(op.valid & is_function(op.opcode)),
        ]
        m.d.sync += self.function_busy.eq(self.function_op)
        m.d.function += s1_function.eq(function_code(op.opcode))
        m.submodules.function_lanes = place(
            VxmFunctionLanes(lanes=self.lanes),
            clk=self.function_clock,
            operands=self._operand(m, "a", op, en=self.function_op, domain="function"),
            function=s1_function,
            results=results,
        )
        return results

    def _operand(
        self, m: Module, name: str, op: data.View, *, en: Value, size: int = _BYTES, domain: str = "sync"
    ) -> Signal:
        """Operand `name` in a register, `size` streams; all that the ALU reads of streams and mesh is read here."""
        bits = size * self.lanes * 8
        groups = self.streams // size
        index = op[f"{name}_index"]
        first = (size - 1).bit_length()
        word = Signal(bits, name=f"s1_{domain}_{name}")
        m.submodules[f"{domain}_{name}"] = Instance(
            "takt_operand",
            p_WIDTH=bits,
            p_GROUPS=groups,
            p_ROWS=self.rows,
            i_clk=ClockSignal(domain),
            i_en=en,
            i_source=op[f"{name}_src"],
            i_direction=op[f"{name}_dir"],
            i_group=index[first : first + max(1, (groups - 1).bit_length())],
            i_row=index[:2],
            i_east=self.east,
            i_west=self.west,
            i_mesh=Cat(self.mesh.word_select(row, _BYTES * self.lanes * 8)[:bits] for row in range(self.rows)),
            i_own=self.result[:bits],
            o_word=word,
        )
        return word
