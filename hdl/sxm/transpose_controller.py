"""The controller of the transpose unit."""

from amaranth.hdl import Module, Value

from arch.config import Config
from arch.isa.table import BY_MNEMONIC
from hdl.icu.decode import fields_of
from hdl.stream_set import stream_set
from hdl.sxm.controller import SxmController
from hdl.sxm.micro_op import transpose_op

__all__ = ["TransposeController"]


class TransposeController(SxmController):
    """TRANSPOSE; ports as `SxmController`.

    Parameters
    ----------
    config
        The machine.
    """

    def __init__(self, *, config: Config) -> None:
        super().__init__(config=config, op=transpose_op(config))

    def decode(self, m: Module) -> None:
        """See `SxmController.decode`."""
        fields = fields_of(BY_MNEMONIC["TRANSPOSE"], self.issue_word)
        in_group = (self.config.lanes - 1).bit_length()
        m.d.sync += [
            self.op.src_dir.eq(fields.src_dir),
            self.op.src.eq(fields.src[in_group:]),
            self.op.dst_dir.eq(fields.dst_dir),
            self.op.dst.eq(fields.dst[in_group:]),
        ]

    def operands(self) -> Value:
        """See `SxmController.operands`."""
        return stream_set(self.op.valid, self.op.src_dir, self.op.src, self.config.lanes, self.config.streams)
