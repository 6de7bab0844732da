"""Registers in which a vector waits for its last superlane."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from arch.config import Config

__all__ = ["Deskew"]


class Deskew(wiring.Component):
    """Takes the stagger out of a vector: what superlane r has in cycle x + r is at `aligned` in cycle x + S - 1.

    One vector per cycle.

    Parameters
    ----------
    config
        The machine; S is its `superlanes`.
    width
        Bits of one superlane.

    Attributes
    ----------
    valid : in S
        Bit r: superlane r has its part in this cycle.
    parts, aligned : in, out S * width
        Superlane 0 lowest.
    """

    def __init__(self, *, config: Config, width: int) -> None:
        self.config = config
        self.width = width
        rows = config.superlanes
        super().__init__({"valid": In(rows), "parts": In(rows * width), "aligned": Out(rows * width)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        rows = self.config.superlanes
        aligned = []
        # Superlane r waits S - 1 - r cycles for the top one.
        for row in range(rows):
            value = self.parts.word_select(row, self.width)
            for above in range(row + 1, rows):
                later = Signal(self.width, name=f"part{row}_at{above}", reset_less=True)
                with m.If(self.valid[above - 1]):
                    m.d.sync += later.eq(value)
                value = later
            aligned.append(value)
        m.d.comb += self.aligned.eq(Cat(aligned))
        return m
