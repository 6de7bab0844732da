"""A random graph while it grows."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from arch.presets import preset
from verif.compiler.fuzz.evaluate import Evaluation
from verif.compiler.fuzz.expressions import Illegal
from verif.compiler.fuzz.graph import Given, Graph, Moment, Step
from verif.compiler.fuzz.layout import lane_axis

__all__ = ["Draft"]

_HOST = ("input", "constant")


class Draft:
    """Steps so far, with their values in the first run, and what `Operation.draw` chooses from.

    Parameters
    ----------
    seed : int
    machine, settings
        As of `Graph`.
    largest : int
        Largest size of an axis.
    depth : int
        Most operations of an expression.
    complete : bool
        Whether for the complete tensor interface: any view of any result is an operand.
    """

    def __init__(
        self, seed: int, machine: str, settings: tuple[str, ...], largest: int, depth: int, complete: bool
    ) -> None:
        self.rng = np.random.default_rng(seed)
        self.config = preset(machine, settings)
        self.depth, self.complete = depth, complete
        vector = self.config.vector_length
        edges = [1, vector - 1, vector, vector + 1, 2 * vector - 3]
        few = [int(size) for size in self.rng.integers(1, largest + 1, 3)]
        self._sizes = [*few, *few, *(size for size in edges if size <= largest)]
        self._most = largest * largest
        self._evaluation = Evaluation(self.config)
        self._elements: list[Any] = []
        self._lanes: list[int] = []
        self._graph = Graph(machine, settings, ())

    @property
    def steps(self) -> list[Step]:
        """All steps so far."""
        return self._evaluation.steps

    def attempt(self, draw: Any) -> bool:
        """Let something be drawn; return whether that was legal, else nothing is changed."""
        before = self._evaluation.snapshot(), [*self._elements], [*self._lanes]
        try:
            draw(self)
        except Illegal:
            self._evaluation, self._elements, self._lanes = before
            return False
        return True

    def add(
        self, kind: str, args: Sequence[tuple[str, int]] = (), params: dict[str, Any] | None = None, lanes: int = -1
    ) -> int:
        """Add a step, whose result has its lanes along an axis, and return its number."""
        step = Step(kind, tuple(args), params or {})
        number = self._evaluation.add(step)
        elements, value = None, self._evaluation.values[number]
        if step.operation.effect == "view" and not self.complete:
            given = [(role, self._numbered(arg)) for role, arg in args]
            elements = step.operation.value(Moment(self.config, fill=-1), step.params, Given(given))
        self._elements.append(elements)
        self._lanes.append(lanes)
        if isinstance(value, np.ndarray) and value.size > self._most:
            raise Illegal("value must not be larger than others")
        if elements is not None and not self.complete and self.is_result(number) and self.lanes_of(number) is None:
            raise Illegal("view must have whole vectors")
        return number

    def items(self, number: int, first: int, others: int | None = None) -> int:
        """Take a tuple apart; return the number of its first item, or the number given if it is none."""
        value = self._evaluation.values[number]
        if not isinstance(value, tuple):
            return number
        lanes = [first, *[first if others is None else others] * (len(value) - 1)]
        # Each is a tensor of its own.
        made = [self.add("item", [("x", number)], {"index": n}, axis) for n, axis in enumerate(lanes)]
        return made[0]

    def chance(self, probability: float) -> bool:
        """Return True with a probability."""
        return bool(self.rng.random() < probability)

    def choice(self, items: Sequence[Any]) -> Any:
        """Return one of some items."""
        if not items:
            raise Illegal("nothing to choose from")
        return items[int(self.rng.integers(len(items)))]

    def size(self) -> int:
        """Return the size of an axis."""
        return int(self.choice(self._sizes))

    def dtype(self) -> str:
        """Return a format."""
        return str(self.choice(["int8", "int8", "float16", "float16", "float32", "int32", "int16"]))

    def shape(self, rank: int | None = None) -> tuple[int, ...]:
        """Return a shape; axes before the last two are short."""
        rank = self.choice([1, 2, 2, 2, 2, 3, 3, 4]) if rank is None else rank
        sizes = [self.size() for _ in range(min(rank, 2))]
        while len(sizes) < rank:
            room = self._most // int(np.prod(sizes))
            sizes.insert(0, int(self.rng.integers(1, min(room, 5) + 1)))
        return tuple(sizes)

    def numbers_of(self, shape: tuple[int, ...], dtype: str) -> dict[str, Any]:
        """Return the parameters of a declaration."""
        found: dict[str, Any] = {"seed": int(self.rng.integers(1000)), "shape": list(shape), "dtype": dtype}
        return {**found, "edges": True} if self.chance(0.15) else found

    def declare(self, shape: tuple[int, ...], dtype: str, constant: bool | None = None) -> int:
        """Return a new input or constant."""
        constant = self.chance(0.3) if constant is None else constant
        return self.add("constant" if constant else "input", (), self.numbers_of(shape, dtype))

    def declare_state(self, shape: tuple[int, ...]) -> int:
        """Return a new state."""
        return self.add("state", (), {**self.numbers_of(shape, self.dtype()), "initial": self.chance(0.5)})

    def shape_of(self, number: int) -> tuple[int, ...]:
        """Return the shape of a step's value."""
        return tuple(self._evaluation.values[number].shape)

    def dtype_of(self, number: int) -> str:
        """Return the format of a step's value."""
        return str(self._evaluation.values[number].dtype.name)

    def is_result(self, number: int) -> bool:
        """Return whether a step's value lives in MEM: no input, no constant, and no view of them."""
        return self.steps[self._root(number)].kind not in _HOST

    def lanes_of(self, number: int) -> int | None:
        """Return the axis, from the end, along which a value's lanes run; None if it has no whole vectors."""
        root = self._root(number)
        if self.complete:
            return -1
        if root == number:
            return self._lanes[number]
        elements, vector = self._elements[number], self.config.vector_length
        return lane_axis(elements, self.shape_of(root), self._lanes[root], vector)

    def holds_each_once(self, number: int) -> bool:
        """Return whether a value has elements of its tensor, none of them twice, and no zeros."""
        elements = self._elements[number]
        return elements is None or (elements.min() >= 0 and len(np.unique(elements)) == elements.size)

    def may_give_out(self, number: int) -> bool:
        """Return whether a value may be an output."""
        try:
            self._evaluation.check_output(number)
        except Illegal:
            return False
        return True

    def nodes(self, dtype: str | None = None, rank: int | None = None) -> list[int]:
        """Return the values that there are, of a format and rank."""
        values = enumerate(self._evaluation.values)
        found = [number for number, value in values if isinstance(value, np.ndarray)]
        return [
            number
            for number in found
            if (dtype is None or self.dtype_of(number) == dtype)
            and (rank is None or len(self.shape_of(number)) == rank)
        ]

    def states(self) -> list[int]:
        """Return the states."""
        return [number for number, step in enumerate(self.steps) if step.operation.effect == "state"]

    def may_scatter(self, state: int) -> bool:
        """Return whether rows may be written into a state."""
        return self._evaluation.changed(state) != "update"

    def any_operand(self, rank: int = 1) -> int:
        """Return a value of at least some rank: one of the last, or a new one now and then."""
        found = [number for number in self.nodes() if len(self.shape_of(number)) >= rank]
        if not found or self.chance(0.06):
            return self.declare(self.shape(max(rank, self.choice([1, 2, 2, 2, 3]))), self.dtype())
        return int(self.choice(found[-4:] if self.chance(0.7) else found))

    def beside(self, x: int) -> int:
        """Return an operand that broadcasts with another one, in the same lanes if both are results."""
        shape, lanes = self.shape_of(x), self.lanes_of(x)
        if self.chance(0.6):
            found = [number for number in self.nodes() if self._is_beside(number, shape, lanes)]
            if found:
                return int(self.choice(found))
        sizes = [size if self.chance(0.75) else 1 for size in shape]
        return self.declare(tuple(sizes[int(self.rng.integers(len(sizes))) if self.chance(0.3) else 0 :]), self.dtype())

    def _is_beside(self, number: int, shape: tuple[int, ...], lanes: int | None) -> bool:
        mine = self.shape_of(number)
        try:
            joined = np.broadcast_shapes(mine, shape)
        except ValueError:
            return False
        if self.complete or not self.is_result(number):
            return int(np.prod(joined)) <= self._most
        axis = self.lanes_of(number)
        return axis == lanes and axis is not None and -axis <= len(shape) and mine[axis] == shape[axis] == joined[axis]

    def beside_columns(self, m: int, n: int) -> int:
        """Return an operand of shape (N,) or (M, N), in rows."""
        shapes = [(n,), (m, n)]
        found = [number for number in self.nodes() if self.shape_of(number) in shapes and self.lanes_of(number) == -1]
        return (
            int(self.choice(found)) if found and self.chance(0.6) else self.declare(self.choice(shapes), self.dtype())
        )

    def operand_like(self, shape: tuple[int, ...], dtype: str) -> int:
        """Return an operand of a shape and format, in rows."""
        found = [
            number for number in self.nodes(dtype) if self.shape_of(number) == shape and self.lanes_of(number) == -1
        ]
        return int(self.choice(found)) if found and self.chance(0.7) else self.declare(shape, dtype)

    def matrix(self, dtype: str) -> int:
        """Return a matrix in rows, if need be a value that is cast."""
        found = [number for number in self.nodes(dtype, 2) if self.lanes_of(number) == -1]
        if found and self.chance(0.7):
            return int(self.choice(found[-4:]))
        others = [number for number in self.nodes(None, 2) if self.is_result(number) and self.lanes_of(number) == -1]
        if others and self.chance(0.7):
            return self.add("map", [("x", self.choice(others[-4:]))], {"function": [["cast", "a", {"dtype": dtype}]]})
        return self.declare(self.shape(2), dtype)

    def in_rows(self, rank: int = 1, most: int = 4) -> int:
        """Return a value with its lanes along the last axis, or anywhere in the complete interface."""
        found = [number for number in self.nodes() if self.complete or self.lanes_of(number) == -1]
        found = [number for number in found if rank <= len(self.shape_of(number)) <= most]
        if found and self.chance(0.9):
            return int(self.choice(found[-4:]))
        return self.declare(self.shape(max(rank, 2)), self.dtype())

    def common_shape(self, operands: Sequence[int]) -> tuple[int, ...]:
        """Return the shape that operands broadcast to."""
        try:
            return np.broadcast_shapes(*(self.shape_of(number) for number in operands))
        except ValueError:
            raise Illegal("operands must broadcast to one shape") from None

    def common_lanes(self, operands: Sequence[int]) -> int | None:
        """Return the lane axis of the results among operands; None if there are none."""
        results = [number for number in operands if self.is_result(number)]
        axes = {self.lanes_of(number) for number in results}
        if len(axes) > 1:
            raise Illegal("lanes must run along one axis")
        lanes = next(iter(axes), None)
        if lanes is not None and not self.complete:
            size = self.common_shape(operands)[lanes]
            if any(self.shape_of(number)[lanes] != size for number in results):
                raise Illegal("results must not be repeated along their lanes")
        return lanes

    def changed(self, state: int) -> bool:
        """Return whether a state has been updated, or rows of it."""
        return self._evaluation.changed(state) is not None

    def _root(self, number: int) -> int:
        return self._evaluation.root(number)

    def _numbered(self, number: int) -> Any:
        """Return the numbers of a value's elements within its tensor."""
        if self._elements[number] is not None:
            return self._elements[number]
        shape = self.shape_of(number)
        return np.arange(int(np.prod(shape))).reshape(shape)
