"""Cuts of passes in two, where the mesh or MEM has no room for the whole expression.

Every operation rounds to its format, so a value that goes through MEM is the same one: results do not depend on cuts.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from compiler.ir.lanes import Numbers
from compiler.ir.tensor import Tensor
from compiler.ir.vector import Operand, Pass, Result
from compiler.lower.vxm.plan import ways
from compiler.mesh.graph import Graph, Kind, Port, Ref, widened
from compiler.mesh.mapper import repeated
from compiler.mesh.mapping import Mapping

_MOST = 2000
"""Most ways to cut that are looked at."""

_TRIED = 200
"""Most cuts whose parts are mapped."""

Part = frozenset[int]
"""Nodes of a graph that come in the first pass: with each node all that it needs."""


def cut(op: Pass, spare: int, latched: bool = False) -> list[Pass]:
    """Return passes that do the work of one, as few as will do.

    Parameters
    ----------
    op : Pass
    spare : int
        MEM slices that a pass must leave alone.
    latched : bool
        Whether ALUs hold words that many steps share, where the mesh has room for that.

    Returns
    -------
    list of Pass
        The pass itself if it fits, or if no cut helps.
    """
    if ways(op, spare, latched):
        return [op]
    # An operand that both parts convert need not cross in the wider format.
    usual = [op.graph, repeated(op.graph)]
    found = _cut(op, usual, spare, latched)
    # At last, what users read in a wider format than it is stored in may cross too: an ALU of its own widens it.
    last = widened(op.graph)
    return found if len(found) > 1 or last in usual else _cut(op, [last], spare, latched)


def _cut(op: Pass, graphs: list[Graph], spare: int, latched: bool) -> list[Pass]:
    """Return passes that do the work of one, cut from one of some graphs that compute the same; as `cut`."""
    forms = [replace(op, graph=graph) for graph in dict.fromkeys(graphs)]
    parts = sorted(((form, part) for form in forms for part in _parts(form.graph)), key=lambda item: _cost(*item))
    best: list[Pass] = []
    largest: tuple[Pass, Pass] | None = None
    for form, part in parts[:_TRIED]:
        both = _divide(form, part)
        if both is None:
            continue
        # Whether the first part fits is asked only where something follows from it: it takes longest to answer.
        whole = bool(ways(both[1], spare, latched))
        longer = largest is None or len(both[0].graph.nodes) > len(largest[0].graph.nodes)
        if not (whole or longer) or not ways(both[0], spare, latched):
            continue
        if whole:
            if _meet(*both, latched):
                return [*both]
            best = best or [*both]
        else:
            largest = both
    if best or largest is None:
        return best or [op]
    rest = cut(largest[1], spare, latched)
    return [largest[0], *rest] if len(rest) > 1 else [op]


def _meet(first: Pass, second: Pass, latched: bool) -> bool:
    """Return whether mesh and MEM slices have room for two passes at the same time."""
    one, two = ways(first, latched=latched)[0], ways(second, latched=latched)[0]
    if _bytes_read(first, one[0]) + _bytes_read(second, two[0]) > first.config.slices:
        return False
    mine, theirs = ([{cell.alu for cell in mapping.cells} for mapping in group] for group in (one, two))
    return any(not alus & others for alus in mine for others in theirs)


def _bytes_read(op: Pass, mapping: Mapping) -> int:
    """Return the bytes that are read all the time."""
    sizes = [op.operands[stream.port].tensor.itemsize for stream in mapping.streams]
    return sum(size for number, size in enumerate(sizes) if not mapping.holds(number))


def _parts(graph: Graph) -> Iterator[Part]:
    """Yield first parts, small ones first."""
    users: dict[int, list[int]] = {number: [] for number in range(len(graph.nodes))}
    needs: list[Part] = []
    for number, node in enumerate(graph.nodes):
        needs.append(frozenset(ref.number for ref in node.operands if ref.kind is Kind.NODE))
        for source in needs[-1]:
            users[source].append(number)
    found: dict[Part, None] = {frozenset(): None}
    pending: list[Part] = [frozenset()]
    while pending and len(found) < _MOST:
        part = pending.pop(0)
        for number, needed in enumerate(needs):
            larger = part | {number}
            if number not in part and needed <= part and larger not in found and len(larger) < len(needs):
                found[larger] = None
                pending.append(larger)
                # A value cannot cross in another format than its user reads.
                if all(_is_kept(graph, source, users[source], larger) for source in larger):
                    yield larger


def _is_kept(graph: Graph, number: int, users: list[int], part: Part) -> bool:
    """Return whether users in the second part read a node's result in the format that it is stored in."""
    node = graph.nodes[number]
    for user in users:
        if user in part:
            continue
        reader = graph.nodes[user]
        for slot, ref in enumerate(reader.operands):
            wanted = reader.dtype if slot < 2 else node.out_dtype  # a mask has one byte
            if ref == Ref(Kind.NODE, number) and wanted is not node.out_dtype:
                return False
    return True


def _crossing(graph: Graph, part: Part) -> list[int]:
    """Return the nodes of a first part whose results the second one reads."""
    return sorted(
        {
            ref.number
            for number, node in enumerate(graph.nodes)
            for ref in node.operands
            if number not in part and ref.kind is Kind.NODE and ref.number in part
        }
    )


def _cost(op: Pass, part: Part) -> tuple[int, int, int]:
    """Return what makes a cut worse: bytes through MEM, bytes read, unequal parts."""
    graph = op.graph
    through = sum(graph.nodes[number].out_dtype.size for number in _crossing(graph, part))
    read = 0
    for inside in (True, False):
        ports = {
            ref.number
            for number, node in enumerate(graph.nodes)
            for ref in node.operands
            if (number in part) is inside and ref.kind is Kind.PORT
        }
        read += sum(op.operands[port].tensor.itemsize for port in ports)
    return through, read, abs(2 * len(part) - len(graph.nodes))


def _divide(op: Pass, part: Part) -> tuple[Pass, Pass] | None:
    """Return the passes of a first part and of the rest; None when a value that crosses is written sparsely,
    or parts of one tensor would come from both.
    """
    graph = op.graph
    rest = frozenset(range(len(graph.nodes))) - part
    written = dict(zip(graph.outputs, op.results, strict=True))
    mine = {number: result for number, result in written.items() if number in part}
    others = {number: result for number, result in written.items() if number in rest}
    if {id(result.tensor) for result in mine.values()} & {id(result.tensor) for result in others.values()}:
        return None
    every: Numbers = np.arange(op.steps)
    if not any(graph.nodes[number].accumulates for number in rest):
        # Only sums that are complete go on.
        every = np.flatnonzero(np.any([result.steps >= 0 for result in others.values()], axis=0))
    kept = np.full(op.steps, -1, np.int64)
    kept[every] = np.arange(len(every))
    values: dict[int, Operand] = {}
    for number in _crossing(graph, part):
        if number not in mine:
            dtype = graph.nodes[number].out_dtype.numpy.name
            value = Tensor(f"{op.name}.value{number}", (len(every), op.config.vector_length), dtype)
            mine[number] = Result(value, kept)
        elif (mine[number].steps[every] < 0).any():
            return None
        values[number] = Operand(mine[number].tensor, None, mine[number].steps[every])
    second = _extract(op, rest, others, values, every)
    if len(every) < op.steps:
        gaps = np.unique(np.diff(op.times[every]))
        second = replace(second, interval=int(gaps[0]) if len(gaps) == 1 else 1, turn=1, within=1)
    return _extract(op, part, mine, {}, np.arange(op.steps)), second


def _extract(op: Pass, part: Part, results: dict[int, Result], values: dict[int, Operand], every: Numbers) -> Pass:
    """Return the pass of some nodes, in some of the steps: it makes `results` and reads `values` of other nodes."""
    graph = op.graph
    places = {number: place for place, number in enumerate(sorted(part))}
    ports: dict[Ref, Port] = {}
    operands: list[Operand] = []
    nodes = []
    for number in places:
        node = graph.nodes[number]
        refs = []
        for ref in node.operands:
            if ref.kind is Kind.NODE and ref.number in part:
                refs.append(Ref(Kind.NODE, places[ref.number]))
            elif ref.kind in (Kind.SELF, Kind.ZERO):
                refs.append(ref)
            else:
                if ref not in ports:
                    if ref.kind is Kind.NODE:
                        dtype, operand = graph.nodes[ref.number].out_dtype, values[ref.number]
                    else:
                        dtype, operand = graph.ports[ref.number].dtype, op.operands[ref.number]
                        operand = replace(operand, steps=operand.steps[every])
                    ports[ref] = Port(len(ports), dtype)
                    operands.append(operand)
                refs.append(Ref(Kind.PORT, list(ports).index(ref)))
        nodes.append(replace(node, operands=tuple(refs)))
    outputs = tuple(places[number] for number in results)
    steps = tuple(Result(result.tensor, result.steps[every]) for result in results.values())
    form = Graph(tuple(nodes), tuple(ports.values()), outputs)
    return replace(op, graph=form, operands=tuple(operands), results=steps, restarts=op.restarts[every])
