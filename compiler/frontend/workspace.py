"""Tensors and operations of a program: what every family of operations adds to."""

import math
from collections.abc import Callable, Iterator, Sequence
from hashlib import blake2b
from typing import Any

import numpy as np
import numpy.typing as npt

from arch.config import Config
from arch.edge import AT_THE_EDGE, at_the_edge
from arch.errors import TaktError
from arch.formats import DType
from arch.image_header import check_name
from compiler.arguments import integers
from compiler.declare.map_pass import Scope
from compiler.declare.moving import cheapest_move
from compiler.declare.padding import Need
from compiler.declare.rearrangement import rearrangement
from compiler.declare.transposition import transposition
from compiler.declare.update_pass import clearing_pass, copy_pass
from compiler.expression.expr import BITS, FORMATS
from compiler.frontend.superlanes import superlanes_at
from compiler.ir.lanes import BEYOND, Strays, are_vectors, distinct, strays, vectors_along
from compiler.ir.operation import Operation
from compiler.ir.tensor import (
    MOST_ELEMENTS,
    Elements,
    Tensor,
    View,
    as_view,
    check_elements,
    check_shape,
    join,
    layout_axis,
)
from compiler.ir.vector import Pass

Array = npt.NDArray[Any]
Operand = Tensor | View | Array


class Workspace:
    """Tensors of a program, by name, and its operations, in order.

    Parameters
    ----------
    config : Config
    name : str
        What the program is, for reports.
    """

    def __init__(self, config: Config, name: str = "program") -> None:
        check_name("name of a program", name)
        self._config = config
        self._name = name
        self._tensors: dict[str, Tensor] = {}
        self._operations: list[Operation] = []
        self._product_count = 0
        self._outputs: dict[str, View] = {}
        self._updates: dict[Tensor, Pass | None] = {}
        self._scattered: set[Tensor] = set()
        self._stored: set[Tensor] = set()
        self._barriers: set[Operation] = set()
        self._stretches: list[tuple[int, int]] = []
        self._scalars: dict[tuple[DType, int], Tensor] = {}
        self._needs: dict[Tensor, Need] = {}
        self._masks: dict[tuple[int, int], Tensor] = {}
        self._shared: dict[tuple[str, str, tuple[int, ...], bytes], Tensor] = {}
        self._made: dict[tuple[Any, ...], View] = {}
        self._scope = Scope(config, self._is_stored, self._scalar, self.constant, self._share, self._settled)

    @property
    def config(self) -> Config:
        """The machine."""
        return self._config

    @property
    def operations(self) -> tuple[Operation, ...]:
        """Operations of the program, in order."""
        return tuple(self._operations)

    def input(self, name: str, shape: tuple[int, ...], dtype: str = "int8", layout: str | int = "rows") -> Tensor:
        """Declare a tensor that the host writes before each run.

        One that no operation reads is an input all the same: a run accepts it and does not need it.

        Parameters
        ----------
        name : str
        shape : tuple of int
        dtype : str
            ``int8``, ``int16``, ``int32``, ``float16`` or ``float32``. The tensor of ``bool`` is int8, 0 or 1; of
            ``uint8`` int16; of ``uint16``, ``uint32``, ``int64`` and ``uint64`` int32: a run takes arrays of these
            formats too, and refuses those with a value that does not fit.
        layout : str or int
            Lane axis of operations on inputs and constants only; beside a result they take that one's.

        Raises
        ------
        TaktError
            For a name in use, a dtype that the machine does not have, an empty or negative shape, or a layout that
            does not fit it.
        """
        sizes = integers("shape", shape)
        dtype = AT_THE_EDGE.get(str(dtype), str(dtype))
        return self._add(Tensor(name, sizes, dtype, None, layout_axis(layout, len(sizes))))

    def constant(self, name: str, values: Array, layout: str | int = "rows") -> Tensor:
        """Declare a tensor that belongs to the program; bool and integers that the machine lacks as of `input`.

        Raises
        ------
        TaktError
            As `input`, and for a value that does not fit.
        """
        try:
            array = np.asarray(values)
        except ValueError as error:
            raise TaktError(f"values of {name} must be an array: {error}") from None
        if array.size > MOST_ELEMENTS or (array.size and 0 in array.strides):
            # What is repeated takes room only now.
            self._config.check_fits(name, array.nbytes)
        data = np.ascontiguousarray(at_the_edge(name, array))
        return self._add(Tensor(name, data.shape, str(data.dtype), data, layout_axis(layout, data.ndim)))

    def _add(self, tensor: Tensor) -> Tensor:
        check_name("name of a tensor", tensor.name)
        if tensor.name in self._tensors:
            raise TaktError(f"tensor name must be new, not {tensor.name!r}")
        if tensor.dtype not in FORMATS:
            raise TaktError(f"dtype of {tensor.name} must be one of {', '.join(FORMATS)}, not {tensor.dtype!r}")
        check_shape(tensor.name, tensor.shape)
        if tensor.size > MOST_ELEMENTS:
            self._config.check_fits(tensor.name, tensor.nbytes)
        self._tensors[tensor.name] = tensor
        return tensor

    def _settled(self, view: View, lanes: int, beyond: Need = Need.NOTHING) -> View:
        """Return a view of the same shape with whole vectors along the lane axis, whose zeros are zeros in MEM.

        Where vectors of a result are not what is wanted, others are made of them, once for all readers: see
        `compiler.declare.rearrangement`. Where they only hold more elements than a view has, a pass copies them without
        those. Padding is cleared by whatever makes the result; see `compiler.declare.padding`.

        Parameters
        ----------
        view : View
        lanes : int
            Axis, from the end, along which vectors of the view are read.
        beyond : Need
            What is needed in lanes beyond the end of that axis.
        """
        if not self._is_stored(view.tensor) or len(view.shape) < -lanes:
            return view
        if (view.elements < 0).all():
            return self._zeros(view)
        vector = self._config.vector_length
        wanted = vectors_along(view.elements, lanes, vector)
        if not are_vectors(view.tensor, wanted, vector):
            return self._with_vectors(view, lanes)
        found = strays(view.tensor, wanted, vector)
        if (
            found.elements_for_zeros
            or (found.elements_beyond and beyond)
            or self._is_limited(view.tensor, found, beyond)
        ):
            return self._once("cleared", view, lanes, lambda: self._cleared(view, lanes))
        need = Need.ZERO if found.padding_for_zeros else beyond if found.padding_beyond else Need.NOTHING
        if need:
            self._needs[view.tensor] = max(need, self._needs.get(view.tensor, Need.NOTHING))
        return view

    def _with_vectors(self, view: View, lanes: int) -> View:
        """Return a view of the same shape with other vectors; each is made once, wherever and how often it comes."""
        last = np.moveaxis(view.elements, lanes, -1)
        rows, which = distinct(last.reshape(-1, last.shape[-1]))
        repeats = len(rows) < len(which)
        once = View(view.tensor, rows if repeats else np.ascontiguousarray(last))
        made = self._once("rearranged", once, -1, lambda: self._rearranged(once, -1))
        found = made.elements[which].reshape(last.shape) if repeats else made.elements
        return View(made.tensor, np.moveaxis(found, -1, lanes))

    def _zeros(self, view: View) -> View:
        return self._share("zeros", np.zeros(view.shape, view.dtype)).view()

    def _cleared(self, view: View, lanes: int) -> View:
        return self._append(clearing_pass(self._scope, self._fresh("clear"), view, lanes))[0].view()

    def _rearranged(self, view: View, lanes: int) -> View:
        """Return a view of the same shape with other vectors, in the cheapest way; lanes without elements are zeros."""
        name, rank = self._fresh("move"), len(view.shape)
        source = cheapest_move(self._config, view, lanes).source
        if source == lanes:
            target = Tensor(name, view.shape, view.dtype, None, lanes)
            wanted = vectors_along(view.elements, lanes, self._config.vector_length)
            made = [self._append(op) for op in rearrangement(self._scope, [(view.tensor, wanted)], target)]
            return made[-1][0].view()
        # Matrices of both axes: the one that lanes run along comes last, and changes places with the other.
        order = [*(axis for axis in range(-rank, 0) if axis not in (source, lanes)), lanes, source]
        matrices = view.transpose(*order)
        turned = transposition(self._scope, name, matrices, (*range(rank - 2), rank - 1, rank - 2))
        made = [self._append(op) for op in turned]
        order[-2:] = source, lanes
        return made[-1][0].view().transpose(*np.argsort([axis % rank for axis in order]).tolist())

    def _joined(self, views: Sequence[View], axis: int, lanes: int | None = None) -> View:
        """Return views of one format, next to each other along an axis (negative), as a view of one tensor.

        Parts of one tensor stay where they are. Parts of several are put together along the lane axis `lanes`, by
        default the one for which the least has to move; a part whose matrices have to be transposed for that is
        transposed first.
        """
        shape = list(views[0].shape)
        shape[axis] = sum(view.shape[axis] for view in views)
        check_elements(views[0].name, shape)
        if all(view.tensor is views[0].tensor for view in views):
            return join(views, axis)
        self._config.check_fits(views[0].name, math.prod(shape) * views[0].itemsize)
        stored = [view for view in views if self._is_stored(view.tensor) and (view.elements >= 0).any()]
        rank, vector = len(shape), self._config.vector_length
        starts = np.cumsum([0, *(view.shape[axis] for view in views)])

        def pieces(views: Sequence[View], lanes: int) -> Iterator[tuple[Tensor, Elements]]:
            for view, start in zip(views, starts, strict=False):
                elements = np.full(shape, BEYOND, np.int32)
                place = [slice(None)] * rank
                place[axis] = slice(start, start + view.shape[axis])
                elements[tuple(place)] = np.maximum(view.elements, -1)
                yield view.tensor, vectors_along(elements, lanes, vector)

        def cost(lanes: int) -> int:
            each = sum(cheapest_move(self._config, view, lanes).cost for view in stored)
            # Where the parts meet in a vector, they move within it once more.
            cut = lanes == axis and any(start % vector for start in starts[1:-1])
            moved = sum(view.elements.size // view.shape[lanes] for view in stored) if cut else 0
            return each + moved * views[0].itemsize + math.prod(shape) // shape[lanes] * -(-shape[lanes] // vector)

        lanes = min(range(-1, -rank - 1, -1), key=cost) if lanes is None else lanes
        turned = [
            self._settled(view, lanes)
            if self._is_stored(view.tensor) and cheapest_move(self._config, view, lanes).source != lanes
            else view
            for view in views
        ]
        target = Tensor(self._fresh("join"), tuple(shape), views[0].dtype, None, lanes)
        made = [self._append(op) for op in rearrangement(self._scope, [*pieces(turned, lanes)], target)]
        return made[-1][0].view()

    def _held(self, view: View) -> View:
        """Return a view of a result that has each of its elements once, and no zeros: the view, or a copy of it."""
        if view.has_each_once:
            return view
        return self._append(copy_pass(self._scope, self._fresh("copy"), view))[0].view()

    def _once(self, what: str, view: View, lanes: int, make: Callable[[], View]) -> View:
        """Return what was made of a view before, in as many superlanes as are on, or make it."""
        on = self._superlanes(len(self._operations))
        digest = blake2b(view.elements.tobytes()).digest()
        key = what, view.tensor, lanes, view.shape, on, digest
        if key not in self._made:
            self._made[key] = make()
        return self._made[key]

    def _forget(self, state: Tensor) -> None:
        """Let nothing that was made of a state stand for it any longer: its rows have changed."""
        self._made = {key: view for key, view in self._made.items() if state not in key}

    def _share(self, kind: str, values: Array) -> Tensor:
        """Return the constant with some values: equal ones are stored once."""
        key = kind, values.dtype.name, values.shape, values.tobytes()
        if key not in self._shared:
            self._shared[key] = self.constant(f"{kind} {len(self._shared)}", values)
        return self._shared[key]

    def _is_limited(self, tensor: Tensor, found: Strays, beyond: Need) -> bool:
        """Return whether needed padding lies in superlanes that are off while its tensor is made."""
        if not found.padding_for_zeros and not (found.padding_beyond and beyond):
            return False
        makers = [n for n, op in enumerate(self._operations) if tensor in op.writes()]
        return any(self._superlanes(number) < self._superlanes(len(self._operations)) for number in makers)

    def _superlanes(self, number: int) -> int:
        """Return the superlanes that are on for operation `number`."""
        return superlanes_at(self._config, self._stretches, number)

    def _mask(self, size: int, lanes: int) -> Tensor:
        """Return the constant that clears lanes from `lanes` on of elements of `size` bytes: see `padding.Mask`."""
        if (size, lanes) not in self._masks:
            rows = np.full((2, self._config.vector_length), -1, BITS[size].numpy)
            rows[1, lanes:] = 0
            self._masks[size, lanes] = self.constant(f"mask of {lanes} lanes, {size} bytes", rows)
        return self._masks[size, lanes]

    def _append(self, op: Operation) -> tuple[Tensor, ...]:
        self._operations.append(op)
        results = tuple(op.writes())
        self._stored.update(results)
        return results

    def _fresh(self, kind: str) -> str:
        return f"{kind}{len(self._operations)}"

    def fresh_name(self, kind: str) -> str:
        """Return a name that no tensor of the program has: `kind` and a number."""
        number = len(self._tensors)
        while f"{kind} {number}" in self._tensors:
            number += 1
        return f"{kind} {number}"

    def is_result(self, value: Tensor | View) -> bool:
        """Return whether a tensor's elements have places of their own: a result or a state, no input or constant."""
        return self._is_stored(as_view(value).tensor)

    def _is_stored(self, tensor: Tensor) -> bool:
        return tensor in self._stored

    def _scalar(self, dtype: DType, value: int) -> Tensor:
        """Return the constant of one element with these bits."""
        key = dtype, value
        if key not in self._scalars:
            bits = np.array([value], np.uint32).view(np.uint8)[: dtype.size]
            data = bits.view(dtype.numpy).reshape(1)
            self._scalars[key] = self.constant(f"{dtype.numpy.name} {value:#x}", data)
        return self._scalars[key]

    def _view(self, value: Operand) -> View:
        if isinstance(value, Tensor | View):
            if isinstance(value, Tensor):
                self._config.check_fits(value.name, value.nbytes)
            view = as_view(value)
            self._check_known(view.tensor)
            return view if view.shape else view.reshape(1)
        return self.constant(self.fresh_name("constant"), value).view()

    def _check_known(self, tensor: Tensor) -> None:
        if tensor is not self._tensors.get(tensor.name) and not self._is_stored(tensor):
            raise TaktError(f"tensor must belong to this program, not {tensor.name!r}")
