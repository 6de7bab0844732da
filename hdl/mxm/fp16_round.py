"""From the exact sums of one column block to fp32."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from arch.formats import CANONICAL_NAN
from hdl.mxm.fp16_cell import HIGH_BITS, LOW_BITS, MARKS, SUM_WINDOW
from hdl.mxm.supercell import SUM_SLOT
from hdl.shared import place
from hdl.vxm.fp32_fields import BIAS, INFINITY
from hdl.vxm.fp32_round import Fp32Round

__all__ = ["Fp16Round"]

_UNIT = -48
"""Exponent of a sum's unit."""


class Fp16Round(wiring.Component):
    """Rounds the sums of the top row, a half of the columns per cycle.

    Sums that are at the inputs in cycle c (first half) and c + 1 are both at `result` in cycle c + 3, and stay there
    until the next but one.

    Parameters
    ----------
    lanes
        Columns of the block.

    Attributes
    ----------
    done, low_sum, high_sum, marks : in
        As they leave `hdl.mxm.fp16_cell.Fp16Cell`.
    result : out lanes * 32
        fp32, column 0 lowest.
    """

    def __init__(self, *, lanes: int) -> None:
        self.lanes = lanes
        half = lanes // 2
        super().__init__(
            {
                "done": In(1),
                "low_sum": In(half * SUM_WINDOW),
                "high_sum": In(half * SUM_WINDOW),
                "marks": In(half * MARKS.size),
                "result": Out(lanes * SUM_SLOT),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        s1_valid, s1_second = Signal(), Signal()
        m.d.sync += [s1_valid.eq(self.done), s1_second.eq(self.done & s1_valid & ~s1_second)]
        rounded = [self._column(m, column, s1_valid) for column in range(self.lanes // 2)]
        first, second = (Signal(len(self.result) // 2, name=name, reset_less=True) for name in ("first", "second"))
        with m.If(s1_valid):
            with m.If(s1_second):
                m.d.sync += second.eq(Cat(rounded))
            with m.Else():
                m.d.sync += first.eq(Cat(rounded))
        m.d.comb += self.result.eq(Cat(first, second))
        return m

    def _column(self, m: Module, column: int, s1_valid: Value) -> Signal:
        """Return a column's fp32, one cycle after its sum."""
        low = self.low_sum.word_select(column, SUM_WINDOW)[:LOW_BITS]
        high = self.high_sum.word_select(column, SUM_WINDOW)[:HIGH_BITS].as_signed()
        window = SUM_WINDOW // 2

        # Cycle 0: one number out of two windows, and its magnitude: upper * 2**32 + lower.
        total, lower = Signal(signed(HIGH_BITS + 1), name=f"total{column}"), Signal(window, name=f"lower{column}")
        upper, borrow = Signal(HIGH_BITS, name=f"upper{column}"), Signal(name=f"borrow{column}")
        negative, large = Signal(name=f"negative{column}"), Signal(name=f"large{column}")
        s1_sign, s1_large, s1_zero = (
            Signal(name=f"s1_{name}{column}", reset_less=True) for name in ("sign", "large", "zero")
        )
        s1_significand = Signal(SUM_WINDOW, name=f"s1_significand{column}", reset_less=True)
        s1_marks = Signal(MARKS, name=f"s1_marks{column}", reset_less=True)
        m.d.comb += [
            total.eq(high + low[window:].as_signed()),
            negative.eq(total[-1]),
            borrow.eq(negative & (low[:window] != 0)),
            lower.eq(Mux(negative, -low[:window], low[:window])),
            upper.eq(Mux(negative, -total, total) - borrow),
            large.eq(upper[window:] != 0),
        ]
        with m.If(self.done):
            m.d.sync += [
                s1_sign.eq(negative),
                s1_large.eq(large),
                s1_zero.eq((upper == 0) & (lower == 0)),
                s1_marks.eq(self.marks.word_select(column, MARKS.size)),
                # A large sum has its leading bit above 2**64: all below 2**32 may be one bit.
                s1_significand.eq(Mux(large, upper | (lower != 0), Cat(lower, upper[:window]))),
            ]

        # Cycle 1: round.
        rounder = Fp32Round(width=SUM_WINDOW, tiny=False)
        m.submodules[f"round{column}"] = place(rounder)
        result = Signal(SUM_SLOT, name=f"s1_result{column}")
        highest = SUM_WINDOW - 1 + _UNIT + BIAS
        m.d.comb += [
            rounder.sign.eq(Mux(s1_zero, ~s1_marks.other, s1_sign)),
            rounder.exponent.eq(Mux(s1_large, highest + window, highest)),
            rounder.significand.eq(s1_significand),
            result.eq(rounder.result),
        ]
        with m.If(s1_marks.plus | s1_marks.minus):
            m.d.comb += result.eq(Cat(Const(INFINITY, 31), s1_marks.minus))
        with m.If(s1_marks.nan | (s1_marks.plus & s1_marks.minus)):
            m.d.comb += result.eq(CANONICAL_NAN)
        return result
