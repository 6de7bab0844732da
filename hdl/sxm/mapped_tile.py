"""Tile through which the operands of one superlane enter a permute or distribute unit."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib.wiring import In, Out

from arch.config import Config
from arch.isa.codes import MAP_REGISTERS
from hdl.ecc.reader import EccReader
from hdl.sxm.micro_op import MAP_STREAMS, mapped_op
from hdl.sxm.tile import SxmTile

__all__ = ["MappedTile"]


class MappedTile(SxmTile):
    """Takes the source and the lane map of a micro-op, and holds this superlane's map registers.

    A register that a LOADMAP fills is there for the micro-op in the next cycle; registers survive reset. Further ports
    as `SxmTile`.

    Parameters
    ----------
    config
        The machine.
    mnemonic
        PERMUTE or DISTRIBUTE.

    Attributes
    ----------
    choices
        Lanes that a map chooses from, n: all for PERMUTE, those of a superlane for DISTRIBUTE.
    on : in 1
        This superlane acts on the micro-op.
    src : out lanes * 8
        The source, in the cycle of `op`; zero unless `on`.
    map : out lanes * log2(n + 1)
        The lane map in that cycle; n stands for every lane that does not exist. Only if `on`.
    """

    def __init__(self, *, config: Config, mnemonic: str) -> None:
        self.mnemonic = mnemonic
        self.choices = config.vector_length if mnemonic == "PERMUTE" else config.lanes
        super().__init__(
            config=config,
            op=mapped_op(config, mnemonic),
            on=In(1),
            src=Out(config.lanes * 8),
            map=Out(config.lanes * self.choices.bit_length()),
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        op = self.op_in
        self.climb(m)
        moves, loads = op.valid & ~op.load, op.valid & op.load & self.on
        ecc = EccReader(m, self.config)
        source = self.stream(m, ecc, "source", en=moves & self.on, direction=op.src_dir, stream=op.src)
        arriving = self._arriving(m, ecc)
        registers = [Signal(len(arriving), name=f"map{index}", reset_less=True) for index in range(MAP_REGISTERS)]
        with m.If(moves):
            m.d.sync += self.src.eq(source)
        # What a superlane that is off has in its map register, and on its way, stays as it is.
        with m.If(moves & self.on):
            with m.If(op.streamed):
                m.d.sync += self.map.eq(arriving)
            with m.Else(), m.Switch(op.register):
                for index, register in enumerate(registers):
                    with m.Case(index):
                        m.d.sync += self.map.eq(register)
        with m.If(loads), m.Switch(op.register):
            for index, register in enumerate(registers):
                with m.Case(index):
                    m.d.sync += register.eq(arriving)
        ecc.report(self)
        return m

    def _arriving(self, m: Module, ecc: EccReader) -> Signal:
        """Return the map on the streams, its numbers no longer than they need be."""
        op, lanes, size = self.op_in, self.config.lanes, MAP_STREAMS[self.mnemonic]
        in_group = (size - 1).bit_length()
        streams = [
            self.stream(
                m,
                ecc,
                f"map_byte{place}",
                en=op.valid & op.streamed & self.on,
                direction=op.map_dir,
                stream=Cat((place >> bit & 1 for bit in range(in_group)), op.map),
            )
            for place in range(size)
        ]
        numbers: list[Value] = []
        for lane in range(lanes):
            number = Signal(8 * size, name=f"number{lane}")
            m.d.comb += number.eq(Cat(stream.word_select(lane, 8) for stream in streams))
            # All numbers that name no lane mean the same: one value stands for them, and a map register holds a few
            # bits per lane.
            numbers.append(Mux(number < self.choices, number, self.choices)[: self.choices.bit_length()])
        arriving = Signal(len(self.map))
        m.d.comb += arriving.eq(Cat(numbers))
        return arriving
