"""One ALU of the mesh in one superlane."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from arch.config import Config
from arch.formats import DType
from arch.isa.table import BY_MNEMONIC, Source
from arch.timing import timing
from hdl.shared import place
from hdl.stream.group import group_bits
from hdl.vxm.capability import capability
from hdl.vxm.lane_control import FINISH_CONTROL, decode_finish, decode_lane
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
    multiply, float_add : bool
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
    """

    def __init__(self, *, lanes: int, streams: int, rows: int, multiply: bool, float_add: bool) -> None:
        self.lanes = lanes
        self.streams = streams
        self.rows = rows
        self.multiply = multiply
        self.float_add = float_add
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
            }
        )

    @classmethod
    def of_column(cls, config: Config, column: int) -> "VxmAlu":
        """Return an ALU of a mesh column."""
        assert timing(config).chain == timing(config).held == _STAGES
        able = capability(config, column)
        return cls(
            lanes=config.lanes,
            streams=config.streams,
            rows=config.alu_rows,
            multiply=able.multiply,
            float_add=able.float_add,
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        vector = _BYTES * self.lanes * 8
        op = data.View(MICRO_OP, self.op)

        # Cycle 0: read operands.
        s1_op = Signal(MICRO_OP, reset_less=True)
        s1_valid, s2_valid, s3_valid = Signal(), Signal(), Signal()
        s1_a, s1_b = Signal(vector, reset_less=True), Signal(vector, reset_less=True)
        s1_c = Signal(self.lanes * 8, reset_less=True)
        m.d.sync += [
            s1_op.eq(op),
            s1_valid.eq(op.valid),
            s1_a.eq(self._read(op.a_src, op.a_dir, op.a_index)),
            s1_b.eq(self._read(op.b_src, op.b_dir, op.b_index)),
        ]
        with m.If(op.opcode == BY_MNEMONIC["SEL"].opcode):
            m.d.sync += s1_c.eq(self._read_mask(op.c_src, op.c_dir, op.c_index))

        # Cycle 1: operate.
        s1_control = decode_lane(m, s1_op)
        s2_op = Signal(MICRO_OP, reset_less=True)
        s2_finish = Signal(FINISH_CONTROL, reset_less=True)
        m.d.sync += [s2_op.eq(s1_op), s2_valid.eq(s1_valid), s2_finish.eq(decode_finish(m, s1_op))]

        # Cycle 2: round or narrow.
        s3_op = Signal(MICRO_OP, reset_less=True)
        m.d.sync += [s3_op.eq(s2_op), s3_valid.eq(s2_valid)]
        m.submodules.lanes = place(
            VxmLanes(lanes=self.lanes, multiply=self.multiply, float_add=self.float_add),
            a=s1_a,
            b=s1_b,
            c=s1_c,
            control=s1_control.as_value(),
            finish=s2_finish.as_value(),
            store=s2_valid,
            result=self.result,
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

    def _read(self, source: Value, direction: Value, index: Value) -> Value:
        """Four streams, or a result, for an operand."""
        vector = _BYTES * self.lanes * 8
        streams = Mux(direction, self.west.word_select(index[2:], vector), self.east.word_select(index[2:], vector))
        results = Mux(source == Source.MESH, self.mesh.word_select(index[:2], vector), self.result)
        return Mux(source == Source.ZERO, 0, Mux(source == Source.STREAM, streams, results))

    def _read_mask(self, source: Value, direction: Value, index: Value) -> Value:
        """One stream, or the lowest byte of a result."""
        bits = self.lanes * 8
        stream = Mux(direction, self.west.word_select(index, bits), self.east.word_select(index, bits))
        mesh = self.mesh.word_select(Cat(Const(0, 2), index[:2]), bits)
        result = Mux(source == Source.MESH, mesh, self.result[:bits])
        return Mux(source == Source.ZERO, 0, Mux(source == Source.STREAM, stream, result))
