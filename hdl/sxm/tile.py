"""Base of the tiles of SXM units."""

from amaranth.hdl import Module, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from arch.config import Config
from hdl.ecc.reader import EccReader, ecc_ports
from hdl.stream.select import select_stream

__all__ = ["SxmTile"]


class SxmTile(wiring.Component):
    """One superlane of a unit: the micro-op, which climbs, and the stream registers; the base of a class per kind.

    Parameters
    ----------
    config
        The machine.
    op
        Layout of the micro-op; it has a member ``valid``.
    **own
        Further ports.

    Attributes
    ----------
    op_in : in of the layout
        Micro-op of this tile.
    east, west : in streams * stream_bits
        Stream registers of this superlane.
    op : out of the layout
        `op_in` one cycle later, for the tile above.
    corrected, uncorrectable : out 1
        With ECC: see `hdl.ecc.reader.ecc_ports`.
    """

    def __init__(self, *, config: Config, op: data.StructLayout, **own: wiring.Member) -> None:
        self.config = config
        wide = config.streams * config.stream_bits
        super().__init__(
            {"op_in": In(op), "east": In(wide), "west": In(wide), "op": Out(op), **ecc_ports(config), **own}
        )

    def climb(self, m: Module) -> None:
        """Add the register of the micro-op."""
        m.d.sync += self.op.valid.eq(self.op_in.valid)
        with m.If(self.op_in.valid):
            m.d.sync += self.op.eq(self.op_in)

    def stream(self, m: Module, ecc: EccReader, name: str, *, en: Value, direction: Value, stream: Value) -> Value:
        """Add the choice of one stream, in a submodule of that name; return its data. See `select_stream`."""
        m.submodules[name] = choice = Module()
        word = select_stream(choice, self.config, self.east, self.west, en=en, direction=direction, stream=stream)
        return ecc.read(word, en=en)
