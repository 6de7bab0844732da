"""Einsum and determinants: products of matrices, and sums of products of elements."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from compiler.expression.expr import Expr
from models.builder import Builder
from models.node import Node
from models.operators.products import matrix_product, shaped, turned
from models.registry import operator
from models.value import Value

_LARGEST = 3
"""Rows of a matrix up to which its determinant is a sum of products."""

Labels = tuple[str, ...]


def _labels(node: Node, values: Sequence[Value]) -> tuple[list[Labels], Labels]:
    """Return the labels of operands and of the result; axes of an ellipsis are ``...0`` to the last."""
    left, arrow, right = node.get("equation").replace(" ", "").partition("->")
    terms = left.split(",")
    if len(terms) != len(values):
        raise node.refuse(f"equation must have {len(values)} terms, not {len(terms)}")
    most = max(
        (value.rank - len(term.replace("...", "")) for term, value in zip(terms, values, strict=True)), default=0
    )

    def spread(term: str, rank: int) -> Labels:
        before, dots, after = term.partition("...")
        around = rank - len(before) - len(after) if dots else 0
        found = (*before, *(f"...{number}" for number in range(most - around, most)), *after)
        if len(found) != rank:
            raise node.refuse(f"term {term!r} must have {rank} labels, not {len(found)}")
        return found

    operands = [spread(term, value.rank) for term, value in zip(terms, values, strict=True)]
    if not arrow:
        every = [label for labels in operands for label in labels]
        right = "..." + "".join(sorted(label for label in {*every} if every.count(label) == 1 and len(label) == 1))
    inner, dots, rest = right.partition("...")
    return operands, (*inner, *(f"...{number}" for number in range(most if dots else 0)), *rest)


def _diagonal(builder: Builder, value: Value, labels: Labels) -> tuple[Value, Labels]:
    """Return a value in which every label is of one axis."""
    names = tuple(dict.fromkeys(labels))
    if len(names) == len(labels):
        return value, labels
    numbers = [names.index(label) for label in labels]
    return builder.moved(value, lambda moved: np.einsum(moved, numbers, [*range(len(names))])), names


def _summed(builder: Builder, value: Value, labels: Labels, kept: set[str]) -> tuple[Value, Labels]:
    """Return a value summed over the labels that are not kept."""
    axes = [place for place, label in enumerate(labels) if label not in kept]
    if not axes:
        return value, labels
    found = builder.reduce(value, "add", axes, False)
    return found, tuple(label for label in labels if label in kept)


def _product(
    builder: Builder, a: tuple[Value, Labels], b: tuple[Value, Labels], kept: set[str]
) -> tuple[Value, Labels]:
    """Return the sum of products of two values over what both have and nothing else needs."""
    sizes = {label: size for value, labels in (a, b) for label, size in zip(labels, value.shape, strict=True)}
    shared = [label for label in a[1] if label in b[1]]
    batch = [label for label in shared if label in kept]
    inner = [label for label in shared if label not in kept]
    rows = [label for label in a[1] if label not in shared]
    columns = [label for label in b[1] if label not in shared]

    def size(labels: Sequence[str]) -> int:
        return int(np.prod([sizes[label] for label in labels]))

    def matrices(entry: tuple[Value, Labels], order: list[list[str]]) -> Value:
        value, labels = entry
        moved = turned(builder, value, [labels.index(label) for group in order for label in group])
        return shaped(builder, moved, tuple(size(group) for group in order))

    left, right = matrices(a, [batch, rows, inner]), matrices(b, [batch, inner, columns])
    found = matrix_product(builder, left, right)
    labels = (*batch, *rows, *columns)
    return shaped(builder, found, tuple(sizes[label] for label in labels)), labels


@operator("Einsum")
def einsum(builder: Builder, node: Node, *values: Value) -> Any:
    """Lower an Einstein sum of floats, operand by operand."""
    if any(not value.is_float for value in values):
        raise node.refuse("element type must be float or float16, not an integer")
    operands, result = _labels(node, values)
    entries = [_diagonal(builder, value, labels) for value, labels in zip(values, operands, strict=True)]
    total: tuple[Value, Labels] | None = None
    for place, entry in enumerate(entries):
        later = {label for _, labels in entries[place + 1 :] for label in labels} | {*result}
        near = later | (set() if total is None else {*total[1]})
        entry = _summed(builder, *entry, near)
        total = entry if total is None else _product(builder, total, entry, later)
        total = _summed(builder, *total, later)
    assert total is not None
    value, labels = total
    return turned(builder, value, [labels.index(label) for label in result])


@operator("Det")
def determinant(builder: Builder, node: Node, x: Value) -> Any:
    """Lower the determinants of small matrices."""
    size = x.shape[-1]
    if x.rank < 2 or x.shape[-2] != size or size > _LARGEST:
        raise node.refuse(f"matrices must be square, of at most {_LARGEST} rows, not {x.shape[-2:]}")
    parts = [builder.part(x, (..., row, column)) for row in range(size) for column in range(size)]

    def minor(items: Sequence[Expr], columns: tuple[int, ...], row: int) -> Expr:
        if row == size - 1:
            return items[row * size + columns[0]]
        total = None
        for place, column in enumerate(columns):
            term = items[row * size + column] * minor(items, columns[:place] + columns[place + 1 :], row + 1)
            total = term if total is None else total - term if place % 2 else total + term
        assert total is not None
        return total

    return builder.map(lambda *items: minor(items, tuple(range(size)), 0), *parts, dtype=x.dtype)
