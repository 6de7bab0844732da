"""The controller of a shift unit."""

from amaranth.hdl import Module, Mux, Value

from arch.config import Config
from arch.isa.table import BY_MNEMONIC
from hdl.icu.decode import fields_of, has_opcode
from hdl.stream_set import stream_set
from hdl.sxm.controller import SxmController
from hdl.sxm.micro_op import shift_op

__all__ = ["ShiftController"]

_COMMON = ("src_dir", "src", "dst_dir", "dst", "amount")


class ShiftController(SxmController):
    """SHIFT and SELECT; ports as `SxmController`.

    Parameters
    ----------
    config
        The machine.
    """

    def __init__(self, *, config: Config) -> None:
        shift, select = BY_MNEMONIC["SHIFT"].offsets, BY_MNEMONIC["SELECT"].offsets
        assert all(shift[name][0] == select[name][0] for name in _COMMON), "one slice serves both"
        super().__init__(config=config, op=shift_op(config))

    def decode(self, m: Module) -> None:
        """See `SxmController.decode`."""
        shift = fields_of(BY_MNEMONIC["SHIFT"], self.issue_word)
        select = fields_of(BY_MNEMONIC["SELECT"], self.issue_word)
        joins = has_opcode("SELECT", self.issue_word)
        down = has_opcode("SHIFT", self.issue_word) & shift.down
        from_top = self.config.vector_length - shift.amount
        m.d.sync += [
            self.op.src_dir.eq(shift.src_dir),
            self.op.src.eq(shift.src),
            self.op.join.eq(joins),
            self.op.low_dir.eq(select.low_dir),
            self.op.low.eq(select.low),
            self.op.bound.eq(Mux(down, from_top, shift.amount)),
            self.op.below.eq(down),
            self.op.dst_dir.eq(shift.dst_dir),
            self.op.dst.eq(shift.dst),
        ]
        # A shift by the whole vector keeps no lane, so that its rotation does not matter.
        with m.If(joins | (shift.amount == 0)):
            m.d.sync += self.op.rotate.eq(0)
        with m.Else():
            m.d.sync += self.op.rotate.eq(Mux(down, from_top, shift.amount))

    def operands(self) -> Value:
        """See `SxmController.operands`."""
        op, streams = self.op, self.config.streams
        return stream_set(op.valid, op.src_dir, op.src, 1, streams) | stream_set(
            op.valid & op.join, op.low_dir, op.low, 1, streams
        )
