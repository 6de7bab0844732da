"""Where the operands and results of every operation live."""

from collections import defaultdict
from collections.abc import Callable
from functools import partial

import numpy as np

from arch.config import Config
from arch.geometry import Direction, Hemisphere, units
from compiler.gather.operation import Gather
from compiler.kernels.plan import Plan
from compiler.operation import MatMul
from compiler.placement.allocator import Bank, OutOfMemory
from compiler.placement.demand import Demand, Port, Vectors, Work, demands_of
from compiler.placement.layout import Layout, Numbers
from compiler.placement.maps import element_words, weight_words
from compiler.placement.orders import (
    distinct_layouts,
    is_copied,
    missing_vectors,
    product_turns,
    sharing,
    turns_of,
    words_of,
    writing_order,
)
from compiler.placement.placed import slices_of_layouts, slices_of_parts
from compiler.placement.scattered import ScatteredStorage
from compiler.placement.states import States
from compiler.scatter.operation import Scatter
from compiler.switch.operation import Switch
from compiler.tensor import Tensor, as_view
from compiler.vector.lanes import vector_count, vectors_along
from compiler.vector.operation import Pass, Result

_FEW = 16
"""Vectors of which every pass gets a copy of its own, so that passes can run at the same time."""


Sides = tuple[tuple[Hemisphere, ...], ...]


class Storage(ScatteredStorage):
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
    states : States
        Results of passes that have words before the program starts.
    tight : bool
        Let what ALUs keep share slices with weights, both read rarely, where there are no others.
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
        states: States,
        tight: bool = False,
        dense: bool = False,
    ) -> None:
        super().__init__(config, work, outputs)
        self._dense = dense
        self._products = [(op, plan) for op, plan in work if isinstance(op, MatMul) and isinstance(plan, Plan)]
        self._shared: dict[int, list[tuple[Demand, Port]]] = defaultdict(list)
        self._demands = {id(op): list(demands_of(op, plan, stored)) for op, plan in work}
        for product, its in self._products:
            if not product.computed:
                self._place_weights(product, its)
            for feeder in its.feeders:
                # Sums on their way to the VXM.
                inward = Direction.EAST if feeder.hemisphere is Hemisphere.WEST else Direction.WEST
                self._width[id(product)][inward] += 4 * len(feeder.chains)
        if not tight:
            self._place_all_kept(tight)
        for op, _ in work:
            # What an epilogue reads has to lie on one side, which matters where room is short.
            for demand in sorted(self._demands[id(op)], key=lambda demand: tight and not demand.of_epilogue):
                if demand.elements is not None and not demand.is_kept:
                    self._place_input(demand)
        if tight:
            self._place_all_kept(tight)
        results = [id(result.tensor) for op, _ in work if isinstance(op, Pass) for result in op.results]
        self._parted = {number for number in results if results.count(number) > 1}
        changed = {id(op.state) for op, _ in work if isinstance(op, Scatter)}
        self._states = {
            id(state): self._place_rows(state) if id(state) in changed else self._place_state(state)
            for state in states.tensors
        }
        self._written = {id(result): self._states[id(state)] for result, state in states.written.items()}
        for op, plan in work:
            if isinstance(op, MatMul):
                assert isinstance(plan, Plan)
                self._place_product(op, plan)
            elif isinstance(op, Gather):
                self._place_gathered(op)
            elif isinstance(op, Scatter):
                self.placed[id(op)].outputs = [self._states[id(op.state)]]
                self.placed[id(op)].scattering = self.targets[id(op.state)]
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
            taken = slices_of_parts(placed)
            if plan.joint and placed and feeder.groups == plan.feeders[0].groups:
                placed[side] = placed[plan.feeders[0].hemisphere]
                continue
            words = op.k_blocks * sum(feeder.load_steps(op, group) for group in feeder.groups)
            banks = [
                Bank(number, bank)
                for hemisphere in (side, Hemisphere(1 - side))
                for bank in (0, 1)
                for number in reversed(self._slices_of(hemisphere))
                if (number in taken if plan.joint and placed else number not in taken)
            ]
            placed[side] = self.allocator.take(op.w.name, feeder.ways * self._config.lanes, words, banks)
            self._add(as_view(op.w).tensor, weight_words(op, feeder, *placed[side]))

    def _place_all_kept(self, tight: bool) -> None:
        for op, _ in self._products:
            kept = [demand for demand in self._demands[id(op)] if demand.is_kept and demand.elements is not None]
            if kept:
                self._place_kept(op, kept, tight)

    def _place_kept(self, op: MatMul, kept: list[Demand], tight: bool) -> None:
        """Place what ALUs keep in slices of its own: it is read word by word, at different times."""
        placed = self.placed[id(op)]
        weights = slices_of_parts(placed.weights)
        busy = placed.reads
        if not tight:
            busy |= weights
        orders = [demand.order for demand in kept]
        choices = [
            sorted(
                (
                    Bank(number, bank)
                    for bank in (1, 0)
                    for number in reversed(self._slices_of(side))
                    if number not in busy
                ),
                key=lambda bank: bank.slice in weights,
            )
            for side in sorted(Hemisphere, key=lambda side: len(weights & set(self._slices_of(side))))
        ]
        width = max(demand.tensor.itemsize for demand in kept)
        rows = sum(len(order) for order in orders)
        slices, addrs = self._take_first(f"what epilogues keep for {op.y.name}", width, rows, choices)
        first = 0
        for demand, order in zip(kept, orders, strict=True):
            size, part = demand.tensor.itemsize, slice(first, first + len(order))
            assert demand.elements is not None
            layout = Layout.empty(size, 1, len(demand.elements))
            layout.flat[0][:, order] = slices[:size, part]
            layout.flat[1][:, order] = addrs[:size, part]
            self._connect(self._port(demand, layout))
            self._add(
                demand.tensor, element_words(demand.elements[order], *(flat[:, order] for flat in layout.flat[:2]))
            )
            first += len(order)

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
        if demand.near is not None:
            choices = [[bank for bank in self._banks_near(demand.near) if bank.slice not in busy]]
        else:
            sides = self._sides(op, [], Direction.EAST, tensor.itemsize) if demand.side is None else [demand.side]
            choices = [self._ordered(side, busy, set(), op) for side in sides]
            if demand.of_epilogue:
                # It comes long before it is wanted; slices near the VXM are of more use to results.
                choices = [banks[::-1] for banks in choices]
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
        if op.epilogue is None:
            choices: list[Sides] = [(both,)]
        elif is_copied(readers):
            choices = [((side,),) for side in both]
        else:
            choices = [tuple((side,) for side in both)]
        if any(reader.in_mesh or isinstance(reader.op, Pass) or reader.columns for reader in readers):
            # An ALU reads from one direction, and weights lie on one side.
            loads = slices_of_parts(self.placed[id(op)].weights)
            quiet = sorted(both, key=lambda side: len(loads & set(self._slices_of(side))))
            choices = [((side,),) for side in quiet]
            if len(readers) == 1 and readers[0].columns:
                choices.append((both,))
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
        # Weights of one tile are read before there are results.
        once = op.k_blocks == 1 and all(len(feeder.groups) == len(feeder.blocks) == 1 for feeder in plan.feeders)
        found: list[tuple[Layout, Demand | None]] = []
        wants = self._wanted(op.y, readers)
        if None not in wants and len(missing_vectors(self._config, op.y, readers)):
            # Planes emit every row, so that each has a way to MEM.
            wants.append(None)
        for want in wants:
            order = writing_order(op, plan, readers) if want is None else want.order
            busy = slices_of_layouts([layout for layout, _ in found])
            if want is not None:
                busy |= self._busy(want.op)
            read = self._banks_read(op, weights=not (once and want is not None and want.in_mesh))
            layout = Layout.empty(op.y.itemsize, op.n_blocks, op.m)
            if want is not None and want.columns:
                self._fill_loaded(layout, want, self._banks_to_write(choice[0], busy, read, set(), set(), None))
                found.append((layout, want))
                continue
            for feeder in plan.feeders:
                mine: set[int] = set()
                near = want.near if want is not None and want.near is not None else feeder.hemisphere
                source = feeder.hemisphere if op.epilogue is None else None
                # Queues that READ all the time have no cycle for a WRITE. Weights mostly come now and then.
                loads = feeder.load_steps(op, feeder.groups[0])
                crowded = source is None or (want is None and loads >= feeder.blocks[0][1] * op.interval)
                avoided = {bank.slice for bank in read} if crowded else self.placed[id(op)].reads
                for words in words_of(op, feeder, order):
                    banks = [
                        self._banks_to_write(sides, busy | mine, read, slices_of_layouts([layout]), avoided, source)
                        for sides in sorted(choice, key=lambda sides: near not in sides)
                    ]
                    turns = product_turns(op, words)
                    if want is not None and want.in_mesh and not self._dense and turns.any():
                        slices, addrs = self._take_apart(op.y, turns, banks[0], layout)
                    else:
                        slices, addrs = self._take_first(op.y.name, op.y.itemsize, len(words), banks)
                    layout.flat[0][:, words] = slices
                    layout.flat[1][:, words] = addrs
                    mine |= {int(number) for number in np.unique(slices)}
            found.append((layout, want))
        return found

    def _take_apart(self, tensor: Tensor, turns: Numbers, banks: list[Bank], layout: Layout) -> tuple[Numbers, Numbers]:
        """Take words that change their place in turn, at best in slices that a layout does not have yet."""
        own = [bank for bank in banks if bank.slice not in layout.used]
        saved = self.allocator.save()
        try:
            return self.allocator.take_striped(tensor.name, tensor.itemsize, turns, own, 2)
        except OutOfMemory:
            self.allocator.restore(saved)
            return self.allocator.take(tensor.name, tensor.itemsize, len(turns), banks)

    def _place_results(self, op: Pass) -> None:
        """Place the results of a pass: bytes, copies and results that are written at the same time, in own slices.

        Copies that share vectors lie on one side, since an ALU drives one direction at a time.
        """
        written: set[int] = set()
        read = self._banks_read(op)
        made: dict[int, list[tuple[Layout, Demand | None]]] = defaultdict(list)
        for result in op.results:
            tensor, found = result.tensor, made[id(result.tensor)]
            if id(tensor) in self._states:
                continue
            readers = self._readers(tensor)
            missing = missing_vectors(self._config, tensor, readers)
            more = self._written.get(id(tensor), [])
            written |= slices_of_layouts(more)
            near = slices_of_layouts([*more, *(layout for layout, want in found if want is not None and want.in_mesh)])
            wants: list[tuple[Demand | None, Vectors]] = []
            for want in self._wanted(tensor, readers):
                order = missing if want is None else want.order
                # Others of the tensor's vectors may be another result's.
                order = order[np.isin(order, result.steps)]
                wants += [(want, order)] if len(order) else []
            for group in sharing(wants):
                for layout, want in self._place_copies(op, result, group, written, read, near):
                    whole = next((other for other, reader in found if reader is want), None)
                    if whole is None:
                        found.append((layout, want))
                    else:
                        _add_words(whole, layout)
        for result in op.results:
            states = self._states.get(id(result.tensor))
            copies = distinct_layouts(made[id(result.tensor)])
            self.placed[id(op)].outputs.append(states or [*copies, *self._written.get(id(result.tensor), [])])
        for tensor in {id(result.tensor): result.tensor for result in op.results}.values():
            if id(tensor) not in self._states:
                self._publish(tensor, made[id(tensor)])

    def overwritten(self, op: Pass) -> set[int]:
        """Return the slices of states that an operation writes."""
        layouts = [layout for result in op.results for layout in self._written.get(id(result.tensor), [])]
        if not op.makes:
            layouts += [layout for copies in self.placed[id(op)].outputs for layout in copies]
        return slices_of_layouts(layouts)

    def _place_copies(
        self,
        op: Pass,
        result: Result,
        wants: list[tuple[Demand | None, Vectors]],
        written: set[int],
        read: set[Bank],
        near: set[int],
    ) -> list[tuple[Layout, Demand | None]]:
        """Place copies of a result on one side, that of slices `near` if any; adds their slices to `written`."""
        size = result.tensor.itemsize
        readers = [want.op for want, _ in wants if want is not None]
        sides = self._sides(op, readers, Direction.WEST, size)
        sides = [side for side in sides if not near - set(self._slices_of(side))] or sides
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
        sides = next(([want.side] for want, _ in wants if want is not None and want.side is not None), sides)
        saved = self.allocator.save()
        attempts: list[tuple[tuple[Hemisphere, ...], bool]] = [
            ((side,), quiet) for quiet in (True, False) for side in sides
        ]
        if len(wants) == 1 and wants[0][0] is not None and wants[0][0].columns:
            # An ALU can change its direction from one vector to the next.
            attempts.append((tuple(sides), False))
        for chosen, quiet in attempts:
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
                    reader = None if want is None else want.op
                    banks = [bank for side in chosen for bank in self._ordered(side, busy, read, reader, writer)]
                    size = tensor.itemsize
                    if want is not None and want.columns:
                        self._fill_loaded(layout, want, banks)
                        mine |= layout.used
                        found.append((layout, want))
                        continue
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
                if (chosen, quiet) == attempts[-1]:
                    raise
                continue
            break
        written |= mine
        return found

    def _shareable(
        self, found: list[tuple[Layout, Demand | None]], want: Demand | None, order: Vectors, busy: set[int]
    ) -> Layout | None:
        """Return a copy that another operation reads and that will do for a reader too."""
        if want is not None and id(want.tensor) in self._parted:
            return None
        mine = [layout for layout, other in found if want and other and want.op is other.op]
        for layout, other in found if self._dense and not (want and want.columns) else []:
            if other and other.columns:
                continue
            apart = not any(layout is taken for taken in mine)
            if apart and (layout.flat[0][0, order] >= 0).all() and not slices_of_layouts([layout]) & busy:
                return layout
        return None


def _add_words(layout: Layout, more: Layout) -> None:
    """Add the vectors that another part of a copy holds."""
    held = more.flat[0][0] >= 0
    layout.flat[0][:, held], layout.flat[1][:, held] = more.flat[0][:, held], more.flat[1][:, held]
