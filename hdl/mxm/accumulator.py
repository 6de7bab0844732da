"""Accumulator memory of one superlane of a plane."""

from amaranth.hdl import Cat, ClockSignal, Instance, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from arch.config import Config
from arch.geometry import Direction
from arch.timing import timing
from hdl.mxm.fp32_sums import Fp32Sums
from hdl.mxm.micro_op import result_op
from hdl.mxm.supercell import SUM_SLOT
from hdl.shared import place
from hdl.stream_driver import stream_driver

__all__ = ["Accumulator"]

_SUM_BYTES = SUM_SLOT // 8


class Accumulator(wiring.Component):
    """Adds results of the array to stored sums (int32, wraps; fp32), and presents them to the stream register.

    The result at `result` and the micro-op at `op_in` of one cycle give `data` in the next; one result per cycle,
    also to the same address.

    Parameters
    ----------
    config
        The machine.
    inward
        Code of the direction of its streams.
    fp16
        Whether it accumulates fp16 results too.

    Attributes
    ----------
    op_in : in result_op
        Micro-op of this tile.
    op : out result_op
        The same one cycle later, for the tile above.
    result : in lanes * 32
        Results of the array, int32, column 0 lowest.
    fp16_result : in lanes * 32
        With `fp16`: fp32 results, likewise, which micro-ops with ``fp32`` take.
    fp32_clock : in 1
        With `fp16`: clock for what they need, running in the cycles in which they are at `op_in`.
    driver : stream_driver of 4 streams
        Stream b of the group carries byte b of every sum.
    """

    def __init__(self, *, config: Config, inward: Direction, fp16: bool) -> None:
        self.config = config
        self.inward = inward
        self.fp16 = fp16
        assert timing(config)["ACC"].d_func == 3, "read, sum, stream register"
        super().__init__(
            {
                "op_in": In(result_op(config)),
                "op": Out(result_op(config)),
                "result": In(config.lanes * SUM_SLOT),
                "fp16_result": In(config.lanes * SUM_SLOT),
                "fp32_clock": In(1),
                "driver": Out(stream_driver(config, _SUM_BYTES)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        width = self.config.lanes * SUM_SLOT

        # Cycle 0: read the stored sums, take the result. The sums of the element just before are not written yet.
        stored, stored_fp32 = Signal(width), Signal(width)
        reads, takes_fp32 = Signal(), Signal()
        m.d.comb += [
            takes_fp32.eq(self.op_in.valid & self.op_in.fp32 & self.fp16),
            reads.eq(self.op_in.valid & self.op_in.add),
        ]
        s1_result = Signal(width, reset_less=True)
        s1_forward = Signal(reset_less=True)
        m.d.sync += self.op.valid.eq(self.op_in.valid)
        with m.If(self.op_in.valid):
            m.d.sync += [
                self.op.eq(self.op_in),
                s1_result.eq(self.result),
                # The element before has not written yet when this one reads: its sum is forwarded where both have one
                # address.
                s1_forward.eq(self.op.valid & (self.op.addr == self.op_in.addr)),
            ]

        fp32_sum = Signal(width)
        if self.fp16:
            m.submodules.fp32_adders = place(
                Fp32Sums(lanes=self.config.lanes),
                clk=self.fp32_clock,
                take=takes_fp32,
                add=self.op_in.add,
                result=self.fp16_result,
                stored=stored_fp32,
                sum=fp32_sum,
            )

        # Cycle 1: sum, to the stream register and to the memory.
        s1_sum = Signal(width)
        s2_sum = Signal(width, reset_less=True)
        sums = []
        for column in range(self.config.lanes):
            before = Mux(s1_forward, s2_sum.word_select(column, SUM_SLOT), stored.word_select(column, SUM_SLOT))
            total = Signal(SUM_SLOT, name=f"s1_sum{column}")
            m.d.comb += total.eq(s1_result.word_select(column, SUM_SLOT) + Mux(self.op.add, before, 0))
            if self.fp16:
                with m.If(self.op.fp32):
                    m.d.comb += total.eq(fp32_sum.word_select(column, SUM_SLOT))
            sums.append(total)
        m.d.comb += s1_sum.eq(Cat(sums))
        with m.If(self.op.valid):
            m.d.sync += s2_sum.eq(s1_sum)
        m.submodules.memory = Instance(
            "takt_sram_1r1w",
            p_WIDTH=width,
            p_DEPTH=self.config.acc_depth,
            i_clk=ClockSignal(),
            # One read address, two registers behind it: the second has the clock of the fp32 adders, which stands still
            # in int8 programs.
            i_re=reads & ~takes_fp32,
            i_raddr=self.op_in.addr,
            o_rdata=stored,
            i_clk2=self.fp32_clock,
            i_re2=reads & takes_fp32,
            o_rdata2=stored_fp32,
            i_we=self.op.valid,
            i_waddr=self.op.addr,
            i_wdata=s1_sum,
        )
        m.d.comb += [
            self.driver.mask.eq((self.op.valid & self.op.emit).replicate(_SUM_BYTES)),
            self.driver.direction.eq(self.inward),
            self.driver.group.eq(self.op.group),
            self.driver.data.eq(Cat(total.word_select(byte, 8) for byte in range(_SUM_BYTES) for total in sums)),
        ]
        return m
