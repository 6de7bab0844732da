"""Where the operands and results of every operation live."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from arch.config import HEMISPHERES, Config
from arch.geometry import Hemisphere
from compiler.kernels.epilogue import epilogue
from compiler.kernels.plan import Feeder, Plan
from compiler.operation import MatMul
from compiler.placement.allocator import Allocator, Bank, OutOfMemory
from compiler.placement.layout import Layout, Numbers
from compiler.placement.maps import Words, activation_words, constant_words, result_words, weight_words
from compiler.tensor import Tensor

Order = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]
"""Blocks and rows of words, shape (n,) each."""

Reader = tuple[MatMul, Feeder]
Sides = tuple[tuple[Hemisphere, ...], ...]


@dataclass
class Placed:
    """Storage of one operation.

    Attributes
    ----------
    weights : dict of Hemisphere to (slices, addrs)
        Shape (lanes, words): word i of stream j, in the order of use.
    constants : dict of str to (slices, addrs)
        Shape (4, n_blocks): byte planes of the VXM's vectors.
    activations : list of Layout
        One per feeder; only its rows are valid.
    results : list of Layout
        Every copy of the result; rows or blocks that a copy lacks have slice -1.
    """

    weights: dict[Hemisphere, tuple[Numbers, Numbers]] = field(default_factory=dict)
    constants: dict[str, tuple[Numbers, Numbers]] = field(default_factory=dict)
    activations: list[Layout] = field(default_factory=list)
    results: list[Layout] = field(default_factory=list)


class Storage:
    """Places the tensors of a program for given plans.

    Reads that run at the same time come from different slices (a slice has one read engine), writes go to different
    slices likewise (those of different feeders as far as possible), and an operation never writes a bank that it reads.

    Parameters
    ----------
    config : Config
    work : list of (MatMul, Plan)
    outputs : list of Tensor
    tight : bool
        Let the VXM's constants share slices with weights, which are read rarely, where there are no others.

    Raises
    ------
    OutOfMemory
        When something finds no room under these rules.
    """

    def __init__(
        self, config: Config, work: list[tuple[MatMul, Plan]], outputs: list[Tensor], tight: bool = False
    ) -> None:
        self._config = config
        self._allocator = Allocator(config)
        self._work = work
        self.placed = {id(op): Placed() for op, _ in work}
        self.words: dict[int, list[Words]] = {}
        """Words of inputs, constants and outputs, by id of the tensor."""
        for op, plan in work:
            self._place_weights(op, plan)
        if not tight:
            self._place_all_constants(tight)
        produced = {id(op.y) for op, _ in work}
        for op, plan in work:
            if id(op.x) not in produced:
                self._place_input(op, plan)
        if tight:
            self._place_all_constants(tight)
        for op, plan in work:
            self._place_result(op, plan, any(op.y is tensor for tensor in outputs))

    def _place_weights(self, op: MatMul, plan: Plan) -> None:
        for feeder in plan.feeders:
            side = feeder.hemisphere
            placed = self.placed[id(op)].weights
            if side in placed:
                continue
            taken = {int(number) for slices, _ in placed.values() for number in slices.flat}
            words = op.k_blocks * sum(op.load_steps(block) for group in feeder.groups for block in group)
            banks = [
                Bank(number, bank)
                for hemisphere in (side, Hemisphere(1 - side))
                for bank in (0, 1)
                for number in reversed(self._slices_of(hemisphere))
                if number not in taken
            ]
            placed[side] = self._allocator.take(op.w.name, self._config.lanes, words, banks)
            self._add(op.w, weight_words(op, feeder.groups, *placed[side]))

    def _place_all_constants(self, tight: bool) -> None:
        for op, _ in self._work:
            if op.constants:
                self._place_constants(op, tight)

    def _place_constants(self, op: MatMul, tight: bool) -> None:
        placed = self.placed[id(op)]
        weights = _slices(placed.weights)
        busy = _layout_slices(placed.activations)
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

    def _place_input(self, op: MatMul, plan: Plan) -> None:
        placed = self.placed[id(op)]
        for feeder in plan.feeders:
            busy = _slices(placed.weights) | _slices(placed.constants) | _layout_slices(placed.activations)
            order = _reading_order(op, feeder)
            banks = [bank for bank in self._banks_near(feeder.hemisphere) if bank.slice not in busy]
            slices, addrs = self._allocator.take(op.x.name, 1, len(order[0]), banks)
            layout = _layout(1, op.k_blocks, op.m)
            layout.slices[:, *order] = slices
            layout.addrs[:, *order] = addrs
            placed.activations.append(layout)
            self._add(op.x, activation_words(op, layout))

    def _place_result(self, op: MatMul, plan: Plan, is_output: bool) -> None:
        """Place the result where its readers want it.

        Words that the planes of a feeder write at the same time, and copies of a word, go to different slices. What
        passes the VXM leaves it in one direction: the bytes of an element and all copies go to one side.
        """
        readers = [(reader, feeder) for reader, its in self._work if reader.x is op.y for feeder in its.feeders]
        both = tuple(Hemisphere)
        if not epilogue(op):
            choices: list[Sides] = [(both,)]
        elif _copied(readers):
            choices = [((side,),) for side in both]
        else:
            choices = [tuple((side,) for side in both)]
        saved = self._allocator.save()
        for choice in choices:
            try:
                layouts = self._result_layouts(op, plan, readers, choice)
                break
            except OutOfMemory:
                self._allocator.restore(saved)
                if choice is choices[-1]:
                    raise
        placed = self.placed[id(op)]
        placed.results = [layout for layout, _ in layouts]
        for layout, reader in layouts:
            if reader is not None:
                self.placed[id(reader)].activations.append(layout)
        if is_output:
            self._add(op.y, result_words(op, placed.results))

    def _result_layouts(
        self, op: MatMul, plan: Plan, readers: list[Reader], choice: Sides
    ) -> list[tuple[Layout, MatMul | None]]:
        read = _banks(self._config, self.placed[id(op)])
        found: list[tuple[Layout, MatMul | None]] = []
        wanted: list[Reader | None] = [*readers] or [None]
        for want in wanted:
            order = _writing_order(op, plan) if want is None else _reading_order(*want)
            busy = _layout_slices([layout for layout, _ in found])
            if want is not None:
                its = self.placed[id(want[0])]
                busy |= _slices(its.weights) | _slices(its.constants) | _layout_slices(its.activations)
            layout = _layout(op.y.itemsize, op.n_blocks, op.m)
            for feeder in plan.feeders:
                mine: set[int] = set()
                near = feeder.hemisphere if want is None else want[1].hemisphere
                for words in _words_of(feeder, order):
                    banks = [
                        self._banks_to_write(sides, busy | mine, read, _layout_slices([layout]))
                        for sides in sorted(choice, key=lambda sides: near not in sides)
                    ]
                    slices, addrs = self._take_first(op.y.name, op.y.itemsize, len(words[0]), banks)
                    layout.slices[:, *words] = slices
                    layout.addrs[:, *words] = addrs
                    mine |= {int(number) for number in np.unique(slices)}
            found.append((layout, None if want is None else want[0]))
        return found

    def _take_first(self, what: str, width: int, rows: int, choices: list[list[Bank]]) -> tuple[Numbers, Numbers]:
        """Take words from the first of several choices of banks that has room."""
        saved = self._allocator.save()
        for banks in choices[:-1]:
            try:
                return self._allocator.take(what, width, rows, banks)
            except OutOfMemory:
                self._allocator.restore(saved)
        return self._allocator.take(what, width, rows, choices[-1])

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


def _banks(config: Config, placed: Placed) -> set[Bank]:
    """Return the banks that an operation reads."""
    pairs = [*placed.weights.values(), *placed.constants.values()]
    pairs += [(layout.slices, layout.addrs) for layout in placed.activations]
    found = set()
    for slices, addrs in pairs:
        keys = np.unique((slices * 2 + addrs // config.mem_depth)[slices >= 0])
        found |= {Bank(int(key) // 2, int(key) % 2) for key in keys}
    return found


def _layout(size: int, blocks: int, rows: int) -> Layout:
    shape = (size, blocks, rows)
    return Layout(np.full(shape, -1, np.int32), np.zeros(shape, np.int32), np.zeros(shape[1:], np.int64))


def _reading_order(op: MatMul, feeder: Feeder) -> Order:
    """Return blocks and rows of activations in the order in which a feeder reads them."""
    return _order([(range(op.k_blocks), block) for block in feeder.blocks])


def _writing_order(op: MatMul, plan: Plan) -> Order:
    """Return blocks and rows of results in the order in which the planes emit them."""
    return _order([(group, block) for feeder in plan.feeders for block in feeder.blocks for group in feeder.groups])


def _order(parts: list[tuple[range | tuple[int, ...], tuple[int, int]]]) -> Order:
    blocks = [np.repeat(np.array(columns), rows) for columns, (_, rows) in parts]
    rows = [np.tile(np.arange(first, first + count), len(columns)) for columns, (first, count) in parts]
    return np.concatenate(blocks), np.concatenate(rows)


def _words_of(feeder: Feeder, order: Order) -> Iterator[Order]:
    """Yield the part of `order` that each plane of a feeder writes."""
    blocks, rows = order
    in_rows = np.zeros(int(rows.max()) + 1, np.bool_)
    for first, count in feeder.blocks:
        in_rows[first : first + count] = True
    for plane in range(len(feeder.planes)):
        own = [group[plane] for group in feeder.groups if plane < len(group)]
        mine = in_rows[rows] & np.isin(blocks, own)
        yield blocks[mine], rows[mine]


def _copied(readers: list[Reader]) -> bool:
    """Return whether two readers want the same rows."""
    blocks = sorted(block for _, feeder in readers for block in feeder.blocks)
    return any(first + rows > following for (first, rows), (following, _) in pairwise(blocks))
