"""The element counter of burst instructions."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from arch.isa.table import BY_MNEMONIC

__all__ = ["BurstEngine"]

_FIELDS = {name: field for name, (_, field) in BY_MNEMONIC["READ"].offsets.items()}
COUNT_BITS = _FIELDS["count"].width
INTERVAL_BITS = _FIELDS["interval"].width


class BurstEngine(wiring.Component):
    """Turns one burst instruction into its elements, one per `interval` cycles.

    Element 0 is performed in the cycle of the issue, element k `k * interval` cycles later; all outputs are
    combinational in the element's cycle t, so that a controller registers its micro-op from them for t + 1. The other
    fields of the word (stream, direction, flags) go straight into the micro-op's registers, at `issue` only.

    Parameters
    ----------
    addr_bits : int
        Width of the address; it wraps at ``2 ** addr_bits``. 0 for an engine without addresses (ABC).
    stride_bits : int
        Width of the signed stride; ignored without addresses.

    Attributes
    ----------
    start : In(1)
        Resets to idle; the continued address becomes 0.
    issue : In(1)
        A legal burst instruction issues in this cycle.
    count, interval : In
        Its fields, at least 1, read while `issue` is high.
    addr, stride, cont : In(addr_bits), In(stride_bits), In(1)
        Its fields. With `cont` element 0 is at the address that follows the last element of the burst before.
        Tie `cont` to 0 where the instruction has no such field.
    element : Out(1)
        An element is performed in this cycle.
    element_addr : Out(addr_bits)
        Its address.
    last : Out(1)
        It is the last element of its burst; valid with `element`.
    pending : Out(1)
        Elements are still to come after this cycle.
    busy : Out(1)
        Fault: `issue` while elements of the burst before are still to be performed.
    """

    def __init__(self, *, addr_bits: int, stride_bits: int) -> None:
        self.addr_bits = addr_bits
        self.stride_bits = stride_bits
        super().__init__(
            {
                "start": In(1),
                "issue": In(1),
                "count": In(COUNT_BITS),
                "interval": In(INTERVAL_BITS),
                "addr": In(addr_bits),
                "stride": In(stride_bits),
                "cont": In(1),
                "element": Out(1),
                "element_addr": Out(addr_bits),
                "last": Out(1),
                "pending": Out(1),
                "busy": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        left = Signal(COUNT_BITS)
        wait = Signal(INTERVAL_BITS)
        interval = Signal(INTERVAL_BITS, reset_less=True)
        running = Signal()
        due = Signal()
        m.d.comb += [
            running.eq(left != 0),
            due.eq(running & (wait == 0)),
            self.element.eq(self.issue | due),
            self.last.eq(Mux(self.issue, self.count == 1, left == 1)),
            self.pending.eq(Mux(self.issue, self.count != 1, running & ~(due & (left == 1)))),
            # The last element may be under way still: an issue in its cycle would perform two elements at once.
            self.busy.eq(self.issue & running),
        ]
        with m.If(self.start):
            m.d.sync += left.eq(0)
        # Element 0 is performed in the cycle of the issue itself, straight from the word; registers count from element
        # 1 on.
        with m.Elif(self.issue):
            m.d.sync += [left.eq(self.count - 1), wait.eq(self.interval - 1), interval.eq(self.interval)]
        with m.Elif(due):
            m.d.sync += [left.eq(left - 1), wait.eq(interval - 1)]
        with m.Elif(running):
            m.d.sync += wait.eq(wait - 1)
        if self.addr_bits:
            self._addresses(m)
        return m

    def _addresses(self, m: Module) -> None:
        following = Signal(self.addr_bits)
        stride = Signal(self.stride_bits, reset_less=True)
        # `following` is the address after the last element too, from which a burst with `cont` goes on.
        step = Mux(self.issue, self.stride, stride).as_signed()
        m.d.comb += self.element_addr.eq(Mux(self.issue & ~self.cont, self.addr, following))
        with m.If(self.start):
            m.d.sync += following.eq(0)
        with m.Elif(self.element):
            m.d.sync += following.eq(self.element_addr + step)
        with m.If(self.issue):
            m.d.sync += stride.eq(self.stride)
