"""Base of the controllers of SXM units."""

from abc import abstractmethod

from amaranth.hdl import Module, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from arch.config import Config
from arch.isa.instruction import WORD_BITS
from hdl.span import span_shape

__all__ = ["SxmController"]


class SxmController(wiring.Component):
    """Turns the words of a queue into micro-ops, one cycle later; the base of a class per kind of unit.

    Parameters
    ----------
    config
        The machine.
    op
        Layout of the micro-op; it has members ``valid`` and ``span``.

    Attributes
    ----------
    start : in 1
    issue_valid, issue_word, issue_span : in
        A legal word of this unit, and the superlanes that it acts on.
    op : out of the layout
        Micro-op of tile 0, in cycle t + 1.
    element : out 1
        In the cycle of the issue.
    reads : out 2 * streams
        In cycle t + 1.
    """

    def __init__(self, *, config: Config, op: data.StructLayout) -> None:
        self.config = config
        super().__init__(
            {
                "start": In(1),
                "issue_valid": In(1),
                "issue_word": In(WORD_BITS),
                "issue_span": In(span_shape(config)),
                "op": Out(op),
                "element": Out(1),
                "reads": Out(2 * config.streams),
            }
        )

    @abstractmethod
    def decode(self, m: Module) -> None:
        """Add what takes `issue_word` into `op`; it is conditional on `issue_valid` already.

        ``valid`` and ``span`` are not its business.
        """

    @abstractmethod
    def operands(self) -> Value:
        """Return the streams that `op` reads, as `reads`."""

    def elaborate(self, platform: object) -> Module:
        m = Module()
        # Cycle t: issue.
        m.d.comb += self.element.eq(self.issue_valid)
        m.d.sync += self.op.valid.eq(self.issue_valid & ~self.start)
        with m.If(self.issue_valid):
            m.d.sync += self.op.span.eq(self.issue_span)
            self.decode(m)
        # Cycle t + 1: operands.
        m.d.comb += self.reads.eq(self.operands())
        return m
