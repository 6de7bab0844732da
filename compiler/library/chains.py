"""Operations in a row of a pass, read off the expressions that it computes.

Bounds take their latencies from here, so that a function that changes changes its bound.
"""

from collections.abc import Callable, Sequence
from typing import Any

from compiler.declare.map_pass import trace
from compiler.declare.reduce_pass import MNEMONICS
from compiler.expression.expr import OPERAND, Expr, binary, convert, format_of
from compiler.mesh.graph import Graph, Kind, lower

__all__ = ["chain", "graph_of"]


def chain(
    function: Callable[..., Any],
    formats: Sequence[str],
    *,
    dtype: str | None = None,
    operation: str | None = None,
    terms: int = 1,
    finish: Callable[[Expr], Expr] | None = None,
    after: int | None = None,
    result: int = 0,
) -> tuple[str, ...]:
    """Return the operations on the longest way from an operand to a result of a pass.

    Parameters
    ----------
    function : callable
        As of `Program.map` or, with an `operation`, as of `Program.reduce`.
    formats : sequence of str
        NumPy names of the operands' formats.
    dtype : str, optional
        Format to which the result is cast.
    operation : str, optional
        ``add``, ``max`` or ``min``: what a reduction does with the terms.
    terms : int
        Of a reduction.
    finish : callable, optional
        Of a reduction.
    after : int, optional
        Number of the operand that the way begins with; any one by default.
    result : int
        Number of the result that it ends with, where there are several.

    Returns
    -------
    tuple of str
        Mnemonics, first to last; a ``+CVT`` before an operation whose other operand is a float16 one, converted in the
        level before.

    Notes
    -----
    A float sum of several terms ends with one more ADD. An ALU sees its own result three cycles later, so that a vector
    per cycle makes three partial sums; the last term may be one of the partial sum that is added last. Maxima, minima
    and integer sums can be taken in any order, so that nothing is left to join.
    """
    found = _outputs(function, formats)[result]
    if operation is not None:
        mnemonic = MNEMONICS[operation]
        is_float = found.dtype.is_float
        term = convert(found, "float32") if is_float else found
        found = Expr(mnemonic, term.dtype, (term,), term.dtype, accumulates=True)
        if operation == "add" and is_float and terms > 1:
            found = binary(mnemonic, Expr(OPERAND, term.dtype, index=len(formats)), found)
    if finish is not None:
        found = trace(finish, [found])[0][0]
    if dtype is not None:
        found = convert(found, dtype)
    return _longest(lower([found]), after)


def graph_of(function: Callable[..., Any], formats: Sequence[str], dtype: str) -> Graph:
    """Return what a pass does with a vector of each operand; arguments as of `chain`."""
    return lower([convert(output, dtype) for output in _outputs(function, formats)])


def _outputs(function: Callable[..., Any], formats: Sequence[str]) -> Sequence[Expr]:
    return trace(function, [Expr(OPERAND, format_of(name), index=index) for index, name in enumerate(formats)])[0]


def _longest(graph: Graph, after: int | None) -> tuple[str, ...]:
    """Return the longest way to the output of a graph, from one operand or from any."""
    starts = {place for place, port in enumerate(graph.ports) if after is None or port.operand == after}
    # By node: how many operations the longest way to it has, 0 if there is none, and the node before it.
    lengths: list[int] = []
    before: list[int] = []
    for node in graph.nodes:
        known = [ref.number for ref in node.operands if ref.kind is Kind.NODE and lengths[ref.number]]
        last = max(known, key=lambda number: lengths[number], default=-1)
        begins = any(ref.kind is Kind.PORT and ref.number in starts for ref in node.operands)
        lengths.append(lengths[last] + 1 if known else int(begins))
        before.append(last)
    found: list[str] = []
    number = graph.outputs[0]
    while number >= 0 and lengths[number]:
        found.append(graph.nodes[number].mnemonic)
        if _converts(graph, number, before[number]):
            found.append("+CVT")
        number = before[number]
    return tuple(reversed(found))


def _converts(graph: Graph, number: int, before: int) -> bool:
    """Return whether a node has an operand beside that on the way which is a float16 one of the pass."""
    if before < 0:
        return False
    others = {ref.number for ref in graph.nodes[number].operands if ref.kind is Kind.NODE} - {before}
    return any(graph.nodes[other].mnemonic == "CVT" and _is_loaded(graph, other) for other in others)


def _is_loaded(graph: Graph, number: int) -> bool:
    return all(ref.kind is Kind.PORT for ref in graph.nodes[number].operands)
