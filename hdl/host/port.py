"""Host port: a Wishbone slave onto registers, queues and MEM."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from arch.config import Config
from arch.host import (
    ADR_BITS,
    COUNTER_BITS,
    FLIPS,
    REGION_SHIFT,
    SLICE_SHIFT,
    TILE_SHIFT,
    Ctrl,
    Region,
    Register,
    Status,
)
from arch.isa.instruction import WORD_BITS
from hdl.ecc.encode import encode_words
from hdl.ecc.reader import EccReader

__all__ = ["HostPort"]

REGISTER_BITS = 32


class HostPort(wiring.Component):
    """Wishbone B4 pipelined slave: takes a beat per cycle, never stalls, answers every beat in order.

    With ECC it makes the check bits of what it writes to MEM, flips bits of it as the FLIP registers say, and corrects
    what it reads.

    Latency from `stb` to `ack`: ``3 + sram_latency`` cycles, for every region. Map: `arch.host`. While the machine is
    busy, beats to queues and MEM are answered and have no effect.

    Parameters
    ----------
    config

    Attributes
    ----------
    cyc, stb, we, adr, dat_w : in; ack, dat_r : out
        The bus; ``8 * lanes`` data bits.
    busy, done, fault, cycle, fault_kind, fault_unit, fault_cycle : in
        Shown in the registers.
    ecc_count, ecc_unit, ecc_cycle : in
        Likewise, with ECC only.
    go, clear : out 1
        START and CLEAR.
    push : out; push_queue : out 8; push_word : out 64
        A word for a queue.
    mem_en, mem_we, mem_slice, mem_tile, mem_addr, mem_data : out
        One access of one tile of one slice, from registers.
        `mem_data` has `stream_bits`.
    mem_read : in stream_bits
        Its data, ``sram_latency`` cycles after `mem_en`; 0 in other cycles or don't care.
    """

    def __init__(self, *, config: Config) -> None:
        self.config = config
        data = 8 * config.lanes
        super().__init__(
            {
                "cyc": In(1),
                "stb": In(1),
                "we": In(1),
                "adr": In(ADR_BITS),
                "dat_w": In(data),
                "ack": Out(1),
                "dat_r": Out(data),
                "busy": In(1),
                "done": In(1),
                "fault": In(1),
                "cycle": In(COUNTER_BITS),
                "fault_kind": In(8),
                "fault_unit": In(8),
                "fault_cycle": In(COUNTER_BITS),
                "go": Out(1),
                "clear": Out(1),
                "push": Out(1),
                "push_queue": Out(8),
                "push_word": Out(WORD_BITS),
                "mem_en": Out(1),
                "mem_we": Out(1),
                "mem_slice": Out(REGION_SHIFT - SLICE_SHIFT),
                "mem_tile": Out(SLICE_SHIFT - TILE_SHIFT),
                "mem_addr": Out(TILE_SHIFT),
                "mem_data": Out(config.stream_bits),
                "mem_read": In(config.stream_bits),
                **({"ecc_count": In(32), "ecc_unit": In(8), "ecc_cycle": In(COUNTER_BITS)} if config.ecc else {}),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        data_bits = 8 * self.config.lanes

        # Cycle 1: the beat in registers, decoded. They move only with beats of their own.
        s1_valid, s1_we = Signal(), Signal()
        s1_adr = Signal(ADR_BITS)
        s1_data = Signal(data_bits)
        m.d.sync += s1_valid.eq(self.cyc & self.stb)
        with m.If(self.cyc & self.stb):
            m.d.sync += [s1_we.eq(self.we), s1_adr.eq(self.adr), s1_data.eq(self.dat_w)]
        region = s1_adr[REGION_SHIFT:]
        idle_beat = Signal()
        m.d.comb += idle_beat.eq(s1_valid & ~self.busy)
        to_register = Signal()
        m.d.comb += to_register.eq(s1_valid & s1_we & (region == Region.REGISTERS))
        write = to_register & (s1_adr[:REGION_SHIFT] == Register.CTRL)
        m.d.sync += [
            self.go.eq(write & (s1_data & Ctrl.START).any()),
            # CLEAR is refused while the machine runs, whose queues must not change under it; RunControl refuses START.
            self.clear.eq(write & (s1_data & Ctrl.CLEAR).any() & ~self.busy),
        ]

        # Cycle 2: the access.
        mem = Signal()
        coded = self._coded(m, to_register, s1_adr, s1_data)
        m.d.comb += mem.eq(idle_beat & (region == Region.MEM))
        m.d.sync += self.mem_en.eq(mem)
        with m.If(mem):
            m.d.sync += [
                self.mem_we.eq(s1_we),
                self.mem_slice.eq(s1_adr[SLICE_SHIFT:REGION_SHIFT]),
                self.mem_tile.eq(s1_adr[TILE_SHIFT:SLICE_SHIFT]),
                self.mem_addr.eq(s1_adr[:TILE_SHIFT]),
                self.mem_data.eq(coded),
            ]
        self._push(m, idle_beat & s1_we & (region == Region.QUEUES), s1_adr, s1_data)

        # Cycle 2 + sram_latency: the data is there; cycle 3 + sram_latency: it is on the bus.
        valid, adr = s1_valid, s1_adr
        for stage in range(1 + self.config.sram_latency):
            next_valid = Signal(name=f"s{stage + 2}_valid")
            next_adr = Signal(ADR_BITS, name=f"s{stage + 2}_adr")
            m.d.sync += next_valid.eq(valid)
            with m.If(valid):
                m.d.sync += next_adr.eq(adr)
            valid, adr = next_valid, next_adr
        mem_data = self._corrected(m)
        m.d.sync += self.ack.eq(valid)
        with m.If(valid):
            is_mem = adr[REGION_SHIFT:] == Region.MEM
            m.d.sync += self.dat_r.eq(Mux(is_mem, mem_data, self._register(m, adr)))
        return m

    def _coded(self, m: Module, to_register: Value, adr: Signal, data: Signal) -> Value:
        """Return the word that goes to MEM, and add the FLIP registers."""
        if not self.config.ecc:
            return data
        flips = Signal(REGISTER_BITS * len(FLIPS))
        for index, register in enumerate(FLIPS):
            with m.If(to_register & (adr[:REGION_SHIFT] == register)):
                m.d.sync += flips.word_select(index, REGISTER_BITS).eq(data)
        # Behind the encoder: flips may hit check bits as well as data.
        return encode_words(m, self.config, "host", data) ^ flips[: self.config.stream_bits]

    def _corrected(self, m: Module) -> Value:
        """Return the data of the word that comes from MEM; nothing is reported."""
        return EccReader(m, self.config).read(self.mem_read)

    def _push(self, m: Module, push: Signal, adr: Signal, data: Signal) -> None:
        """Put 64-bit words together from beats; the last beat of a word pushes it."""
        with m.If(push):
            m.d.sync += self.push_queue.eq(adr[1:9])
        if len(data) >= WORD_BITS:
            m.d.sync += self.push.eq(push)
            with m.If(push):
                m.d.sync += self.push_word.eq(data)
        else:
            half = adr[0]
            m.d.sync += self.push.eq(push & half)
            with m.If(push):
                # A narrow bus brings a word in two beats, the low half first; the second one pushes.
                m.d.sync += self.push_word.word_select(half, REGISTER_BITS).eq(data)

    def _register(self, m: Module, adr: Signal) -> Signal:
        value = Signal(REGISTER_BITS)
        identity = Const(self.config.fingerprint, 64)
        status = Cat(
            Mux(self.busy, Status.RUNNING, 0) | Mux(self.done, Status.DONE, 0) | Mux(self.fault, Status.FAULT, 0)
        )
        values = {
            Register.ID_LO: identity[:REGISTER_BITS],
            Register.ID_HI: identity[REGISTER_BITS:],
            Register.STATUS: status,
            Register.CYCLES_LO: self.cycle[:REGISTER_BITS],
            Register.CYCLES_HI: self.cycle[REGISTER_BITS:],
            Register.FAULT_KIND: self.fault_kind,
            Register.FAULT_UNIT: self.fault_unit,
            Register.FAULT_CYCLE_LO: self.fault_cycle[:REGISTER_BITS],
            Register.FAULT_CYCLE_HI: self.fault_cycle[REGISTER_BITS:],
        }
        if self.config.ecc:
            values |= {
                Register.ECC_COUNT: self.ecc_count,
                Register.ECC_UNIT: self.ecc_unit,
                Register.ECC_CYCLE_LO: self.ecc_cycle[:REGISTER_BITS],
                Register.ECC_CYCLE_HI: self.ecc_cycle[REGISTER_BITS:],
            }
        with m.If(adr[REGION_SHIFT:] == Region.REGISTERS), m.Switch(adr[:REGION_SHIFT]):
            for register, shown in values.items():
                with m.Case(register):
                    m.d.comb += value.eq(shown)
        return value
