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
from compiler.placement.allocator import Bank
from compiler.placement.copies import CopyStorage
from compiler.placement.demand import Demand, Port, Vectors, Work, demands_of
from compiler.placement.layout import Layout
from compiler.placement.maps import element_words
from compiler.placement.orders import (
    distinct_layouts,
    missing_vectors,
    sharing,
    turns_in_place,
    turns_of,
)
from compiler.placement.placed import slices_of_layouts
from compiler.placement.policy import Policy
from compiler.placement.states import States
from compiler.scatter.operation import Scatter
from compiler.switch.operation import Switch
from compiler.tensor import Tensor
from compiler.vector.lanes import vector_count, vectors_along
from compiler.vector.operation import Pass, Result

FEW = 16
"""Vectors of which every pass gets a copy of its own, so that passes can run at the same time."""


class Storage(CopyStorage):
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
    policy : Policy

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
        policy: Policy,
    ) -> None:
        super().__init__(config, work, outputs, policy)
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
        if not policy.tight:
            self._place_all_kept(self._products)
        for op, _ in work:
            # What an epilogue reads has to lie on one side, which matters where room is short.
            for demand in sorted(self._demands[id(op)], key=lambda demand: policy.tight and not demand.of_epilogue):
                if demand.elements is not None and not demand.is_kept:
                    self._place_input(demand)
                elif demand.elements is None and not len(demand.order):
                    self._place_zeros(demand)
        if policy.tight:
            self._place_all_kept(self._products)
        self._writers = {
            id(state): op
            for result, state in states.written.items()
            for op, _ in work
            if isinstance(op, Pass) and any(tensor is result for tensor in op.writes())
        }
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

    def _place_input(self, demand: Demand) -> None:
        """Place the vectors of a port that the host writes; ports of different operations may share them."""
        op, tensor = demand.op, demand.tensor
        assert demand.elements is not None
        busy = self._busy(op)
        may_share = isinstance(op, Pass) and not self._policy.copied and len(demand.elements) > FEW
        for sharer, port in self._shared[id(tensor)] if may_share else []:
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
            for numbers in self._rare_slices(demand):
                choices.insert(0, [Bank(number, bank) for number in sorted(numbers) for bank in (0, 1)])
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

    def _place_zeros(self, demand: Demand) -> None:
        """Place a word of zeros for a feeder whose rows are all zeros: nothing that its tensor's maker could store."""
        assert demand.near is not None
        busy = self._busy(demand.op)
        banks = [bank for bank in self._banks_near(demand.near) if bank.slice not in busy]
        slices, addrs = self.allocator.take(demand.tensor.name, demand.tensor.itemsize, 1, banks)
        self.zeros.append((slices[:, 0], addrs[:, 0]))
        layout = Layout.empty(demand.tensor.itemsize, *vector_count(demand.tensor, self._config.vector_length))
        self._connect(Port(demand, layout, slices[:, 0], addrs[:, 0]))

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
        writer = self._writers.get(id(state))
        read = set() if writer is None else self._banks_read(writer)
        turns = None
        if writer is not None and any(tensor is state for tensor in writer.reads()):
            # It changes on the way: reads and writes run at the same time.
            written |= self._busy(writer)
            turns = turns_in_place
        for group in sharing(wants):
            found = self._take_copies(state, group, list(Hemisphere), written, read, turns, writer)
            for layout, want in found:
                if want is not None:
                    self._connect(self._port(want, layout))
            for layout in distinct_layouts(found):
                if writer is not None:
                    self._count(self._writes, writer, *layout.flat[:2])
                placed.append(layout)
                self._add(state, element_words(rows, *layout.flat[:2]))
        return placed

    # Results

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
            unread = bool(more) and not readers and not any(tensor is output for output in self._outputs)
            for want in [] if unread else self._wanted(tensor, readers):
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


def _add_words(layout: Layout, more: Layout) -> None:
    """Add the vectors that another part of a copy holds."""
    held = more.flat[0][0] >= 0
    layout.flat[0][:, held], layout.flat[1][:, held] = more.flat[0][:, held], more.flat[1][:, held]
