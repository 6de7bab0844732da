"""An expression as a graph of ALU operations."""

import enum
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from arch.formats import DType
from arch.isa.codes import Relation
from compiler.expression.expr import CONSTANT, OPERAND, Expr, convert


class Kind(enum.Enum):
    """Kinds of operands of a node."""

    NODE = "node"
    PORT = "port"
    SELF = "self"
    ZERO = "zero"


@dataclass(frozen=True)
class Ref:
    """An operand: `number` of the node or port."""

    kind: Kind
    number: int = 0


@dataclass(frozen=True)
class Port:
    """Something that comes on streams: operand number `operand`, or (None) the constant of these bits."""

    operand: int | None
    dtype: DType
    value: int = 0


@dataclass(frozen=True)
class Node:
    """One ALU operation per step.

    Attributes
    ----------
    mnemonic : str
    dtype, out_dtype : DType
        Formats of operands and result.
    operands : tuple of Ref
        a, b and c as far as the operation has them.
    saturate : bool
    relation : Relation
    accumulates : bool
        In the first steps of a group the operation is PASS of a.
    holds : bool
        A PASS that takes its operand, the same word for all steps of a group, in the first ones only, then its own
        result.
    """

    mnemonic: str
    dtype: DType
    out_dtype: DType
    operands: tuple[Ref, ...]
    saturate: bool = False
    relation: Relation = Relation.EQ
    accumulates: bool = False
    holds: bool = False


@dataclass(frozen=True)
class Graph:
    """Nodes, operands before their users; ports; and the nodes whose results leave the mesh."""

    nodes: tuple[Node, ...]
    ports: tuple[Port, ...]
    outputs: tuple[int, ...]

    @cached_property
    def _users(self) -> dict[Ref, tuple[tuple[int, int], ...]]:
        found: dict[Ref, list[tuple[int, int]]] = {}
        for number, node in enumerate(self.nodes):
            for slot, operand in enumerate(node.operands):
                found.setdefault(operand, []).append((number, slot))
        return {ref: tuple(users) for ref, users in found.items()}

    def users(self, ref: Ref) -> tuple[tuple[int, int], ...]:
        """Return the nodes that take an operand, and as which of theirs."""
        return self._users.get(ref, ())

    def repeats(self, port: int) -> bool:
        """Return whether a port feeds a sum, so that it is read in every step."""
        early: set[int] = set()
        for number in reversed(range(len(self.nodes))):
            node = self.nodes[number]
            if node.accumulates or number in early:
                if Ref(Kind.PORT, port) in node.operands:
                    return True
                # What feeds a sum has to come in every step, through any number of nodes before it.
                early |= {ref.number for ref in node.operands if ref.kind is Kind.NODE}
        return False


def passing(ref: Ref, dtype: DType) -> Node:
    """Return the node that passes an operand of some format on, bit by bit."""
    bits = DType.INT16 if dtype is DType.FP16 else dtype  # PASS has no float16; any 16 bits will do
    return Node("PASS", bits, bits, (ref,))


def widened(graph: Graph) -> Graph:
    """Return a graph in which results that are read in a wider format have a PASS of their own for that.

    Within the mesh none is needed, since a result has 32 bits there, sign-extended.
    """
    nodes: list[Node] = []
    places: list[int] = []
    wider: dict[tuple[int, DType], Ref] = {}
    for node in graph.nodes:
        operands = []
        for slot, ref in enumerate(node.operands):
            if ref.kind is Kind.NODE:
                source = graph.nodes[ref.number].out_dtype
                ref = Ref(Kind.NODE, places[ref.number])
                # The third operand is a mask, of one byte.
                if slot < 2 and not source.is_float and source.size < node.dtype.size:
                    if (ref.number, node.dtype) not in wider:
                        wider[ref.number, node.dtype] = Ref(Kind.NODE, len(nodes))
                        nodes.append(Node("PASS", source, node.dtype, (ref,)))
                    ref = wider[ref.number, node.dtype]
            operands.append(ref)
        places.append(len(nodes))
        nodes.append(replace(node, operands=tuple(operands)))
    return Graph(tuple(nodes), graph.ports, tuple(places[number] for number in graph.outputs))


def lower(outputs: Sequence[Expr]) -> Graph:
    """Return the graph of one or more expressions; what they share is computed once.

    Every output is a node of its own: an operand or constant becomes one by PASS (float16 by two conversions).
    """
    builder = _Builder()
    found: list[int] = []
    for output in outputs:
        root = output
        if root.mnemonic in (OPERAND, CONSTANT):
            if root.dtype is DType.FP16:
                root = convert(convert(root, "float32"), "float16")
            else:
                root = Expr("PASS", root.dtype, (root,), root.dtype)
        ref = builder.add(root, is_output=True)
        # An ALU drives one group of streams: what leaves twice needs a second ALU.
        if ref.number in found:
            ref = builder.node(passing(ref, builder.nodes[ref.number].out_dtype), fresh=True)
        found.append(ref.number)
    return builder.graph(found)


class _Builder:
    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self._numbers: dict[Node, int] = {}
        self._ports: dict[Port, int] = {}

    def add(self, root: Expr, is_output: bool) -> Ref:
        refs: dict[int, Ref] = {}
        for expr in root.walk():
            refs[id(expr)] = self._one(expr, [refs[id(arg)] for arg in expr.args], is_output and expr is root)
        return refs[id(root)]

    def node(self, node: Node, fresh: bool = False) -> Ref:
        if fresh or node not in self._numbers:
            self._numbers[node] = len(self.nodes)
            self.nodes.append(node)
        return Ref(Kind.NODE, self._numbers[node])

    def graph(self, outputs: list[int]) -> Graph:
        """Return the graph of what the outputs need."""
        needed: set[int] = set()
        for number in reversed(range(len(self.nodes))):
            if number in outputs or number in needed:
                needed |= {ref.number for ref in self.nodes[number].operands if ref.kind is Kind.NODE}
                needed.add(number)
        kept = sorted(needed)
        places = {number: place for place, number in enumerate(kept)}
        used: dict[int, int] = {}
        nodes = []
        for number in kept:
            operands = []
            for ref in self.nodes[number].operands:
                if ref.kind is Kind.NODE:
                    operands.append(Ref(Kind.NODE, places[ref.number]))
                elif ref.kind is Kind.PORT:
                    operands.append(Ref(Kind.PORT, used.setdefault(ref.number, len(used))))
                else:
                    operands.append(ref)
            nodes.append(replace(self.nodes[number], operands=tuple(operands)))
        ports = list(self._ports)
        return Graph(tuple(nodes), tuple(ports[number] for number in used), tuple(places[n] for n in outputs))

    def _one(self, expr: Expr, operands: list[Ref], keep: bool) -> Ref:
        if expr.mnemonic in (OPERAND, CONSTANT):
            # Zero is a source of every ALU, and takes no stream.
            if expr.mnemonic == CONSTANT and expr.value == 0:
                return Ref(Kind.ZERO)
            is_constant = expr.mnemonic == CONSTANT
            port = Port(None if is_constant else expr.index, expr.dtype, expr.value)
            return Ref(Kind.PORT, self._ports.setdefault(port, len(self._ports)))
        widens = expr.mnemonic == "PASS" and expr.dtype.size >= expr.reads.size and not expr.accumulates
        if widens and operands[0].kind is Kind.NODE and not keep:
            # A result has 32 bits in the mesh, sign-extended: it is its own wider form.
            return operands[0]
        if expr.accumulates:
            # A sum is in the ALU itself: its own result comes back as the second operand.
            operands = [operands[0], Ref(Kind.SELF)]
        return self.node(
            Node(
                expr.mnemonic,
                expr.reads,
                expr.dtype,
                tuple(operands),
                expr.saturate,
                expr.relation,
                expr.accumulates,
            )
        )
