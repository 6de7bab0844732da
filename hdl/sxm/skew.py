"""Registers in which the superlanes of a vector wait for their turn to drive."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from arch.config import Config
from hdl.span import span_shape

__all__ = ["Skew"]


class Skew(wiring.Component):
    """Puts the stagger back into a vector: superlane r of what comes in cycle x leaves in cycle x + 1 + r.

    One vector per cycle.

    Parameters
    ----------
    config
        The machine; S is its `superlanes`.

    Attributes
    ----------
    valid, span, direction, stream, vector : in 1, log2(S + 1), 1, log2(streams), S * lanes * 8
        A vector, the superlanes that drive it, and the stream for it; superlane 0 lowest.
    mask, directions, groups, data : out S, S, S * log2(streams), S * lanes * 8
        Drivers of the stream registers, superlane 0 lowest.
    """

    def __init__(self, *, config: Config) -> None:
        self.config = config
        rows = config.superlanes
        self._stream_bits = (config.streams - 1).bit_length()
        super().__init__(
            {
                "valid": In(1),
                "span": In(span_shape(config)),
                "direction": In(1),
                "stream": In(self._stream_bits),
                "vector": In(config.vector_length * 8),
                "mask": Out(rows),
                "directions": Out(rows),
                "groups": Out(rows * self._stream_bits),
                "data": Out(config.vector_length * 8),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        rows, width = self.config.superlanes, self.config.lanes * 8
        valid, span, direction, stream = self.valid, self.span, self.direction, self.stream
        waiting = [self.vector.word_select(row, width) for row in range(rows)]
        masks, directions, streams, outputs = [], [], [], []
        for row in range(rows):
            later_valid = Signal(name=f"out{row}_valid")
            later_span = Signal(len(span), name=f"out{row}_span", reset_less=True)
            later_direction = Signal(name=f"out{row}_direction", reset_less=True)
            later_stream = Signal(self._stream_bits, name=f"out{row}_stream", reset_less=True)
            later_data = [Signal(width, name=f"out{row}_data{above}", reset_less=True) for above in range(row, rows)]
            m.d.sync += later_valid.eq(valid)
            with m.If(valid):
                m.d.sync += [later_span.eq(span), later_direction.eq(direction), later_stream.eq(stream)]
                m.d.sync += [later.eq(value) for later, value in zip(later_data, waiting, strict=True)]
            valid, span, direction, stream = later_valid, later_span, later_direction, later_stream
            masks.append(valid & (span > row))
            directions.append(direction)
            streams.append(stream)
            outputs.append(later_data[0])
            # Superlane r waits r cycles longer than superlane 0: a triangle of registers, of which each row drops one.
            waiting = later_data[1:]
        m.d.comb += [
            self.mask.eq(Cat(masks)),
            self.directions.eq(Cat(directions)),
            self.groups.eq(Cat(streams)),
            self.data.eq(Cat(outputs)),
        ]
        return m
