"""Where the weights, the results, and what ALUs keep for the epilogue of a matrix product live."""

import numpy as np

from arch.geometry import Hemisphere
from compiler.kernels.plan import Plan
from compiler.operation import MatMul
from compiler.placement.allocator import Bank, OutOfMemory
from compiler.placement.demand import Demand
from compiler.placement.layout import Layout, Numbers
from compiler.placement.maps import element_words, weight_words
from compiler.placement.orders import is_copied, missing_vectors, product_turns, words_of, writing_order
from compiler.placement.placed import slices_of_layouts, slices_of_parts
from compiler.placement.scattered import ScatteredStorage
from compiler.tensor import Tensor, as_view
from compiler.vector.operation import Pass

_MANY = 64
"""Groups from which on results stay out of the slices of weights: READs and WRITEs in turn make long programs."""

Sides = tuple[tuple[Hemisphere, ...], ...]


class ProductStorage(ScatteredStorage):
    """Places what matrix products read and write, their activations and streamed operands apart."""

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

    def _place_all_kept(self, products: list[tuple[MatMul, Plan]]) -> None:
        for op, _ in products:
            kept = [demand for demand in self._demands[id(op)] if demand.is_kept and demand.elements is not None]
            if kept:
                self._place_kept(op, kept)

    def _place_kept(self, op: MatMul, kept: list[Demand]) -> None:
        """Place what ALUs keep in slices of its own: it is read word by word, at different times."""
        placed = self.placed[id(op)]
        weights = slices_of_parts(placed.weights)
        busy = placed.reads
        if not self._policy.tight:
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
                crowded |= len(feeder.groups) > _MANY
                avoided = {bank.slice for bank in read} if crowded else self.placed[id(op)].reads
                for words in words_of(op, feeder, order):
                    banks = [
                        self._banks_to_write(sides, busy | mine, read, slices_of_layouts([layout]), avoided, source)
                        for sides in sorted(choice, key=lambda sides: near not in sides)
                    ]
                    turns = product_turns(op, words)
                    if want is not None and want.in_mesh and not self._policy.dense and turns.any():
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
