"""The lane shifter of a shift unit, across all superlanes."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from arch.config import Config
from arch.timing import timing
from hdl.sxm.micro_op import shift_op

__all__ = ["Shifter"]


class Shifter(wiring.Component):
    """Takes the stagger out of a vector, rotates it, joins it with another, and puts the stagger back.

    What superlane r has at `src` in cycle x + r is at `data` in cycle x + S + r. One vector per cycle.

    Parameters
    ----------
    config
        The machine; S is its `superlanes`.

    Attributes
    ----------
    op : in shift_op
        Micro-op of the top tile, in cycle x + S - 1.
    valid : in S
        Bit r: superlane r has a vector in this cycle.
    src, low : in S * lanes * 8
        The sources, superlane 0 lowest.
    mask, direction, stream, data : out S, S, S * log2(streams), S * lanes * 8
        Drivers of the stream registers, superlane 0 lowest.
    """

    def __init__(self, *, config: Config) -> None:
        self.config = config
        rows, width = config.superlanes, config.vector_length * 8
        # Read, then S cycles here up to the driver, then the stream register.
        assert timing(config)["SHIFT"].d_func == timing(config)["SHIFT"].d_skew + 1 + rows + 1
        self._stream_bits = (config.streams - 1).bit_length()
        super().__init__(
            {
                "op": In(shift_op(config)),
                "valid": In(rows),
                "src": In(width),
                "low": In(width),
                "mask": Out(rows),
                "direction": Out(rows),
                "stream": Out(rows * self._stream_bits),
                "data": Out(width),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        rows, lanes = self.config.superlanes, self.config.lanes
        width = lanes * 8

        # Superlane r waits S - 1 - r cycles for the top one.
        aligned: dict[str, list[Signal]] = {"src": [], "low": []}
        for name, port in (("src", self.src), ("low", self.low)):
            for row in range(rows):
                value = port.word_select(row, width)
                for above in range(row, rows - 1):
                    later = Signal(width, name=f"{name}{row}_at{above + 1}", reset_less=True)
                    with m.If(self.valid[above]):
                        m.d.sync += later.eq(value)
                    value = later
                aligned[name].append(value)

        # Rotate up by 1, 2, 4 ... lanes; keep one side of the bound.
        length = self.config.vector_length
        rotated = Cat(aligned["src"])
        for bit in range(len(self.op.rotate)):
            stage = Signal(length * 8, name=f"rotated_{1 << bit}")
            top = (length - (1 << bit)) * 8
            with m.If(self.op.rotate[bit]):
                m.d.comb += stage.eq(Cat(rotated[top:], rotated[:top]))
            with m.Else():
                m.d.comb += stage.eq(rotated)
            rotated = stage
        keep = Signal(length * 8)
        m.d.comb += keep.eq(Cat(((lane < self.op.bound) == self.op.below).replicate(8) for lane in range(length)))
        joined = (rotated & keep) | (Cat(aligned["low"]) & ~keep)

        # Superlane r leaves r cycles after superlane 0.
        valid, direction, stream = self.op.valid, self.op.dst_dir, self.op.dst
        waiting = [joined[row * width : (row + 1) * width] for row in range(rows)]
        masks, directions, streams, outputs = [], [], [], []
        for row in range(rows):
            later_valid = Signal(name=f"out{row}_valid")
            later_direction = Signal(name=f"out{row}_direction", reset_less=True)
            later_stream = Signal(self._stream_bits, name=f"out{row}_stream", reset_less=True)
            later_data = [Signal(width, name=f"out{row}_data{above}", reset_less=True) for above in range(row, rows)]
            m.d.sync += later_valid.eq(valid)
            with m.If(valid):
                m.d.sync += [later_direction.eq(direction), later_stream.eq(stream)]
                m.d.sync += [later.eq(value) for later, value in zip(later_data, waiting, strict=True)]
            valid, direction, stream = later_valid, later_direction, later_stream
            masks.append(valid)
            directions.append(direction)
            streams.append(stream)
            outputs.append(later_data[0])
            waiting = later_data[1:]
        m.d.comb += [
            self.mask.eq(Cat(masks)),
            self.direction.eq(Cat(directions)),
            self.stream.eq(Cat(streams)),
            self.data.eq(Cat(outputs)),
        ]
        return m
