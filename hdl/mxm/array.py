"""The multiply-accumulator array of a plane, with its weight buffers."""

from amaranth.hdl import Const, Module
from amaranth.lib import wiring

from arch.config import Config
from hdl.mxm.array_port import array_port, psum_bits, row_inputs
from hdl.mxm.row import Row
from hdl.shared import place

__all__ = ["Array"]


class Array(wiring.Component):
    """S rows of S supercells.

    Row r belongs to superlane r of the streams, column block c to superlane c of the results.
    Activations that enter row r in cycle x + r give `result` of block c in cycle x + S + 2 + c.

    Parameters
    ----------
    config
        The machine; S is its `superlanes`.

    Attributes
    ----------
    load_clock, load_reset, array_clock, array_reset, load, reach, columns, valid, install, x, result
        See `array_port`.
    """

    def __init__(self, *, config: Config) -> None:
        self.config = config
        super().__init__(dict(array_port(config).flip().members))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        lanes = self.config.lanes
        psum = Const(0, len(self.result))
        for index in range(self.config.superlanes):
            m.submodules[f"row{index}"] = place(
                row := Row(lanes=lanes, superlanes=self.config.superlanes, psum_bits=psum_bits(self.config)),
                psum_in=psum,
                **row_inputs(self, index, self.config.superlanes),
            )
            psum = row.psum
        m.d.comb += self.result.eq(psum)
        return m
