"""The controller of the permute and of the distribute unit."""

from amaranth.hdl import Module, Mux, Value

from arch.config import Config
from arch.isa.table import BY_MNEMONIC
from hdl.icu.decode import fields_of, has_opcode
from hdl.stream_set import stream_set
from hdl.sxm.controller import SxmController
from hdl.sxm.micro_op import MAP_STREAMS, mapped_op

__all__ = ["MappedController"]


class MappedController(SxmController):
    """PERMUTE or DISTRIBUTE, and LOADMAP; ports as `SxmController`.

    Parameters
    ----------
    config
        The machine.
    mnemonic
        Which of the two.
    """

    def __init__(self, *, config: Config, mnemonic: str) -> None:
        self.mnemonic = mnemonic
        super().__init__(config=config, op=mapped_op(config, mnemonic))

    def decode(self, m: Module) -> None:
        """See `SxmController.decode`."""
        moved = fields_of(BY_MNEMONIC[self.mnemonic], self.issue_word)
        loaded = fields_of(BY_MNEMONIC["LOADMAP"], self.issue_word)
        load = has_opcode("LOADMAP", self.issue_word)
        in_group = (MAP_STREAMS[self.mnemonic] - 1).bit_length()
        m.d.sync += [
            self.op.load.eq(load),
            self.op.streamed.eq(load | moved.streamed),
            self.op.register.eq(Mux(load, loaded.register, moved.register)),
            self.op.map_dir.eq(Mux(load, loaded.map_dir, moved.map_dir)),
            self.op.map.eq(Mux(load, loaded.map, moved.map)[in_group:]),
            self.op.src_dir.eq(moved.src_dir),
            self.op.src.eq(moved.src),
            self.op.dst_dir.eq(moved.dst_dir),
            self.op.dst.eq(moved.dst),
        ]

    def operands(self) -> Value:
        """See `SxmController.operands`."""
        op, streams = self.op, self.config.streams
        return stream_set(op.valid & ~op.load, op.src_dir, op.src, 1, streams) | stream_set(
            op.valid & op.streamed, op.map_dir, op.map, MAP_STREAMS[self.mnemonic], streams
        )
