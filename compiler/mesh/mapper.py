"""Finds places for a graph in the mesh.

Level L stands in column ``(start + L) mod alu_cols``. A result reaches the next level only, so PASS cells carry it
further; an operand that comes on streams is read in the level that wants it.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import lru_cache, partial
from itertools import combinations

from arch.config import Config
from arch.formats import DType
from compiler.mesh.capability import columns_for
from compiler.mesh.graph import Graph, Kind, Node, Ref, passing
from compiler.mesh.mapping import Cell, Mapping, Source, Stream

Users = tuple[tuple[int, int], ...]

_CHOICES = 4
"""Most levels of a port of which every choice is tried."""


@lru_cache(maxsize=4096)
def mappings(config: Config, graph: Graph, once: int | None = None) -> list[list[Mapping]]:
    """Return the ways to map a graph, in groups.

    Parameters
    ----------
    config : Config
    graph : Graph
    once : int, optional
        Port whose stream passes by once, so that it cannot be read again in a later level.

    Returns
    -------
    list of list of Mapping
        Mappings of a group differ in ALUs and levels only and have the same streams in the same order. Groups with the
        fewest streams come first, in each the mappings with the fewest levels. Empty when the mesh is too small.

    Raises
    ------
    TaktError
        When no ALU has an operation.
    """
    # Chains that do not meet may begin in different columns, which is of use where one column is too full for all.
    if _is_crowded(config, _columns(config, graph)):
        return []
    ways = _levels, partial(_staggered, filling=True), partial(_staggered, filling=False)
    return next(filter(None, (_mappings(config, graph, once, way) for way in ways)), [])


def _columns(config: Config, graph: Graph) -> list[tuple[int, ...]]:
    """Return the columns of the mesh in which each node can stand."""
    return [columns_for(config, n.mnemonic, n.dtype, n.out_dtype, n.relation) for n in graph.nodes]


def _is_crowded(config: Config, columns: list[tuple[int, ...]]) -> bool:
    """Return whether some columns have fewer ALUs than there are nodes that can stand in no others.

    Cuts of long expressions ask for parts of all sizes: most answers need no search.
    """
    every = tuple(range(config.alu_cols))
    return any(
        sum(set(own) <= set(some) for own in columns) > len(some) * config.alu_rows for some in {every, *columns}
    )


def _mappings(
    config: Config,
    graph: Graph,
    once: int | None,
    levels_of: Callable[[Config, Graph, list[tuple[int, ...]], int], list[int]],
) -> list[list[Mapping]]:
    """Return the ways to map a graph whose nodes have the levels that a function gives them."""
    groups: dict[tuple[int, tuple[tuple[int, Users], ...]], list[Mapping]] = defaultdict(list)
    for variant, form in enumerate(dict.fromkeys([graph, repeated(graph)])):
        held = {ref.number for node in form.nodes if node.holds for ref in node.operands}
        columns = _columns(config, form)
        for start in range(config.alu_cols):
            levels = levels_of(config, form, columns, start)
            if min(levels):  # the same as to start in that level's column
                continue
            counts = Counter((start + level) % config.alu_cols for level in levels)
            if max(counts.values()) > config.alu_rows:  # and PASSes would come on top
                continue
            wanted = [sorted(set(_uses(form, levels, port))) for port in range(len(form.ports))]
            # ALUs that hold a word each read it themselves: there is no stream to pass on.
            always = frozenset((port, level) for port in held for level in wanted[port][1:])
            for split in _splits([found if port != once else [] for port, found in enumerate(wanted)], always):
                layout = _Layout(config, form, levels, start, split)
                if layout.fits:
                    group = groups[variant, layout.signature]
                    # Rotated by rows they are other ALUs with the same cycles: neighbours in time find some that are
                    # free.
                    group.extend(layout.mapping(first) for first in range(config.alu_rows))
    found = [sorted(group, key=lambda mapping: mapping.depth) for group in groups.values()]
    return sorted(found, key=lambda group: (len(group[0].streams), group[0].depth, len(group[0].cells)))


def repeated(graph: Graph) -> Graph:
    """Return a graph in which conversions of operands are repeated for each user, instead of carried along."""
    nodes: list[Node] = []
    places: list[int] = []
    used: set[int] = set(graph.outputs)
    for node in graph.nodes:
        refs: dict[Ref, Ref] = {}
        for ref in node.operands:
            if ref.kind is not Kind.NODE or ref in refs:
                continue
            source = graph.nodes[ref.number]
            if ref.number in used and len(source.operands) == 1 and source.operands[0].kind is Kind.PORT:
                nodes.append(source)
                refs[ref] = Ref(Kind.NODE, len(nodes) - 1)
            else:
                refs[ref] = Ref(Kind.NODE, places[ref.number])
            used.add(ref.number)
        places.append(len(nodes))
        nodes.append(replace(node, operands=tuple(refs.get(ref, ref) for ref in node.operands)))
    return Graph(tuple(nodes), graph.ports, tuple(places[number] for number in graph.outputs))


def _splits(levels: list[list[int]], always: frozenset[tuple[int, int]]) -> Iterator[frozenset[tuple[int, int]]]:
    """Yield what to read again: (port, level) of all, none, or some of one port, and `always` some.

    Each port is wanted in its `levels`.
    """
    again = [[(port, level) for level in wanted[1:]] for port, wanted in enumerate(levels)]
    choices = {frozenset(item for items in again for item in items): None, frozenset(): None}
    for items in again:
        # Subsets double with each level, and all or none are mostly the best.
        few = range(1, len(items) + 1) if len(items) <= _CHOICES else (len(items),)
        choices |= {frozenset(some): None for count in few for some in combinations(items, count)}
    return iter({choice | always: None for choice in choices})


def _levels(config: Config, graph: Graph, columns: list[tuple[int, ...]], start: int) -> list[int]:
    """Return the level of every node: as early as can be; those that need streams only, as late."""
    levels: list[int] = []
    for node, allowed in zip(graph.nodes, columns, strict=True):
        level = max((levels[ref.number] + 1 for ref in node.operands if ref.kind is Kind.NODE), default=0)
        while (start + level) % config.alu_cols not in allowed:
            level += 1
        levels.append(level)
    for number in reversed(range(len(levels))):
        node = graph.nodes[number]
        users = [levels[user] for user, _ in graph.users(Ref(Kind.NODE, number))]
        if users and not any(ref.kind is Kind.NODE for ref in node.operands) and number not in graph.outputs:
            # What needs streams only can wait on these, without an ALU; once made, it takes a PASS per level.
            latest = min(users) - 1
            while (start + latest) % config.alu_cols not in columns[number]:
                latest -= 1
            levels[number] = latest
    return levels


def _staggered(config: Config, graph: Graph, columns: list[tuple[int, ...]], start: int, filling: bool) -> list[int]:
    """Return levels of nodes as `_levels`, of which parts that do not meet begin one after another where that pays.

    A part begins in the first column in which it finds ALUs, if columns are to be filled one after another, or in that
    in which it crowds the fullest column least. PASSes, which come later, are not counted.
    """
    levels = [0] * len(graph.nodes)
    filled = [0] * config.alu_cols
    for part in _parts(graph):
        places = {number: place for place, number in enumerate(part)}
        nodes = [
            replace(
                node,
                operands=tuple(
                    Ref(ref.kind, places[ref.number]) if ref.kind is Kind.NODE else ref for ref in node.operands
                ),
            )
            for node in (graph.nodes[number] for number in part)
        ]
        outputs = tuple(places[number] for number in graph.outputs if number in places)
        own = Graph(tuple(nodes), graph.ports, outputs)
        best: tuple[tuple[int, int], list[int], list[int]] | None = None
        for wait in range(config.alu_cols):
            found = [wait + level for level in _levels(config, own, [columns[number] for number in part], start + wait)]
            counts = list(filled)
            for level in found:
                counts[(start + level) % config.alu_cols] += 1
            crowded = max(*counts, config.alu_rows) if filling else max(counts)
            if best is None or (crowded, min(found)) < best[0]:
                best = (crowded, min(found)), found, counts
        assert best is not None
        filled = best[2]
        for number, level in zip(part, best[1], strict=True):
            levels[number] = level
    return levels


def _parts(graph: Graph) -> list[list[int]]:
    """Return the nodes of a graph in parts that no result ties together, in their order."""
    parts: list[list[int]] = []
    for number, node in enumerate(graph.nodes):
        needed = {ref.number for ref in node.operands if ref.kind is Kind.NODE}
        tied = [part for part in parts if needed.intersection(part)]
        parts = [part for part in parts if not any(part is other for other in tied)]
        parts.append(sorted([number, *(other for part in tied for other in part)]))
    return sorted(parts)


def _uses(graph: Graph, levels: list[int], port: int) -> list[int]:
    return [levels[number] for number, _ in graph.users(Ref(Kind.PORT, port))]


class _Layout:
    """A graph with levels, PASSes added; `split` are ports and further levels in which they are read again."""

    def __init__(
        self, config: Config, graph: Graph, levels: list[int], start: int, split: frozenset[tuple[int, int]]
    ) -> None:
        self._config = config
        self._graph = graph
        self._start = start
        self._nodes: list[Node] = list(graph.nodes)
        self._levels = list(levels)
        self._sources: list[list[Ref]] = [list(node.operands) for node in graph.nodes]
        streams: list[tuple[int, Users, Stream]] = []
        for port in range(len(graph.ports)):
            users = graph.users(Ref(Kind.PORT, port))
            wanted = sorted({levels[number] for number, _ in users})
            reads = [level for level in wanted if level == wanted[0] or (port, level) in split]
            for level, following in zip(reads, [*reads[1:], wanted[-1] + 1], strict=True):
                mine = tuple(user for user in users if level <= levels[user[0]] < following)
                streams.append((port, mine, Stream(port, level)))
        streams.sort(key=lambda item: item[:2])
        self.signature = tuple(item[:2] for item in streams)
        self._streams = tuple(stream for _, _, stream in streams)
        for number, (port, mine, stream) in enumerate(streams):
            self._feed(Ref(Kind.PORT, number), stream.level - 1, mine, graph.ports[port].dtype)
        for number, node in enumerate(graph.nodes):
            ref = Ref(Kind.NODE, number)
            self._feed(ref, levels[number], graph.users(ref), node.out_dtype)
        self._columns = [(start + level) % config.alu_cols for level in self._levels]
        self.fits = all(self._columns.count(column) <= config.alu_rows for column in range(config.alu_cols))

    def _feed(self, ref: Ref, level: int, users: Users, dtype: DType) -> None:
        """Let users read what is there for level + 1, through PASSes where they are farther away."""
        last = max((self._levels[number] for number, _ in users), default=0)
        at = {level + 1: ref}
        for farther in range(level + 1, last):
            operand = at[farther]
            at[farther + 1] = Ref(Kind.NODE, len(self._nodes))
            self._nodes.append(passing(operand, dtype))
            self._levels.append(farther)
            self._sources.append([operand])
        for number, slot in users:
            self._sources[number][slot] = at[self._levels[number]]

    def mapping(self, first: int) -> Mapping:
        """Return the mapping that fills every column from row `first` on."""
        # Rows are alike: any will do, as long as a column's operations are in different ones.
        counts = [first] * self._config.alu_cols
        rows = []
        for column in self._columns:
            rows.append(counts[column] % self._config.alu_rows)
            counts[column] += 1
        cells = []
        for node, column, level, row, refs in zip(
            self._nodes, self._columns, self._levels, rows, self._sources, strict=True
        ):
            sources = tuple(Source(ref.kind, rows[ref.number] if ref.kind is Kind.NODE else ref.number) for ref in refs)
            cells.append(Cell(replace(node), row * self._config.alu_cols + column, level, sources))
        return Mapping(tuple(cells), self._streams, self._graph.outputs)
