"""Ways to work on a product's sums in the mesh, on their way to MEM."""

from dataclasses import replace

from arch.timing import timing
from compiler.ir.matmul import MatMul
from compiler.mesh.graph import Graph, Kind, Node, Port, Ref
from compiler.mesh.latches import forms
from compiler.mesh.mapper import mappings
from compiler.mesh.mapping import Mapping, Stream

Chains = tuple[Mapping, ...]
"""Mappings of one epilogue that have no ALU in common, and the same streams."""


def chains(op: MatMul, parts: int = 1) -> list[Chains]:
    """Return the ways to map an epilogue, each as many times as the mesh has room for.

    Operands that are the same for all rows (a bias, a number) are kept by ALUs of their own, or read again for every
    row, which takes slices and streams instead. Where planes share out K in two `parts`, it adds their sums first.

    Raises
    ------
    TaktError
        When no ALU has an operation.
    """
    assert op.epilogue is not None
    found: dict[Chains, None] = {}
    # What takes no sums has nothing to be timed by: it is a pass of its own.
    if op.sum_port < 0:
        return []
    whole = op.epilogue.graph if parts == 1 else _with_addition(op)
    for graph in forms(whole, stationary_ports(op)):
        groups = [_disjoint(op, group) for group in mappings(op.config, graph, op.sum_port)]
        if groups:
            # The fewest streams, or the most planes at a time: which is better depends on the product.
            found[groups[0]] = None
            found[max(groups, key=len)] = None
    return [*found]


def stationary_ports(op: MatMul) -> set[int]:
    """Return the ports of an epilogue's graph, but that of the sums, that carry one word for all rows of a block."""
    assert op.epilogue is not None
    steps = [operand.steps.reshape(op.n_blocks, op.m) for operand in op.epilogue.operands]
    return {port for port, rows in enumerate(steps) if port != op.sum_port and (rows == rows[:, :1]).all()}


def is_of_sums(op: MatMul, stream: Stream) -> bool:
    """Return whether a stream of a mapping carries sums, or the other part's, which have a port more."""
    assert op.epilogue is not None
    return stream.port == op.sum_port or stream.port == len(op.epilogue.operands)


def _with_addition(op: MatMul) -> Graph:
    """Return the epilogue's graph with an addition of sums in front, which come in by the ports of sums."""
    assert op.epilogue is not None
    graph, port = op.epilogue.graph, op.sum_port
    dtype = graph.ports[port].dtype
    first = Node("ADD", dtype, dtype, (Ref(Kind.PORT, port), Ref(Kind.PORT, len(graph.ports))))

    def moved(ref: Ref) -> Ref:
        if ref == Ref(Kind.PORT, port):
            return Ref(Kind.NODE, 0)
        return Ref(Kind.NODE, ref.number + 1) if ref.kind is Kind.NODE else ref

    nodes = [replace(node, operands=tuple(map(moved, node.operands))) for node in graph.nodes]
    ports = (*graph.ports, Port(None, dtype))
    return Graph((first, *nodes), ports, tuple(number + 1 for number in graph.outputs))


def latency(op: MatMul, mapping: Mapping) -> int:
    """Return the cycles from a sum's arrival at the VXM to the result on the register there."""
    table = timing(op.config)["PASS"]
    assert table.d_skew is not None and table.d_func is not None
    levels = mapping.cells[mapping.outputs[0]].level - sum_level(op, mapping)
    return levels * timing(op.config).chain - table.d_skew + table.d_func


def sum_level(op: MatMul, mapping: Mapping) -> int:
    """Return the level that takes the sums."""
    return next(stream.level for stream in mapping.streams if is_of_sums(op, stream))


def _disjoint(op: MatMul, group: list[Mapping]) -> Chains:
    """Return as many mappings without a common ALU as can be found, those with the lowest latency."""
    ordered = sorted(group, key=lambda mapping: latency(op, mapping))
    best: list[Mapping] = []
    # Greedily, but once from each: no single first choice decides.
    for first in ordered:
        chosen, used = [first], {cell.alu for cell in first.cells}
        for mapping in ordered:
            mine = {cell.alu for cell in mapping.cells}
            if not mine & used:
                chosen.append(mapping)
                used |= mine
        if len(chosen) > len(best):
            best = chosen
    return tuple(best)
