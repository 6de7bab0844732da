"""Where the operands and results of every operation live."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from arch.config import Config
from arch.geometry import Direction, Hemisphere, sxm_position, units
from compiler.gather.operation import Gather, Gathering, Part
from compiler.kernels.epilogue import epilogue
from compiler.kernels.plan import Plan
from compiler.operation import MatMul
from compiler.placement.allocator import Bank, OutOfMemory
from compiler.placement.bank_choice import BankChoice
from compiler.placement.demand import Demand, Port, Vectors, Work, demands_of
from compiler.placement.layout import Layout, Numbers
from compiler.placement.maps import Words, constant_words, element_words, weight_words
from compiler.placement.orders import (
    distinct_layouts,
    is_copied,
    missing_vectors,
    sharing,
    turns_of,
    words_of,
    writing_order,
)
from compiler.placement.placed import slices_of_layouts, slices_of_parts
from compiler.switch.operation import Switch
from compiler.tensor import Tensor, as_view
from compiler.vector.lanes import vector_count, vectors_along
from compiler.vector.operation import Pass, Result

_FEW = 16
"""Vectors of which every pass gets a copy of its own, so that passes can run at the same time."""


Sides = tuple[tuple[Hemisphere, ...], ...]


class Storage(BankChoice):
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
        super().__init__(config, work)
        self._dense = dense
        self._products = [(op, plan) for op, plan in work if isinstance(op, MatMul) and isinstance(plan, Plan)]
        self._outputs = outputs
        self._tables: dict[int, int] = {}
        self._partial: dict[int, list[tuple[Layout, Demand | None]]] = {}
        self._shared: dict[int, list[tuple[Demand, Port]]] = defaultdict(list)
        self.words: dict[int, list[Words]] = {}
        """Words of inputs, constants and outputs, by id of the tensor."""
        self.zeros: list[tuple[Numbers, Numbers]] = []
        """Slices and addrs of words that hold zeros."""
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
            elif isinstance(op, Gather):
                self._place_gathered(op)
            elif isinstance(op, Switch):
                self._place_switched(op)
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
        weights = slices_of_parts(placed.weights)
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
                and sharer.serial == demand.serial
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
            for known in self.placed[id(op)].ports.values():
                if demand.apart(known.demand) and demand.tensor.itemsize == known.demand.tensor.itemsize:
                    choices.insert(0, [Bank(number, bank) for number in sorted(known.slices) for bank in (0, 1)])
        if demand.serial:
            beside = self._read_beside(op)
            distance = self._distances(op, sides[0])
            banks = [bank for banks in choices for bank in banks]
            banks.sort(key=lambda bank: (bank.slice in beside, distance[bank.slice], bank.bank))
            slices, addrs = self._take_serial(tensor, len(order), banks)
        else:
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
        missing = missing_vectors(self._config, state, readers)
        # Its update writes every vector, and the host reads the copies that nobody else does.
        wants: list[tuple[Demand | None, Vectors]] = [(reader, reader.order) for reader in readers]
        wants += [(None, missing)] if len(missing) else []
        placed: list[Layout] = []
        written: set[int] = set()
        for group in sharing(wants):
            found = self._take_copies(state, group, list(Hemisphere), written, set(), None, None)
            for layout, want in found:
                if want is not None:
                    self._connect(self._port(want, layout))
            for layout in distinct_layouts(found):
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
        elif is_copied(readers):
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
            order = writing_order(op, plan, readers) if want is None else want.order
            busy = slices_of_layouts([layout for layout, _ in found])
            if want is not None:
                busy |= self._busy(want.op)
            layout = Layout.empty(op.y.itemsize, op.n_blocks, op.m)
            for feeder in plan.feeders:
                mine: set[int] = set()
                near = want.near if want is not None and want.near is not None else feeder.hemisphere
                for words in words_of(op, feeder, order):
                    banks = [
                        self._banks_to_write(sides, busy | mine, read, slices_of_layouts([layout]))
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
            missing = missing_vectors(self._config, tensor, readers)
            wants = [(want, missing if want is None else want.order) for want in self._wanted(tensor, readers)]
            found: list[tuple[Layout, Demand | None]] = []
            for group in sharing(wants):
                found += self._place_copies(op, result, group, written, read)
            self.placed[id(op)].outputs.append(distinct_layouts(found))
            self._publish(tensor, found)

    def _place_gathered(self, op: Gather) -> None:
        """Place the table and the result of a Gather, one block and byte in one slice, and the indices before them.

        The table is in one bank of the slice, the result in the other.
        """
        readers = self._readers(op.target)
        busy = {number for reader in readers for number in self._busy(reader.op)}
        # An ALU reads from one direction.
        one_sided = any(isinstance(reader.op, Pass) and reader.op.in_mesh for reader in readers)
        west, east = (self._slices_of(side) for side in Hemisphere)
        ways: list[tuple[Direction, Sequence[int], Sequence[int]]] = [(Direction.EAST, west, [*west, *east])]
        if one_sided:
            ways = [(Direction.EAST, [*reversed(west)], [*east]), (Direction.WEST, [*reversed(east)], [*west])]
        saved = self.allocator.save()
        for way in ways:
            try:
                self._place_gathering(op, way, busy)
                break
            except OutOfMemory:
                self.allocator.restore(saved)
                if way is ways[-1]:
                    raise
        layout = self.placed[id(op)].outputs[0][0]
        found: list[tuple[Layout, Demand | None]] = [(layout, want) for want in self._wanted(op.target, readers)]
        self._publish(op.target, found)

    def _place_gathering(self, op: Gather, way: tuple[Direction, Sequence[int], Sequence[int]], busy: set[int]) -> None:
        direction, first, slices = way
        found = self.allocator.take(
            op.indices.name, 2, op.m, [Bank(number, bank) for number in reversed(first) for bank in (0, 1)]
        )
        table = Layout.empty(op.target.itemsize, op.blocks, op.v)
        layout = Layout.empty(op.target.itemsize, op.blocks, op.m)
        places = [units(self._config)[number].position for number in range(self._config.slices)]
        start = [places[int(number)] for number in np.unique(found[0])]
        passed = [
            number
            for number in slices
            if number not in busy
            and number not in found[0]
            and all((places[number] - place) * direction.step >= 0 for place in start)
        ]
        rounds = dict.fromkeys(passed, 0)
        parts = []
        for block in range(op.blocks):
            mine: set[int] = set()
            for byte in range(op.target.itemsize):
                number, addr = self._take_part(
                    op, [one for one in passed if one not in mine], rounds, layout, block, byte
                )
                table.slices[byte, block], table.addrs[byte, block] = number, addr + np.arange(op.v)
                mine.add(number)
                parts.append(Part(block, byte, number, addr, rounds[number]))
                rounds[number] += 1
        placed = self.placed[id(op)]
        placed.gathering = Gathering(direction, *found, tuple(parts))
        placed.outputs = [[layout]]
        missing = np.full((2, op.m), -1, np.int32)
        self._add(
            op.indices, element_words(op.index_rows, np.vstack([found[0], missing]), np.vstack([found[1], missing]))
        )
        self._add(op.table, element_words(op.table_rows, *table.flat[:2]))

    def _take_part(
        self, op: Gather, slices: list[int], rounds: dict[int, int], layout: Layout, block: int, byte: int
    ) -> tuple[int, int]:
        """Take words for a byte of a block of the table, and of the result; return the slice and the first addr."""
        for number in sorted(slices, key=lambda one: rounds[one]):
            for bank in (0, 1):
                if self._tables.setdefault(number, bank) != bank:
                    continue
                saved = self.allocator.save()
                try:
                    _, addrs = self.allocator.take(op.table.name, 1, op.v, [Bank(number, bank)])
                    result = self.allocator.take(op.target.name, 1, op.m, [Bank(number, 1 - bank)])
                except OutOfMemory:
                    self.allocator.restore(saved)
                    continue
                layout.slices[byte, block], layout.addrs[byte, block] = result[0][0], result[1][0]
                return number, int(addrs[0, 0])
        raise OutOfMemory(op.table.name, op.v * self._config.vector_length, self._config)

    def _place_switched(self, op: Switch) -> None:
        """Place the results of a switch operation, parts of one tensor, in slices of their own.

        Their bytes are written one after another: where they are read so too, or by the host, one slice has them all.
        """
        tensor = op.results[0].tensor
        readers = self._readers(tensor)
        missing = missing_vectors(self._config, tensor, readers)
        shape = tensor.itemsize, *vector_count(tensor, self._config.vector_length)
        written: set[int] = set()
        found = self._partial.pop(id(tensor), None)
        if found is None:
            found = [(Layout.empty(*shape), want) for want in self._wanted(tensor, readers)]
        for layout, want in found:
            order = missing if want is None else want.order
            sides = self._sides(op, [] if want is None else [want.op], Direction.WEST, tensor.itemsize)
            # An ALU reads from one direction.
            one_sided = want is not None and isinstance(want.op, Pass) and want.op.in_mesh
            choices = [[side] for side in sides] if one_sided else [sides]
            if one_sided and layout.used:
                choices = [[side] for side in sides if layout.used & set(self._slices_of(side))]
            saved = self.allocator.save()
            for choice in choices:
                try:
                    written |= self._fill_switched(op, layout, want, order, choice, written)
                    break
                except OutOfMemory:
                    self.allocator.restore(saved)
                    if choice is choices[-1]:
                        raise
        self.placed[id(op)].outputs.append([layout for layout, _ in found])
        if op.more:
            self._partial[id(tensor)] = found
        else:
            self._publish(tensor, found)

    def _fill_switched(
        self,
        op: Switch,
        layout: Layout,
        want: Demand | None,
        order: Vectors,
        sides: list[Hemisphere],
        written: set[int],
    ) -> set[int]:
        """Take words for what an operation adds to a copy, part by part; return their slices."""
        tensor = op.results[0].tensor
        read = self._banks_read(op)
        near = self._beside[id(op)]
        used = {bank for other in near for bank in self._banks_read(other)}
        copies = [layout for other in near for outputs in self.placed[id(other)].outputs for layout in outputs]
        taken = slices_of_layouts(copies)
        read_slices = {bank.slice for bank in read}
        busy = written | (set() if want is None else self._busy(want.op))
        reader = None if want is None else want.op
        every = [bank for side in sides for bank in self._ordered(side, busy, read, reader, op)]
        # A queue that reads and writes at the same time may want to do both in one cycle.
        distance = self._distances(op)
        every.sort(
            key=lambda bank: (bank in used or bank.slice in taken, bank.slice in read_slices, distance[bank.slice])
        )
        mine: set[int] = set()
        for result in op.results:
            vectors = order[np.isin(order, result.steps)]
            if not len(vectors):
                continue
            banks = [bank for bank in every if bank.slice not in mine]
            if want is None or want.serial:
                slices, addrs = self._take_serial(tensor, len(vectors), banks)
            else:
                slices, addrs = self.allocator.take(tensor.name, tensor.itemsize, len(vectors), banks)
            layout.flat[0][:, vectors] = slices
            layout.flat[1][:, vectors] = addrs
            mine |= {int(number) for number in np.unique(slices)}
            self._count(self._writes, op, slices, addrs)
        return mine

    def _distances(self, op: MatMul | Pass, side: Hemisphere | None = None) -> list[int]:
        """Return the cycles from every slice to the SXM that reads the slices of an operation, or of `side` before."""
        known = [port.slices for _, port in sorted(self.placed[id(op)].ports.items()) if port.demand.serial]
        if known:
            side = units(self._config)[min(known[0])].hemisphere
        end = sxm_position(self._config, side or Hemisphere.WEST)
        return [abs(unit.position - end) for unit in units(self._config)[: self._config.slices]]

    def _take_serial(self, tensor: Tensor, count: int, banks: list[Bank]) -> tuple[Numbers, Numbers]:
        """Take words for vectors whose bytes stand one after another."""
        size = tensor.itemsize
        slices, addrs = self.allocator.take(tensor.name, 1, size * count, banks)
        return slices.reshape(count, size).T, addrs.reshape(count, size).T

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
        turns = partial(turns_of, result, op.times)
        found = self._take_copies(result.tensor, wants, sides, written, read, turns, op)
        first = int(found[0][0].flat[0].max())
        self._width[id(op)][units(self._config)[first].outward] += size
        for layout in distinct_layouts(found):
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
                    mine |= slices_of_layouts([layout])
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
            if apart and (layout.flat[0][0, order] >= 0).all() and not slices_of_layouts([layout]) & busy:
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
        if not readers or (is_output and len(missing_vectors(self._config, tensor, readers))):
            return [*readers, None]
        return [*readers]

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

    def _add(self, tensor: Tensor, words: Words) -> None:
        self.words.setdefault(id(tensor), []).append(words)
