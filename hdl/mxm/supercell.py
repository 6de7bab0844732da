"""One supercell of the array: lanes x lanes INT8 multiply-accumulators."""

from collections.abc import Sequence

from amaranth.hdl import Cat, Module, Signal, Value, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

__all__ = ["PRODUCT_BITS", "SUM_SLOT", "Supercell"]

PRODUCT_BITS = 16
"""Bits of a product; -128 * -128 needs the last."""

SUM_SLOT = 32
"""Bits that a partial sum takes in a vector port, sign-extended."""


class Supercell(wiring.Component):
    """Multiplies activations that move east with resident weights; partial sums climb north.

    An activation vector that is at `x_in` in cycle x is at `x` in cycle x + 1, where it meets the weights; the dot
    products join the partial sums that are at `psum_in` in cycle x + 2 and appear at `psum` in cycle x + 3. One
    vector per cycle.

    Parameters
    ----------
    lanes
        Rows and columns of the supercell.
    psum_bits
        Bits that hold every partial sum of the plane exactly: ``PRODUCT_BITS + log2(vector_length)``.

    Attributes
    ----------
    valid_in, x_in : in 1, lanes * 8
        An activation vector from the west (INT8, lane 0 lowest).
    install_in : in 1
        With `valid_in`: it meets the weights that are at `weights` in this cycle, and so do those after it.
    weights : in lanes * lanes * 8
        The buffer; weight of column j and row l at byte ``j * lanes + l``.
    psum_in : in lanes * SUM_SLOT
        Partial sums from the south, one per column.
    valid, install, x : out
        The inputs of the same name one cycle later, for the neighbour in the east.
    psum : out lanes * SUM_SLOT
        Partial sums for the neighbour in the north.
    """

    def __init__(self, *, lanes: int, psum_bits: int) -> None:
        self.lanes = lanes
        self.psum_bits = psum_bits
        super().__init__(
            {
                "valid_in": In(1),
                "install_in": In(1),
                "x_in": In(lanes * 8),
                "weights": In(lanes * lanes * 8),
                "psum_in": In(lanes * SUM_SLOT),
                "valid": Out(1),
                "install": Out(1),
                "x": Out(lanes * 8),
                "psum": Out(lanes * SUM_SLOT),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        lanes = range(self.lanes)
        s2_valid = Signal()
        m.d.sync += [self.valid.eq(self.valid_in), self.install.eq(self.install_in), s2_valid.eq(self.valid)]

        # Cycle 0: activations, and weights in the same wavefront.
        x = [Signal(signed(8), name=f"x{row}", reset_less=True) for row in lanes]
        m.d.comb += self.x.eq(Cat(x))
        with m.If(self.valid_in):
            m.d.sync += [x[row].eq(self.x_in.word_select(row, 8)) for row in lanes]
        weight = [[Signal(signed(8), name=f"w{column}_{row}", reset_less=True) for row in lanes] for column in lanes]
        with m.If(self.install_in):
            m.d.sync += [
                weight[column][row].eq(self.weights.word_select(column * self.lanes + row, 8))
                for column in lanes
                for row in lanes
            ]

        # Products are formed in 32 bits, from operands extended to 16: a simulator then needs no masks and no sign
        # extensions inside the tree, which makes it 2.5 times as fast. Synthesis trims the copies of the sign.
        wide_x = [Signal(signed(SUM_SLOT // 2), name=f"wide_x{row}") for row in lanes]
        m.d.comb += [wide.eq(narrow) for wide, narrow in zip(wide_x, x, strict=True)]
        slots = []
        for column in lanes:
            wide_w = [Signal(signed(SUM_SLOT // 2), name=f"wide_w{column}_{row}") for row in lanes]
            m.d.comb += [wide.eq(narrow) for wide, narrow in zip(wide_w, weight[column], strict=True)]

            # Cycle 1: dot product.
            dot = Signal(signed(PRODUCT_BITS + (self.lanes - 1).bit_length()), name=f"s2_dot{column}", reset_less=True)
            with m.If(self.valid):
                m.d.sync += dot.eq(_balanced_sum([w * a for w, a in zip(wide_w, wide_x, strict=True)]))

            # Cycle 2: partial sum of all superlanes up to this one.
            psum = Signal(signed(self.psum_bits), name=f"s3_psum{column}", reset_less=True)
            with m.If(s2_valid):
                m.d.sync += psum.eq(self.psum_in.word_select(column, SUM_SLOT)[: self.psum_bits].as_signed() + dot)
            slot = Signal(signed(SUM_SLOT), name=f"slot{column}")
            m.d.comb += slot.eq(psum)
            slots.append(slot)
        m.d.comb += self.psum.eq(Cat(slots))
        return m


def _balanced_sum(terms: Sequence[Value]) -> Value:
    """Sum of a power of two of terms, modulo the width of one."""
    level = list(terms)
    while len(level) > 1:
        pairs = zip(level[::2], level[1::2], strict=True)
        level = [(a + b)[: len(a)].as_signed() for a, b in pairs]
    return level[0]
