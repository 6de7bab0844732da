"""Where the operands and results of every operation live."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property, partial

import numpy as np

from arch.config import HEMISPHERES, Config
from arch.geometry import Direction, Hemisphere, units
from compiler.kernels.epilogue import epilogue
from compiler.kernels.plan import Feeder, Plan
from compiler.operation import MatMul
from compiler.placement.allocator import Allocator, Bank, OutOfMemory
from compiler.placement.demand import Demand, Port, Vectors, Work, demands_of
from compiler.placement.layout import Layout, Numbers
from compiler.placement.maps import Words, constant_words, element_words, weight_words
from compiler.tensor import Tensor, as_view
from compiler.vector.lanes import vector_count, vectors_along
from compiler.vector.operation import Pass, Result

_RUN = 8
"""Least vectors of a dense stream before it changes its place."""

_FEW = 16
"""Vectors of which every pass gets a copy of its own, so that passes can run at the same time."""

_NEXT = 2
"""Passes before and after one that may run at the same time."""

Sides = tuple[tuple[Hemisphere, ...], ...]


@dataclass
class Placed:
    """Storage of one operation.

    Attributes
    ----------
    ports : dict of int to Port
        What it reads: one per feeder of a MatMul, one per stream of a Pass, by number.
    results : list of Layout
        Every copy of a MatMul's result; rows or blocks that a copy lacks have slice -1.
    outputs : list of list of Layout
        The same for each result of a Pass.
    weights : dict of Hemisphere to (slices, addrs)
        Shape (ways * lanes, words): word i of stream j, in the order of use.
    constants : dict of str to (slices, addrs)
        Shape (4, n_blocks): byte planes of the VXM's vectors.
    """

    ports: dict[int, Port] = field(default_factory=dict)
    results: list[Layout] = field(default_factory=list)
    outputs: list[list[Layout]] = field(default_factory=list)
    weights: dict[Hemisphere, tuple[Numbers, Numbers]] = field(default_factory=dict)
    constants: dict[str, tuple[Numbers, Numbers]] = field(default_factory=dict)

    @cached_property
    def activations(self) -> list[Layout]:
        """Activations of each feeder of a MatMul, shape (bytes, k_blocks, m); only its rows are valid.

        To be asked for when all that produces them is placed in time.
        """
        found = []
        for _, port in sorted(self.ports.items()):
            op = port.demand.op
            assert isinstance(op, MatMul)
            slices, addrs, ready = port.words()
            shape = (len(slices), op.k_blocks, op.m)
            found.append(Layout(slices.reshape(shape), addrs.reshape(shape), ready.reshape(shape[1:])))
        return found

    @property
    def reads(self) -> set[int]:
        """Slices that are read, weights and the VXM's vectors apart."""
        return {number for port in self.ports.values() for number in port.slices}


class Storage:
    """Places the tensors of a program for given plans.

    Reads that run at the same time come from different slices (a slice has one read engine), writes go to different
    slices likewise (those of different feeders as far as possible), and an operation never writes a bank that it reads.

    Parameters
    ----------
    config : Config
    work : list of (operation, plan)
    stored : callable
        Whether a tensor has vectors of its own in MEM: a result or a state.
    outputs : list of Tensor
    states : list of Tensor
        Results of passes that have words before the program starts.
    tight : bool
        Let the VXM's constants share slices with weights, which are read rarely, where there are no others.
    dense : bool
        Let operations read one copy of a result, and keep that in one place, at the price of waiting for each other.

    Raises
    ------
    OutOfMemory
        When something finds no room under these rules.
    """

    def __init__(
        self,
        config: Config,
        work: Work,
        stored: Callable[[Tensor], bool],
        outputs: list[Tensor],
        states: list[Tensor],
        tight: bool = False,
        dense: bool = False,
    ) -> None:
        self._config = config
        self._dense = dense
        self.allocator = Allocator(config)
        self._products = [(op, plan) for op, plan in work if isinstance(op, MatMul) and isinstance(plan, Plan)]
        self._outputs = outputs
        self._reads = np.zeros((config.slices, 2), np.int64)
        self._writes = np.zeros((config.slices, 2), np.int64)
        self._width: dict[int, dict[Direction, int]] = defaultdict(lambda: dict.fromkeys(Direction, 0))
        self._shared: dict[int, list[tuple[Demand, Port]]] = defaultdict(list)
        self.placed = {id(op): Placed() for op, _ in work}
        self.words: dict[int, list[Words]] = {}
        """Words of inputs, constants and outputs, by id of the tensor."""
        self.zeros: list[tuple[Numbers, Numbers]] = []
        """Slices and addrs of words that hold zeros."""
        passes = [op for op, _ in work if isinstance(op, Pass)]
        self._beside: dict[int, list[Pass]] = {
            id(op): [*passes[max(number - _NEXT, 0) : number], *passes[number + 1 : number + 1 + _NEXT]]
            for number, op in enumerate(passes)
        }
        self._demands = {id(op): list(demands_of(op, plan, stored)) for op, plan in work}
        for product, its in self._products:
            self._place_weights(product, its)
        if not tight:
            self._place_all_constants(tight)
        for op, _ in work:
            for demand in self._demands[id(op)]:
                if demand.elements is not None:
                    self._place_input(demand)
        if tight:
            self._place_all_constants(tight)
        self._states = {id(state): self._place_state(state) for state in states}
        for op, plan in work:
            if isinstance(op, MatMul):
                assert isinstance(plan, Plan)
                self._place_product(op, plan)
            else:
                self._place_results(op)

    # What the host writes

    def _place_weights(self, op: MatMul, plan: Plan) -> None:
        for feeder in plan.feeders:
            side = feeder.hemisphere
            placed = self.placed[id(op)].weights
            if side in placed:
                continue
            taken = {int(number) for slices, _ in placed.values() for number in slices.flat}
            words = op.k_blocks * sum(feeder.load_steps(op, group) for group in feeder.groups)
            banks = [
                Bank(number, bank)
                for hemisphere in (side, Hemisphere(1 - side))
                for bank in (0, 1)
                for number in reversed(self._slices_of(hemisphere))
                if number not in taken
            ]
            placed[side] = self.allocator.take(op.w.name, feeder.ways * self._config.lanes, words, banks)
            self._add(as_view(op.w).tensor, weight_words(op, feeder, *placed[side]))

    def _place_all_constants(self, tight: bool) -> None:
        for op, _ in self._products:
            if op.constants:
                self._place_constants(op, tight)

    def _place_constants(self, op: MatMul, tight: bool) -> None:
        placed = self.placed[id(op)]
        weights = _slices(placed.weights)
        busy = placed.reads
        if not tight:
            busy |= weights
        rows = len(op.constants) * op.n_blocks
        choices = [
            sorted(
                (Bank(number, bank) for bank in (1, 0) for number in self._slices_of(side) if number not in busy),
                key=lambda bank: bank.slice in weights,
            )
            for side in sorted(Hemisphere, key=lambda side: len(weights & set(self._slices_of(side))))
        ]
        slices, addrs = self._take_first(f"the bias or scale of {op.y.name}", 4, rows, choices)
        for index, (name, tensor) in enumerate(op.constants):
            part = slice(index * op.n_blocks, (index + 1) * op.n_blocks)
            placed.constants[name] = slices[:, part], addrs[:, part]
            self._add(tensor, constant_words(op, *placed.constants[name]))

    def _place_input(self, demand: Demand) -> None:
        """Place the vectors of a port that the host writes; ports of different operations may share them."""
        op, tensor = demand.op, demand.tensor
        assert demand.elements is not None
        busy = self._busy(op)
        for sharer, port in self._shared[id(tensor)] if isinstance(op, Pass) and len(demand.elements) > _FEW else []:
            if (
                sharer.op is not op
                and sharer.elements is not None
                and np.array_equal(sharer.elements, demand.elements)
                and not port.slices & busy
            ):
                self._connect(Port(demand, port.layout, port.zero_slices, port.zero_addrs))
                return
        layout = Layout.empty(tensor.itemsize, 1, len(demand.elements))
        order = demand.order
        if isinstance(op, MatMul):
            assert demand.near is not None
            choices = [[bank for bank in self._banks_near(demand.near) if bank.slice not in busy]]
        else:
            sides = self._sides(op, [], Direction.EAST, tensor.itemsize)
            choices = [self._ordered(side, busy, set(), op) for side in sides]
            for other in self.placed[id(op)].ports.values():
                if demand.apart(other.demand) and demand.tensor.itemsize == other.demand.tensor.itemsize:
                    choices.insert(0, [Bank(number, bank) for number in sorted(other.slices) for bank in (0, 1)])
        slices, addrs = self._take_first(tensor.name, tensor.itemsize, len(order), choices)
        layout.flat[0][:, order] = slices
        layout.flat[1][:, order] = addrs
        port = self._port(demand, layout)
        self._connect(port)
        if isinstance(op, Pass):
            self._shared[id(tensor)].append((demand, port))
        self._add(tensor, element_words(demand.elements[order], slices, addrs))

    def _place_state(self, state: Tensor) -> list[Layout]:
        """Place the copies of a state, which its update will write: as of a result."""
        readers = self._readers(state)
        elements = np.arange(state.size, dtype=np.int32).reshape(state.shape)
        rows = vectors_along(elements, state.lanes, self._config.vector_length)
        missing = self._missing(state, readers)
        # Its update writes every vector, and the host reads the copies that nobody else does.
        wants: list[tuple[Demand | None, Vectors]] = [(reader, reader.order) for reader in readers]
        wants += [(None, missing)] if len(missing) else []
        placed: list[Layout] = []
        written: set[int] = set()
        for group in _sharing(wants):
            found = self._take_copies(state, group, list(Hemisphere), written, set(), None, None)
            for layout, want in found:
                if want is not None:
                    self._connect(self._port(want, layout))
            for layout in _distinct(found):
                placed.append(layout)
                self._add(state, element_words(rows, *layout.flat[:2]))
        return placed

    # Results

    def _place_product(self, op: MatMul, plan: Plan) -> None:
        """Place the result of a product where its readers want it.

        Words that the planes of a feeder write at the same time, and copies of a word, go to different slices. What
        passes the VXM leaves it in one direction: the bytes of an element and all copies go to one side.
        """
        readers = self._readers(op.y)
        both = tuple(Hemisphere)
        if not epilogue(op):
            choices: list[Sides] = [(both,)]
        elif _copied(readers):
            choices = [((side,),) for side in both]
        else:
            choices = [tuple((side,) for side in both)]
        if any(isinstance(reader.op, Pass) for reader in readers):
            # An ALU reads from one direction.
            choices = [((side,),) for side in both]
        saved = self.allocator.save()
        for choice in choices:
            try:
                found = self._product_layouts(op, plan, readers, choice)
                break
            except OutOfMemory:
                self.allocator.restore(saved)
                if choice is choices[-1]:
                    raise
        self.placed[id(op)].results = [layout for layout, _ in found]
        self._publish(op.y, found)

    def _product_layouts(
        self, op: MatMul, plan: Plan, readers: list[Demand], choice: Sides
    ) -> list[tuple[Layout, Demand | None]]:
        read = self._banks_read(op)
        found: list[tuple[Layout, Demand | None]] = []
        for want in self._wanted(op.y, readers):
            order = _writing_order(op, plan, readers) if want is None else want.order
            busy = _layout_slices([layout for layout, _ in found])
            if want is not None:
                busy |= self._busy(want.op)
            layout = Layout.empty(op.y.itemsize, op.n_blocks, op.m)
            for feeder in plan.feeders:
                mine: set[int] = set()
                near = want.near if want is not None and want.near is not None else feeder.hemisphere
                for words in _words_of(op, feeder, order):
                    banks = [
                        self._banks_to_write(sides, busy | mine, read, _layout_slices([layout]))
                        for sides in sorted(choice, key=lambda sides: near not in sides)
                    ]
                    slices, addrs = self._take_first(op.y.name, op.y.itemsize, len(words), banks)
                    layout.flat[0][:, words] = slices
                    layout.flat[1][:, words] = addrs
                    mine |= {int(number) for number in np.unique(slices)}
            found.append((layout, want))
        return found

    def _place_results(self, op: Pass) -> None:
        """Place the results of a pass: bytes, copies and results that are written at the same time, in own slices.

        Copies that share vectors lie on one side, since an ALU drives one direction at a time.
        """
        written: set[int] = set()
        read = self._banks_read(op)
        for result in op.results:
            tensor = result.tensor
            if id(tensor) in self._states:
                self.placed[id(op)].outputs.append(self._states[id(tensor)])
                continue
            readers = self._readers(tensor)
            missing = self._missing(tensor, readers)
            wants = [(want, missing if want is None else want.order) for want in self._wanted(tensor, readers)]
            found: list[tuple[Layout, Demand | None]] = []
            for group in _sharing(wants):
                found += self._place_copies(op, result, group, written, read)
            self.placed[id(op)].outputs.append(_distinct(found))
            self._publish(tensor, found)

    def _place_copies(
        self,
        op: Pass,
        result: Result,
        wants: list[tuple[Demand | None, Vectors]],
        written: set[int],
        read: set[Bank],
    ) -> list[tuple[Layout, Demand | None]]:
        """Place copies of a result on one side; adds their slices to `written`."""
        size = result.tensor.itemsize
        readers = [want.op for want, _ in wants if want is not None]
        sides = self._sides(op, readers, Direction.WEST, size)
        turns = partial(_turns, result, op.times)
        found = self._take_copies(result.tensor, wants, sides, written, read, turns, op)
        first = int(found[0][0].flat[0].max())
        self._width[id(op)][units(self._config)[first].outward] += size
        for layout in _distinct(found):
            self._count(self._writes, op, *layout.flat[:2])
        return found

    def _take_copies(
        self,
        tensor: Tensor,
        wants: list[tuple[Demand | None, Vectors]],
        sides: list[Hemisphere],
        written: set[int],
        read: set[Bank],
        turns: Callable[[Vectors], tuple[Numbers, int]] | None,
        writer: Pass | None,
    ) -> list[tuple[Layout, Demand | None]]:
        """Take words for copies on the first side that has room; adds their slices to `written`.

        At best dense ones change between slices that nobody reads beside their readers.
        """
        saved = self.allocator.save()
        attempts = [(side, quiet) for quiet in (True, False) for side in sides]
        for side, quiet in attempts:
            found: list[tuple[Layout, Demand | None]] = []
            mine: set[int] = set()
            try:
                for want, order in wants:
                    theirs = set() if want is None else self._busy(want.op)
                    shared = self._shareable(found, want, order, theirs)
                    if shared is not None:
                        found.append((shared, want))
                        continue
                    busy = written | mine | theirs
                    layout = Layout.empty(tensor.itemsize, *vector_count(tensor, self._config.vector_length))
                    banks = self._ordered(side, busy, read, None if want is None else want.op, writer)
                    size = tensor.itemsize
                    if want is not None and turns is not None and not self._dense:
                        places, each = turns(order)
                        idle = len({bank.slice for bank in banks} - self._read_beside(want.op))
                        if each > 1 and idle < each * size:
                            if quiet:
                                raise OutOfMemory(tensor.name, 0, self._config)
                            each = 1
                        slices, addrs = self.allocator.take_striped(tensor.name, size, places, banks, each)
                    else:
                        slices, addrs = self.allocator.take(tensor.name, size, len(order), banks)
                    layout.flat[0][:, order] = slices
                    layout.flat[1][:, order] = addrs
                    mine |= _layout_slices([layout])
                    found.append((layout, want))
            except OutOfMemory:
                self.allocator.restore(saved)
                if (side, quiet) == attempts[-1]:
                    raise
                continue
            break
        written |= mine
        return found

    def _shareable(
        self, found: list[tuple[Layout, Demand | None]], want: Demand | None, order: Vectors, busy: set[int]
    ) -> Layout | None:
        """Return a copy that another operation reads and that will do for a reader too."""
        mine = [layout for layout, other in found if want and other and want.op is other.op]
        for layout, _ in found if self._dense else []:
            apart = not any(layout is taken for taken in mine)
            if apart and (layout.flat[0][0, order] >= 0).all() and not _layout_slices([layout]) & busy:
                return layout
        return None

    def _publish(self, tensor: Tensor, found: list[tuple[Layout, Demand | None]]) -> None:
        """Let readers and the host know the copies of a result."""
        for layout, want in found:
            if want is not None:
                self._connect(self._port(want, layout))
        if any(tensor is output for output in self._outputs):
            slices, addrs = found[0][0].flat[0].copy(), found[0][0].flat[1].copy()
            for layout, _ in found[1:]:
                missing = slices < 0
                slices[missing], addrs[missing] = layout.flat[0][missing], layout.flat[1][missing]
            elements = np.arange(tensor.size, dtype=np.int32).reshape(tensor.shape)
            rows = vectors_along(elements, tensor.lanes, self._config.vector_length)
            self._add(tensor, element_words(rows, slices, addrs))

    def _readers(self, tensor: Tensor) -> list[Demand]:
        return [
            demand
            for demands in self._demands.values()
            for demand in demands
            if demand.tensor is tensor and demand.elements is None
        ]

    def _wanted(self, tensor: Tensor, readers: list[Demand]) -> list[Demand | None]:
        """Return the copies to make of a result: one per port that reads it, and one for the host if it lacks any."""
        is_output = any(tensor is output for output in self._outputs)
        if not readers or (is_output and len(self._missing(tensor, readers))):
            return [*readers, None]
        return [*readers]

    def _missing(self, tensor: Tensor, readers: list[Demand]) -> Vectors:
        """Return the vectors that no reader wants."""
        return _missing(self._config, tensor, readers)

    # Banks and slices

    def _port(self, demand: Demand, layout: Layout) -> Port:
        """Return the port of a demand, with words of zeros in the slices of its first vector if it reads any."""
        size = demand.tensor.itemsize
        none = np.full(size, -1, np.int32)
        if not demand.zeros:
            return Port(demand, layout, none, none)
        where = layout.flat[0][:, demand.order[0]] if len(demand.order) else np.arange(size)
        slices, addrs = np.empty(size, np.int32), np.empty(size, np.int32)
        for byte, number in enumerate(where.tolist()):
            found = self.allocator.take(demand.tensor.name, 1, 1, [Bank(number, bank) for bank in (0, 1)])
            slices[byte], addrs[byte] = found[0][0, 0], found[1][0, 0]
        self.zeros.append((slices, addrs))
        return Port(demand, layout, slices, addrs)

    def _connect(self, port: Port) -> None:
        demand = port.demand
        self.placed[id(demand.op)].ports[demand.key] = port
        if isinstance(demand.op, Pass):
            slices, addrs, _ = port.words()
            self._count(self._reads, demand.op, slices, addrs)
            self._width[id(demand.op)][units(self._config)[int(slices[0, 0])].inward] += demand.tensor.itemsize

    def _count(self, load: Vectors, op: Pass, slices: Numbers, addrs: Numbers) -> None:
        """Note that a pass accesses words, shape (bytes, n): their banks are in use for as long as it runs."""
        held = slices >= 0
        load[slices[held], addrs[held] // self._config.mem_depth] += op.duration

    def _busy(self, op: MatMul | Pass) -> set[int]:
        """Return the slices that an operation reads, as far as they are known."""
        placed = self.placed[id(op)]
        return _slices(placed.weights) | _slices(placed.constants) | placed.reads

    def _banks_read(self, op: MatMul | Pass) -> set[Bank]:
        """Return the banks that an operation reads."""
        placed = self.placed[id(op)]
        pairs = [*placed.weights.values(), *placed.constants.values()]
        for port in placed.ports.values():
            slices, addrs, _ = port.words()
            pairs.append((slices[:, port.demand.used], addrs[:, port.demand.used]))
        found = set()
        for slices, addrs in pairs:
            keys = np.unique((slices * 2 + addrs // self._config.mem_depth)[slices >= 0])
            found |= {Bank(int(key) // 2, int(key) % 2) for key in keys}
        return found

    def _sides(self, op: MatMul | Pass, others: list[MatMul | Pass], source: Direction, size: int) -> list[Hemisphere]:
        """Return both hemispheres, first the one whose streams the operations do not crowd, and whose slices idle most.

        Words read in the west, and results that go east, move east.
        """

        def crowding(side: Hemisphere) -> tuple[int, int, int]:
            inward = Direction.EAST if side is Hemisphere.WEST else Direction.WEST
            outward = Direction.WEST if side is Hemisphere.WEST else Direction.EAST
            mine = self._width[id(op)][inward if source is Direction.EAST else outward] + size
            theirs = max((self._width[id(other)][inward] + size for other in others), default=0)
            part = slice(side * self._config.mem_slices, (side + 1) * self._config.mem_slices)
            return (
                max(mine, theirs, self._config.streams // 2),
                int(self._reads[part].sum() + self._writes[part].sum()),
                side,
            )

        return sorted(Hemisphere, key=crowding)

    def _read_beside(self, reader: MatMul | Pass | None) -> set[int]:
        """Return the slices that operations next to one read."""
        return {number for other in self._beside.get(id(reader), []) for number in self._busy(other)}

    def _ordered(
        self,
        side: Hemisphere,
        busy: set[int],
        read: set[Bank],
        reader: MatMul | Pass | None,
        writer: Pass | None = None,
    ) -> list[Bank]:
        """Return banks of slices that are not busy and that are not read, the nearest to the VXM first.

        A slice's engines are one for reads and one for writes, and its banks do one or the other at a time. Operations
        next to the reader run at the same time where they can, so what they read is in other slices; what those next to
        the writer read is in other banks, and what they write in other slices.
        """
        beside = self._read_beside(reader)
        near = self._beside.get(id(writer), [])
        used = {bank for other in near for bank in self._banks_read(other)}
        taken = {
            number for other in near for copies in self.placed[id(other)].outputs for number in _layout_slices(copies)
        }
        read_slices = {bank.slice for bank in read}
        banks = [
            Bank(number, bank)
            for number in self._slices_of(side)
            for bank in (0, 1)
            if number not in busy and Bank(number, bank) not in read
        ]

        def rank(bank: Bank) -> tuple[bool, bool, Bank]:
            number = bank.slice
            crowded = number in beside or number in taken or bank in used
            return number in read_slices, crowded, bank

        return sorted(banks, key=rank)

    def _take_first(self, what: str, width: int, rows: int, choices: list[list[Bank]]) -> tuple[Numbers, Numbers]:
        """Take words from the first of several choices of banks that has room."""
        saved = self.allocator.save()
        for banks in choices[:-1]:
            try:
                return self.allocator.take(what, width, rows, banks)
            except OutOfMemory:
                self.allocator.restore(saved)
        return self.allocator.take(what, width, rows, choices[-1])

    def _banks_to_write(
        self, sides: tuple[Hemisphere, ...], busy: set[int], read: set[Bank], shared: set[int]
    ) -> list[Bank]:
        """Banks that are not read, of slices that are not busy; at the end those of `shared` slices."""
        read_slices = {bank.slice for bank in read}
        banks = [
            Bank(number, bank)
            for side in sides
            for number in self._slices_of(side)
            for bank in (0, 1)
            if number not in busy and Bank(number, bank) not in read
        ]
        return sorted(banks, key=lambda bank: (bank.slice in shared, bank.slice in read_slices))

    def _slices_of(self, side: Hemisphere) -> range:
        """Slices of a hemisphere, from the VXM outwards."""
        return range(side * self._config.mem_slices, (side + 1) * self._config.mem_slices)

    def _banks_near(self, side: Hemisphere) -> list[Bank]:
        """All banks, those nearest to a hemisphere's planes first."""
        slices = [*reversed(self._slices_of(side)), *self._slices_of(Hemisphere((side + 1) % HEMISPHERES))]
        return [Bank(number, bank) for number in slices for bank in (0, 1)]

    def _add(self, tensor: Tensor, words: Words) -> None:
        self.words.setdefault(id(tensor), []).append(words)


def _slices(parts: dict[Hemisphere, tuple[Numbers, Numbers]] | dict[str, tuple[Numbers, Numbers]]) -> set[int]:
    return {int(number) for slices, _ in parts.values() for number in np.unique(slices)}


def _layout_slices(layouts: list[Layout]) -> set[int]:
    return {int(number) for layout in layouts for number in np.unique(layout.slices) if number >= 0}


def _distinct(found: list[tuple[Layout, Demand | None]]) -> list[Layout]:
    """Return the copies, those that operations share once."""
    return list({id(layout): layout for layout, _ in found}.values())


def _sharing(wants: list[tuple[Demand | None, Vectors]]) -> list[list[tuple[Demand | None, Vectors]]]:
    """Group copies so that those of different groups have no vector in common."""
    groups: list[list[tuple[Demand | None, Vectors]]] = []
    for want in wants:
        joined = [group for group in groups if any(np.isin(want[1], order).any() for _, order in group)]
        groups = [group for group in groups if not any(group is other for other in joined)]
        groups.append([*(item for group in joined for item in group), want])
    return groups


def _turns(result: Result, times: Vectors, order: Vectors) -> tuple[Numbers, int]:
    """Return after how many changes of place each vector of a result is stored, and in how many slices in turn.

    A reader that follows the writer closely must meet it in another bank, and issue in other cycles. Vectors that come
    now and then (sums) change banks each time; a dense stream does after some cycles and between two slices, which
    gives the reader a window of one to three runs to follow in.
    """
    written = np.flatnonzero(np.isin(result.steps, order))
    run = np.cumsum(np.append(0, np.diff(times[written]) > 1))
    step = np.zeros(int(result.steps.max()) + 1, np.int64)
    if run[-1] or len(order) < 2 * _RUN:
        step[result.steps[written]] = run
        return step[order].astype(np.int32), 1
    step[result.steps[written]] = np.arange(len(written)) // max(_RUN, len(order) // 32)
    return step[order].astype(np.int32), 2


def _missing(config: Config, tensor: Tensor, readers: list[Demand]) -> Vectors:
    blocks, steps = vector_count(tensor, config.vector_length)
    held = np.zeros(blocks * steps, np.bool_)
    for reader in readers:
        held[reader.order] = True
    return np.flatnonzero(~held)


def _writing_order(op: MatMul, plan: Plan, readers: list[Demand]) -> Vectors:
    """Return the vectors of a result that nobody reads, in the order in which the planes emit them."""
    order = np.concatenate(
        [
            (np.array(group)[:, None] * op.m + np.arange(first, first + count)).reshape(-1)
            for feeder in plan.feeders
            for first, count in feeder.blocks
            for group in feeder.groups
        ]
    )
    missing: Vectors = order[np.isin(order, _missing(op.config, op.y, readers))]
    return missing


def _words_of(op: MatMul, feeder: Feeder, order: Vectors) -> Iterator[Vectors]:
    """Yield the part of `order` that each plane of a feeder writes."""
    blocks, rows = np.divmod(order, op.m)
    in_rows = np.zeros(op.m, np.bool_)
    for first, count in feeder.blocks:
        in_rows[first : first + count] = True
    for plane in range(len(feeder.planes)):
        own = [group[plane] for group in feeder.groups if plane < len(group)]
        yield order[in_rows[rows] & np.isin(blocks, own)]


def _copied(readers: list[Demand]) -> bool:
    """Return whether two readers want the same vectors."""
    numbers = np.concatenate([np.zeros(0, np.int64), *(reader.order for reader in readers)])
    return len(np.unique(numbers)) < len(numbers)
