"""Ranges of the values that expressions can have: enough to prove that a lane holds zero, or a finite number.

Bounds are computed in float64, and given up (`ANY`) well before the machine's formats overflow, so that how the machine
rounds does not matter.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, inf, isfinite, log, sqrt, tanh

import numpy as np
import numpy.typing as npt

from arch.formats import DType
from compiler.mesh.graph import Graph, Kind, Node

_LARGEST = {DType.FP16: 65504.0, DType.FP32: 3.4e38}
"""Magnitudes up to which a float format rounds to a finite number."""

_SMALLEST = {DType.FP16: 2.0**-23, DType.FP32: 2.0**-148}
"""Magnitudes from which on a number surely does not become a zero (twice the smallest subnormal)."""

_EXP_LIMIT = 88.0
"""Arguments up to which exp is finite in fp32 (the first infinity is at 88.72)."""


@dataclass(frozen=True)
class Range:
    """Numbers from `low` to `high`; without finite bounds anything, NaN included.

    Attributes
    ----------
    low, high : float
    zero : bool
        Whether all bits are 0: -0.0 lies in the range from 0 to 0, and is not zero in this sense.
    """

    low: float
    high: float
    zero: bool = False

    @property
    def finite(self) -> bool:
        """Whether neither infinities nor NaN are possible."""
        return isfinite(self.low) and isfinite(self.high)

    def __or__(self, other: "Range") -> "Range":
        """Return the range of what is in either."""
        return Range(min(self.low, other.low), max(self.high, other.high), self.zero and other.zero)


ANY = Range(-inf, inf)
ZERO = Range(0.0, 0.0, True)


def range_of(dtype: DType) -> Range:
    """Return all that a format can hold."""
    if dtype.is_float:
        return ANY
    limits = np.iinfo(dtype.numpy)
    return Range(float(limits.min), float(limits.max))


def range_of_values(values: npt.NDArray[np.generic]) -> Range:
    """Return the range of some numbers."""
    if not np.isfinite(values).all():
        return ANY
    bits = np.ascontiguousarray(values).view(f"u{values.itemsize}")
    return Range(float(values.min()), float(values.max()), not bits.any())


def ranges(graph: Graph, ports: Sequence[Range], steps: int) -> list[Range]:
    """Return the range of every node of a graph.

    Parameters
    ----------
    graph : Graph
    ports : sequence of Range
    steps : int
        Most terms of a sum over time.
    """
    found: list[Range] = []
    for node in graph.nodes:
        operands = []
        for ref in node.operands:
            if ref.kind is Kind.NODE:
                operands.append(found[ref.number])
            elif ref.kind is Kind.PORT:
                operands.append(ports[ref.number])
            elif ref.kind is Kind.ZERO:
                operands.append(ZERO)
        found.append(_sum(node, operands[0], steps) if node.accumulates else _held(node, _result(node, operands)))
    return found


def _sum(node: Node, term: Range, steps: int) -> Range:
    """Return the range of a running sum, maximum or minimum."""
    if node.mnemonic != "ADD" or term.zero:
        return term
    return _held(node, Range(min(term.low, term.low * steps), max(term.high, term.high * steps)))


def _held(node: Node, found: Range) -> Range:
    """Return what of a range the format of a node can hold: integers wrap or saturate, floats overflow."""
    dtype = node.out_dtype
    if dtype.is_float:
        if max(-found.low, found.high) > _LARGEST[dtype]:
            return ANY
        # What is too small becomes a zero: 1 / x of a number that was above 0 may still be infinite.
        low = 0.0 if 0 < found.low < _SMALLEST[dtype] else found.low
        high = 0.0 if -_SMALLEST[dtype] < found.high < 0 else found.high
        return Range(low, high, found.zero)
    limits = range_of(dtype)
    return found if limits.low <= found.low and found.high <= limits.high else limits


def _result(node: Node, operands: Sequence[Range]) -> Range:
    """Return the range of an ALU operation before it is narrowed."""
    a, b = operands[0], operands[-1] if len(operands) == 1 else operands[1]
    name, floats = node.mnemonic, node.dtype.is_float
    if name == "CMP":
        return Range(-1.0, 0.0)
    if name == "SEL":
        return b if operands[2].zero else a | b
    if name in ("AND", "OR", "XOR", "NOT", "SHL", "SHR", "SHRL"):
        kept = {"AND": a.zero or b.zero, "OR": a.zero and b.zero, "XOR": a.zero and b.zero, "NOT": False}.get(
            name, a.zero
        )
        return ZERO if kept else range_of(node.out_dtype)
    if not all(operand.finite for operand in operands):
        # Infinities and NaN stay, or become other ones; conversions to integers saturate.
        return ANY
    if name in ("PASS", "CVT"):
        return a
    if name == "RELU":
        return Range(max(a.low, 0.0), max(a.high, 0.0), a.high <= 0)
    if name in ("ADD", "SUB"):
        low, high = (a.low + b.low, a.high + b.high) if name == "ADD" else (a.low - b.high, a.high - b.low)
        return Range(low, high, a.zero and b.zero)
    if name == "MUL":
        products = [x * y for x in (a.low, a.high) for y in (b.low, b.high)]
        return Range(min(products), max(products), _product_is_zero(a, b, floats) or _product_is_zero(b, a, floats))
    if name == "MAX":
        return Range(max(a.low, b.low), max(a.high, b.high), a.zero and b.zero)
    if name == "MIN":
        return Range(min(a.low, b.low), min(a.high, b.high), a.zero and b.zero)
    return _function(name, a)


def _product_is_zero(a: Range, b: Range, floats: bool) -> bool:
    """Return whether a zero times b is a zero, and not -0.0."""
    return a.zero and (not floats or b.low > 0 or b.zero)


def _function(name: str, a: Range) -> Range:
    """Return the range of one of the costly functions of a finite operand."""
    if name == "EXP":
        return Range(exp(a.low), exp(a.high)) if a.high < _EXP_LIMIT else ANY
    if name == "TANH":
        return Range(tanh(a.low), tanh(a.high), a.zero)
    if name == "SIGMOID":
        # tanh does not overflow as exp does.
        return Range(0.5 + 0.5 * tanh(a.low / 2), 0.5 + 0.5 * tanh(a.high / 2))
    if name == "RECIP" and (a.low > 0 or a.high < 0):
        return Range(1 / a.high, 1 / a.low)
    if name in ("RSQRT", "LOG") and a.low > 0:
        return Range(1 / sqrt(a.high), 1 / sqrt(a.low)) if name == "RSQRT" else Range(log(a.low), log(a.high))
    return ANY
