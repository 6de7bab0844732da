"""ALUs that latch a stationary operand: one that many steps share."""

from collections.abc import Collection
from dataclasses import replace

from compiler.expression.expr import BITS
from compiler.mesh.graph import Graph, Kind, Node, Ref


def forms(graph: Graph, ports: Collection[int]) -> list[Graph]:
    """Return a graph with latches for some ports, if any, and as it is, which takes slices and streams instead."""
    return [with_latches(graph, ports), graph] if ports else [graph]


def with_latches(graph: Graph, ports: Collection[int]) -> Graph:
    """Return a graph in which an ALU holds the word of each of some ports, and repeats it for every user.

    A latch costs an ALU per user, and spares stream and MEM slice for all but the first steps.
    """
    nodes: list[Node] = []
    places: list[int] = []
    for node in graph.nodes:
        refs: dict[Ref, Ref] = {}
        for ref in node.operands:
            if ref.kind is Kind.NODE:
                refs[ref] = Ref(Kind.NODE, places[ref.number])
            # One per user, since a result reaches the next column only, and users stand in different ones.
            elif ref.kind is Kind.PORT and ref.number in ports and ref not in refs:
                bits = BITS[graph.ports[ref.number].dtype.size]
                nodes.append(Node("PASS", bits, bits, (ref,), holds=True))
                refs[ref] = Ref(Kind.NODE, len(nodes) - 1)
        places.append(len(nodes))
        nodes.append(replace(node, operands=tuple(refs.get(ref, ref) for ref in node.operands)))
    return Graph(tuple(nodes), graph.ports, tuple(places[number] for number in graph.outputs))
