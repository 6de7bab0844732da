"""One supercell of a pair's fp16 array: lanes x lanes products in two cycles."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hdl.mxm.fp16_number import FP16_NUMBER, FP16_SLOT, fp16_numbers

__all__ = ["HIGH_BITS", "LOW_BITS", "MARKS", "SUM_WINDOW", "Fp16Cell"]

SUM_WINDOW = 64
"""Bits that either part of a partial sum takes in a vector port, sign-extended; the sum is ``high * 2**32 + low`` units
of 2**-48."""

_PRODUCT_BITS = 23
_SHIFT_BITS = 5
"""Shifts below ``2**5`` go to the low part, the others (58 is the largest), 32 places less, to the high one."""

_LOW_TERM = _PRODUCT_BITS + 31
_HIGH_TERM = _PRODUCT_BITS + 58 - 32
_GROWTH = 9

LOW_BITS, HIGH_BITS = _LOW_TERM + _GROWTH, _HIGH_TERM + _GROWTH
"""Bits of the two parts, with sign: as many as the sum of 320 terms takes."""

MARKS = data.StructLayout({"nan": 1, "plus": 1, "minus": 1, "other": 1})
"""Specials that a sum has met: NaN (0 * infinity included), +infinity, -infinity, a product other than -0."""

_FACTOR = data.StructLayout({"value": FP16_NUMBER["value"].shape, "shift": FP16_NUMBER["shift"].shape})
_FLAGS = tuple(name for name, _ in FP16_NUMBER if name not in ("value", "shift"))


@dataclass(frozen=True)
class _Weights:
    """Installed weights: by column and row what a product needs; by column and name a flag of every row."""

    factors: list[list[data.View]]
    flags: list[dict[str, Signal]]


class Fp16Cell(wiring.Component):
    """Multiplies fp16 activations that move east with resident weights; exact partial sums climb north.

    A vector that is at `x_in` in cycle c is multiplied with the first half of the columns in cycle c + 1 and with the
    second half in cycle c + 2. The dot products join the partial sums that are at the inputs in cycle c + 3 (first
    half) and c + 4, and appear at the outputs one cycle later. One vector per two cycles.

    Every product of two finite numbers is an integer of 22 bits and sign, shifted by 0 to 58 places. It goes to one of
    two windows of 32 places, so that nothing here is wider than 64 bits, which suits simulators; both windows together
    have a third more bits than the 90 of the whole sum.

    Parameters
    ----------
    lanes
        Rows and columns of the supercell.

    Attributes
    ----------
    valid_in, x_in : in 1, lanes * FP16_SLOT
        Activations from the west, as `hdl.mxm.fp16_number`. Not in consecutive cycles.
    install_in : in 1
        With `valid_in`: they meet the weights that are at `low` and `high` in this cycle, and so do those after them.
    low, high : in lanes * lanes * 8
        Buffers of the two planes; byte of column j and row l at ``j * lanes + l``.
    low_sum_in, high_sum_in, marks_in : in lanes / 2 * SUM_WINDOW, the same, lanes / 2 * 4
        Partial sums from the south, one per column of a half.
    valid, install, x : out
        The inputs of the same name one cycle later, for the neighbour in the east.
    low_sum, high_sum, marks : out
        Partial sums for the neighbour in the north.
    done : out 1
        They are new in this cycle.
    """

    def __init__(self, *, lanes: int) -> None:
        self.lanes = lanes
        half = lanes // 2
        super().__init__(
            {
                "valid_in": In(1),
                "install_in": In(1),
                "x_in": In(lanes * FP16_SLOT),
                "low": In(lanes * lanes * 8),
                "high": In(lanes * lanes * 8),
                "low_sum_in": In(half * SUM_WINDOW),
                "high_sum_in": In(half * SUM_WINDOW),
                "marks_in": In(half * MARKS.size),
                "valid": Out(1),
                "install": Out(1),
                "x": Out(lanes * FP16_SLOT),
                "low_sum": Out(half * SUM_WINDOW),
                "high_sum": Out(half * SUM_WINDOW),
                "marks": Out(half * MARKS.size),
                "done": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        lanes = range(self.lanes)
        half = self.lanes // 2
        second, s2_valid, s3_valid = Signal(), Signal(), Signal()
        m.d.sync += [
            self.valid.eq(self.valid_in),
            self.install.eq(self.install_in),
            second.eq(self.valid),
            s2_valid.eq(self.valid | second),
            s3_valid.eq(s2_valid),
            self.done.eq(s3_valid),
        ]

        # Cycle 0: activations, and weights in the same wavefront.
        x = [Signal(FP16_NUMBER, name=f"x{row}", reset_less=True) for row in lanes]
        m.d.comb += self.x.eq(Cat(Cat(number, Const(0, FP16_SLOT - FP16_NUMBER.size)) for number in x))
        with m.If(self.valid_in):
            m.d.sync += [x[row].eq(self.x_in.word_select(row, FP16_SLOT)[: FP16_NUMBER.size]) for row in lanes]
        weights = self._weights(m)
        x_flags = {}
        for name in _FLAGS:
            x_flags[name] = Signal(self.lanes, name=f"x_{name}")
            m.d.comb += x_flags[name].eq(Cat(number[name] for number in x))

        low_sums: list[Signal] = []
        high_sums: list[Signal] = []
        all_marks: list[Signal] = []
        for column in range(half):
            # Cycles 1 and 2: products.
            low_terms, high_terms = [], []
            for row in lanes:
                number = Signal(_FACTOR, name=f"s1_w{column}_{row}")
                product = Signal(signed(32), name=f"s2_product{column}_{row}", reset_less=True)
                places = Signal(6, name=f"s2_places{column}_{row}", reset_less=True)
                m.d.comb += number.eq(Mux(second, weights.factors[column + half][row], weights.factors[column][row]))
                with m.If(self.valid | second):
                    m.d.sync += [product.eq(x[row].value * number.value), places.eq(x[row].shift + number.shift)]

                # Cycles 2 and 3: shifted to their places. A term gets its sign bit turned round, so that the adders
                # need not extend signs.
                term = Signal(32 + 31, name=f"term{column}_{row}")
                m.d.comb += term.eq(product << places[:_SHIFT_BITS])
                is_high = places[_SHIFT_BITS]
                low_terms.append(Mux(is_high, 0, term[:_LOW_TERM]) ^ (1 << _LOW_TERM - 1))
                high_terms.append(Mux(is_high, term[:_HIGH_TERM], 0) ^ (1 << _HIGH_TERM - 1))
            s2_marks = Signal(MARKS, name=f"s2_marks{column}", reset_less=True)
            s3_marks = Signal(MARKS, name=f"s3_marks{column}", reset_less=True)
            flags = {
                name: Mux(second, weights.flags[column + half][name], weights.flags[column][name]) for name in _FLAGS
            }
            with m.If(self.valid | second):
                m.d.sync += s2_marks.eq(_marks(m, column, x_flags, flags))
            with m.If(s2_valid):
                m.d.sync += s3_marks.eq(s2_marks)

            # Cycles 3 and 4: dot products. Then partial sums of all superlanes up to this one.
            for name, terms, bits, below, sums in (
                ("low", low_terms, LOW_BITS, self.low_sum_in, low_sums),
                ("high", high_terms, HIGH_BITS, self.high_sum_in, high_sums),
            ):
                unsigned_dot = _sum(terms)
                dot = Signal(signed(len(unsigned_dot)), name=f"s3_{name}{column}", reset_less=True)
                total = Signal(signed(bits), name=f"s4_{name}{column}", reset_less=True)
                slot = Signal(signed(SUM_WINDOW), name=f"{name}_slot{column}")
                with m.If(s2_valid):
                    # The signs that were turned round add up to the sign of the sum.
                    m.d.sync += dot.eq(unsigned_dot ^ (1 << len(dot) - 1))
                with m.If(s3_valid):
                    m.d.sync += total.eq(below.word_select(column, SUM_WINDOW)[:bits].as_signed() + dot)
                m.d.comb += slot.eq(total)
                sums.append(slot)
            s4_marks = Signal(MARKS.size, name=f"s4_marks{column}", reset_less=True)
            with m.If(s3_valid):
                m.d.sync += s4_marks.eq(self.marks_in.word_select(column, MARKS.size) | s3_marks.as_value())
            all_marks.append(s4_marks)
        m.d.comb += [self.low_sum.eq(Cat(low_sums)), self.high_sum.eq(Cat(high_sums)), self.marks.eq(Cat(all_marks))]
        return m

    def _weights(self, m: Module) -> _Weights:
        numbers = fp16_numbers(m, "decode", en=self.install_in, low=self.low, high=self.high)
        weights = _Weights([], [])
        for column in range(self.lanes):
            slots = [
                data.View(FP16_NUMBER, numbers.word_select(column * self.lanes + row, FP16_SLOT)[: FP16_NUMBER.size])
                for row in range(self.lanes)
            ]
            factors = [Signal(_FACTOR, name=f"w{column}_{row}", reset_less=True) for row in range(self.lanes)]
            flags = {name: Signal(self.lanes, name=f"w{column}_{name}", reset_less=True) for name in _FLAGS}
            with m.If(self.install_in):
                m.d.sync += [
                    *(factor.as_value().eq(slot.as_value()) for factor, slot in zip(factors, slots, strict=True)),
                    *(flag.eq(Cat(slot[name] for slot in slots)) for name, flag in flags.items()),
                ]
            weights.factors.append(factors)
            weights.flags.append(flags)
        return weights


def _sum(terms: Sequence[Value]) -> Value:
    """Return the sum of a power of two of unsigned terms."""
    level = list(terms)
    while len(level) > 1:
        level = [a + b for a, b in zip(level[::2], level[1::2], strict=True)]
    return level[0]


def _marks(m: Module, column: int, x: Mapping[str, Value], weight: Mapping[str, Value]) -> Value:
    """Return the `MARKS` of one column's products, from the flags of all rows."""
    w = {name: Signal(len(x[name]), name=f"m{column}_{name}") for name in _FLAGS}
    m.d.comb += [w[name].eq(weight[name]) for name in _FLAGS]
    negative, infinite = x["sign"] ^ w["sign"], x["infinite"] | w["infinite"]
    invalid = x["nan"] | w["nan"] | (x["infinite"] & w["zero"]) | (x["zero"] & w["infinite"])
    other = ~(x["zero"] | w["zero"]) | ~negative
    return Cat(invalid.any(), (infinite & ~negative).any(), (infinite & negative).any(), other.any())
