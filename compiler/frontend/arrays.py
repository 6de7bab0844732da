"""NumPy's functions on arrays, under NumPy's names."""

from collections.abc import Callable, Iterable
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np

from arch.errors import TaktError, shown
from compiler.arguments import flag, integer, integers, one_of
from compiler.expression.expr import Expr
from compiler.expression.functions import cast, equal, not_equal, where
from compiler.frontend.gathers import Gathers
from compiler.frontend.passes import Passes
from compiler.frontend.products import Products
from compiler.frontend.switching import Switching
from compiler.frontend.workspace import Operand
from compiler.ir.tensor import Tensor, View, as_view, check_elements

Axes = int | tuple[int, ...] | None


class Arrays(Products, Passes, Switching, Gathers):
    """Operations that NumPy has, by its names and with its shapes.

    Those that only arrange elements return views: nothing moves until an operation needs other lanes. Vectors are
    rearranged where an operation, a product or a state wants them, each arrangement once per program.
    """

    def concatenate(self, tensors: Iterable[Operand], axis: int = 0) -> View:
        """Return tensors next to each other along an axis.

        Parameters
        ----------
        tensors : sequence of Tensor, View or ndarray
            Of one dtype, and of one shape but for that axis.
        axis : int

        Notes
        -----
        Parts of one tensor are a view. Parts of several are put together by a pass; where they do not begin with a
        vector along the lane axis, a PERMUTE moves them first.

        Raises
        ------
        TaktError
            For no tensor, other dtypes or shapes, and an axis that they do not have.
        """
        views = self._views("tensors", tensors)
        rank = len(views[0].shape)
        place = self._axis(axis, rank)
        for view in views[1:]:
            shapes = [list(item.shape) for item in (views[0], view)]
            fits = len(view.shape) == rank
            if fits:
                for shape in shapes:
                    shape[place] = 0
            if not fits or shapes[0] != shapes[1] or view.dtype != views[0].dtype:
                raise TaktError(
                    f"tensors must have one dtype, and one shape but for axis {axis}, "
                    f"not {views[0].dtype} {views[0].shape} and {view.dtype} {view.shape}"
                )
        return self._joined(views, place)

    def stack(self, tensors: Iterable[Operand], axis: int = 0) -> View:
        """Return tensors of one shape along a new axis; as `concatenate`."""
        views = self._views("tensors", tensors)
        rank = len(views[0].shape) + 1
        place = self._axis(axis, rank)
        if any(view.shape != views[0].shape for view in views):
            raise TaktError(f"tensors must have one shape, not {', '.join(str(view.shape) for view in views)}")
        key = [slice(None)] * rank
        return self.concatenate([view[(*key[: place + rank], None)] for view in views], place)

    def split(self, x: Operand, sections: int | Iterable[int], axis: int = 0) -> list[View]:
        """Return parts of a tensor along an axis, as views.

        Parameters
        ----------
        x : Tensor, View or ndarray
        sections : int or sequence of int
            Number of equal parts; or where parts other than the first begin, ascending.
        axis : int

        Raises
        ------
        TaktError
            For sections that do not divide the axis, or parts without an element.
        """
        view = self._view(x)
        place = self._axis(axis, len(view.shape))
        size = view.shape[place]
        if isinstance(sections, Iterable):
            starts = [0, *integers("sections", sections, 1, size - 1), size]
        else:
            count = integer("sections", sections, 1)
            if size % count:
                raise TaktError(f"sections must divide {size}, not be {count}")
            starts = [*range(0, size + 1, size // count)]
        if any(first >= second for first, second in pairwise(starts)):
            raise TaktError(f"sections must ascend, not be {shown(tuple(starts[1:-1]))}")
        key: list[Any] = [slice(None)] * len(view.shape)
        parts = []
        for first, second in pairwise(starts):
            key[place] = slice(first, second)
            parts.append(view[tuple(key)])
        return parts

    def reshape(self, x: Operand, shape: int | tuple[int, ...]) -> View:
        """Return the elements, in C order, as a view of another shape, of which one size may be -1."""
        return self._view(x).reshape(*integers("shape", shape if isinstance(shape, Iterable) else (shape,)))

    def broadcast_to(self, x: Operand, shape: tuple[int, ...]) -> View:
        """Return a view of a larger shape, in which elements come again, by NumPy's rules.

        Raises
        ------
        TaktError
            For a shape that it does not broadcast to.
        """
        view, sizes = self._view(x), integers("shape", shape, 1)
        check_elements(view.name, sizes)
        try:
            return View(view.tensor, np.broadcast_to(view.elements, sizes))
        except ValueError:
            raise TaktError(f"shape must be one that {view.shape} broadcasts to, not {shown(shape)}") from None

    def take(self, x: Operand, indices: Any, axis: int | None = None) -> View:
        """Return elements by index: of the flat tensor, or slices along an axis.

        Parameters
        ----------
        x : Tensor, View or ndarray
        indices : ndarray, or Tensor or View
            Integers of any shape. An array belongs to the program, may count from the end, and the result is a view; a
            tensor is looked up as the program runs, as in `gather`.
        axis : int, optional

        Raises
        ------
        TaktError
            For indices that are no integers, or constant ones outside the axis.
        """
        if isinstance(indices, Tensor | View):
            return self._looked_up(self._view(x), self._view(indices), axis)
        view = self._view(x)
        places = np.asarray(indices)
        if places.dtype.kind not in "iu":
            raise TaktError(f"indices must be integers, not {places.dtype}")
        if axis is not None:
            axis = self._axis(axis, len(view.shape))
        check_elements(view.name, [view.elements.size if axis is not None else 1, places.size])
        try:
            return View(view.tensor, np.take(view.elements, places, axis))
        except (IndexError, ValueError) as error:
            raise TaktError(f"indices of {view.name} must fit the shape {view.shape}: {error}") from None

    def _looked_up(self, view: View, indices: View, axis: int | None) -> View:
        view = view.reshape(-1) if axis is None else view
        rank = len(view.shape)
        place = 0 if axis is None else self._axis(axis, rank) + rank
        order = [place, *(number for number in range(rank) if number != place)]
        rows = view.transpose(*order)
        found = as_view(self.gather(rows.reshape(rows.shape[0], -1), indices.reshape(-1)))
        several = len(indices.shape)
        found = found.reshape(*indices.shape, *rows.shape[1:])
        # The axes of the indices stand where the axis was.
        back = [*range(several, several + place), *range(several), *range(several + place, several + rank - 1)]
        return found.transpose(*back)

    def sum(self, x: Operand, axis: Axes = None, keepdims: bool = False, dtype: str | None = None) -> View:
        """Return sums over axes (all by default): int32 of integers, float32 of floats.

        The order of float sums is that of `reduce`, whatever the lanes and the machine.

        Parameters
        ----------
        x : Tensor, View or ndarray
        axis : int or tuple of int, optional
        keepdims : bool
            Keep the axes, with size 1.
        dtype : str, optional
            Format that sums are cast to at the end.

        Raises
        ------
        TaktError
            For axes that the tensor does not have.
        """
        return self._reduced(x, "add", axis, keepdims, partial(_cast, dtype))

    def mean(self, x: Operand, axis: Axes = None, keepdims: bool = False, dtype: str | None = None) -> View:
        """Return means over axes: ``float32(sum) * float32(1 / n)``, cast to float32 or a float operand's format.

        Arguments and errors as of `sum`.
        """
        view = self._view(x)
        axes = self._axes(axis, len(view.shape))
        share = 1 / int(np.prod([view.shape[place] for place in axes]))
        kept = view.dtype if view.dtype.startswith("float") else "float32"
        target = kept if dtype is None else dtype
        return self._reduced(view, "add", axis, keepdims, lambda total: cast(cast(total, "float32") * share, target))

    def max(self, x: Operand, axis: Axes = None, keepdims: bool = False) -> View:
        """Return maxima over axes, of the operand's format; a NaN wins. Arguments and errors as of `sum`."""
        view = self._view(x)
        return self._reduced(view, "max", axis, keepdims, partial(_cast, view.dtype))

    def min(self, x: Operand, axis: Axes = None, keepdims: bool = False) -> View:
        """Return minima over axes, of the operand's format; a NaN wins. Arguments and errors as of `sum`."""
        view = self._view(x)
        return self._reduced(view, "min", axis, keepdims, partial(_cast, view.dtype))

    def argmax(self, x: Operand, axis: int | None = None, keepdims: bool = False) -> View:
        """Return where along an axis (of the flat tensor by default) the first maximum is, int32; a NaN is one.

        Raises
        ------
        TaktError
            For an axis that the tensor does not have.
        """
        return self._where_first(x, "max", axis, keepdims)

    def argmin(self, x: Operand, axis: int | None = None, keepdims: bool = False) -> View:
        """Return where along an axis the first minimum is; as `argmax`."""
        return self._where_first(x, "min", axis, keepdims)

    def _where_first(self, x: Operand, operation: str, axis: int | None, keepdims: bool) -> View:
        view = self._view(x)
        rank = len(view.shape)
        keepdims = flag("keepdims", keepdims)
        if axis is None:
            place, found = -1, self._where_first(view.reshape(-1), operation, 0, False)
            return found.reshape(*(1,) * rank) if keepdims else found
        place = self._axis(axis, rank)
        best = self._reduced(view, operation, place, True, partial(_cast, view.dtype))
        size = view.shape[place]
        numbers = np.arange(size, dtype=np.int32).reshape(size, *(1,) * (-1 - place))

        def candidate(value: Expr, best: Expr, number: Expr) -> Expr:
            found = equal(value, best)
            if value.dtype.is_float:
                found = found | not_equal(value, value)
            return where(found, number, size)

        numbered = self._share("numbers", numbers)
        made = self.reduce((view, best, numbered), "min", place, function=candidate, keepdims=keepdims)
        return as_view(made)

    def _reduced(self, x: Operand, operation: str, axis: Axes, keepdims: bool, finish: Callable[[Expr], Expr]) -> View:
        view = self._view(x)
        axes = self._axes(axis, len(view.shape))
        return as_view(self.reduce(view, operation, axes, finish=finish, keepdims=keepdims))

    def _axis(self, axis: Any, rank: int) -> int:
        """Return an axis, from the end."""
        return integer("axis", axis, -rank, rank - 1) % rank - rank

    def _axes(self, axis: Any, rank: int) -> tuple[int, ...]:
        """Return different axes, from the end."""
        if axis is None:
            return tuple(range(-rank, 0))
        axes = integers("axis", axis if isinstance(axis, Iterable) else (axis,), -rank, rank - 1)
        found = tuple(place % rank - rank for place in axes)
        if not found or len(set(found)) < len(found):
            raise TaktError(f"axis must be one of {rank}, or different ones, not {shown(axis)}")
        return found

    def _views(self, what: str, tensors: Iterable[Operand]) -> list[View]:
        given = one_of(what, tensors, (list, tuple), ["a list of tensors"])
        if not given:
            raise TaktError(f"{what} must be at least one, not none")
        return [self._view(tensor) for tensor in given]


def _cast(dtype: str | None, value: Expr) -> Expr:
    return value if dtype is None else cast(value, dtype)
