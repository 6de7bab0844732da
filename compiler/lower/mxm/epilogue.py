"""Ways to work on a product's sums in the mesh, on their way to MEM."""

from arch.timing import timing
from compiler.ir.matmul import MatMul
from compiler.mesh.keepers import forms
from compiler.mesh.mapper import mappings
from compiler.mesh.mapping import Mapping

Chains = tuple[Mapping, ...]
"""Mappings of one epilogue that have no ALU in common, and the same streams."""


def chains(op: MatMul) -> list[Chains]:
    """Return the ways to map an epilogue, each as many times as the mesh has room for.

    Operands that are the same for all rows (a bias, a number) are kept by ALUs of their own, or read again for every
    row, which takes slices and streams instead.

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
    for graph in forms(op.epilogue.graph, kept_ports(op)):
        groups = [_disjoint(op, group) for group in mappings(op.config, graph, op.sum_port)]
        if groups:
            # The fewest streams, or the most planes at a time: which is better depends on the product.
            found[groups[0]] = None
            found[max(groups, key=len)] = None
    return [*found]


def kept_ports(op: MatMul) -> set[int]:
    """Return the ports of an epilogue's graph, but that of the sums, that carry one word for all rows of a block."""
    assert op.epilogue is not None
    steps = [operand.steps.reshape(op.n_blocks, op.m) for operand in op.epilogue.operands]
    return {port for port, rows in enumerate(steps) if port != op.sum_port and (rows == rows[:, :1]).all()}


def latency(op: MatMul, mapping: Mapping) -> int:
    """Return the cycles from a sum's arrival at the VXM to the result on the register there."""
    table = timing(op.config)["PASS"]
    assert table.d_skew is not None and table.d_func is not None
    levels = mapping.cells[mapping.outputs[0]].level - sum_level(op, mapping)
    return levels * timing(op.config).chain - table.d_skew + table.d_func


def sum_level(op: MatMul, mapping: Mapping) -> int:
    """Return the level that takes the sums."""
    return next(stream.level for stream in mapping.streams if stream.port == op.sum_port)


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
