"""The controller of one ALU: from queue words to micro-ops."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from arch.config import Config
from arch.formats import DType
from arch.isa.codes import Source
from arch.isa.instruction import WORD_BITS
from arch.isa.table import BY_MNEMONIC
from arch.timing import timing
from hdl.span import span_shape
from hdl.vxm.micro_op import MICRO_OP, climbing_op, micro_op
from hdl.vxm.width import is_two_bytes

__all__ = ["VxmController"]


_DRIVE = data.StructLayout({"valid": 1, "streams": 1, "dtype": 3, "direction": 1, "first": 5})
"""A result on its way: that there is one, that it goes to streams, and to which."""


class VxmController(wiring.Component):
    """Turn the words of an ALU's queue into micro-ops for tile 0, and watch its operands and streams.

    A word is one operation: issued in cycle t, its micro-op stands in cycle t + 1; the result is on the mesh in cycle
    ``t + 1 + chain``.

    Parameters
    ----------
    config : Config

    Attributes
    ----------
    start : Signal(1), in
        The cycle before cycle 0.
    issue_valid : Signal(1), in
    issue_word : Signal(64), in
        A legal word of a VXM queue.
    issue_span : Signal, in
        Superlanes that it acts on.
    mesh_valid : Signal(alu_rows), in
        `result_valid` of the controllers of the previous mesh column, row 0 lowest.
    op : Signal(climbing_op.size), out
    element : Signal(1), out
        In the cycle of the issue.
    pending, busy_fault : Signal(1), out
        Always 0: the VXM has no bursts.
    operand_missed_fault : Signal(1), out
        In cycle t + 1: a mesh operand's ALU has no result in exactly this cycle.
    result_valid : Signal(1), out
        A result of this ALU appears on the mesh in this cycle.
    reads : Signal(2 * streams), out
        In cycle t + 1; east at the low bits.
    drives : Signal(2 * streams), out
        In cycle t + d_func - 1.
    """

    def __init__(self, config: Config) -> None:
        self.config = config
        super().__init__(
            {
                "start": In(1),
                "issue_valid": In(1),
                "issue_word": In(WORD_BITS),
                "issue_span": In(span_shape(config)),
                "mesh_valid": In(config.alu_rows),
                "op": Out(climbing_op(config).size),
                "element": Out(1),
                "pending": Out(1),
                "busy_fault": Out(1),
                "operand_missed_fault": Out(1),
                "result_valid": Out(1),
                "reads": Out(2 * config.streams),
                "drives": Out(2 * config.streams),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        streams = self.config.streams
        table = timing(self.config)
        assert table["ADD"].d_skew == 1 and table["ADD"].d_func == table.chain + 2

        # Cycle t: issue.
        s1_op = Signal(MICRO_OP)
        s1_span = Signal(span_shape(self.config))
        m.d.comb += [self.element.eq(self.issue_valid), self.op.eq(Cat(s1_op, s1_span))]
        m.d.sync += s1_op.valid.eq(self.issue_valid & ~self.start)
        with m.If(self.issue_valid):
            m.d.sync += s1_op.as_value()[:-1].eq(micro_op(self.issue_word, Const(1))[:-1])
            m.d.sync += s1_span.eq(self.issue_span)

        # Cycle t + 1: operands.
        reads, missed = [], []
        select = s1_op.opcode == BY_MNEMONIC["SEL"].opcode
        for name, dtype, taken in (("a", s1_op.dtype, 1), ("b", s1_op.dtype, 1), ("c", Const(DType.INT8, 3), select)):
            source, index = s1_op[f"{name}_src"], s1_op[f"{name}_index"]
            used = s1_op.valid & (source == Source.STREAM) & taken
            reads.append(_streams(m, f"{name}_streams", used, dtype, s1_op[f"{name}_dir"], index, streams))
            # The mesh holds nothing: the neighbour must have issued exactly `chain` cycles before.
            missed.append((source == Source.MESH) & ~self.mesh_valid.bit_select(index[:2], 1) & taken)
        m.d.comb += [
            self.reads.eq(reads[0] | reads[1] | reads[2]),
            self.operand_missed_fault.eq(s1_op.valid & (missed[0] | missed[1] | missed[2])),
        ]

        # Cycles to t + 1 + chain: the result is on its way.
        drive = Signal(_DRIVE)
        m.d.comb += [
            drive.valid.eq(s1_op.valid),
            drive.streams.eq(s1_op.valid & s1_op.drive),
            drive.dtype.eq(s1_op.out_dtype),
            drive.direction.eq(s1_op.dst_dir),
            drive.first.eq(s1_op.dst),
        ]
        for cycle in range(table.chain):
            later = Signal(_DRIVE, name=f"s{2 + cycle}_drive")
            m.d.sync += later.eq(drive)
            with m.If(self.start):
                m.d.sync += [later.valid.eq(0), later.streams.eq(0)]
            drive = later

        m.d.comb += [
            self.result_valid.eq(drive.valid),
            self.drives.eq(_streams(m, "driven", drive.streams, drive.dtype, drive.direction, drive.first, streams)),
        ]
        return m


def _streams(m: Module, name: str, used: Value, dtype: Value, direction: Value, first: Value, streams: int) -> Signal:
    """Mask of the streams of a number, east at the low bits."""
    single, pair = dtype == DType.INT8, is_two_bytes(dtype)
    mask = Signal(2 * streams, name=name)
    group = Signal(4, name=f"{name}_group")
    # Streams of a number are adjacent and aligned, so one shift finds them.
    m.d.comb += group.eq(Mux(used, Mux(single, 0b0001, Mux(pair, 0b0011, 0b1111)), 0))
    one_way = Signal(streams, name=f"{name}_one_way")
    m.d.comb += [
        one_way.eq(group << first),
        mask.eq(Mux(direction, Cat(Const(0, streams), one_way), one_way)),
    ]
    return mask
