"""Arguments of the interface, checked before anything uses them."""

from collections.abc import Sequence
from numbers import Integral
from typing import Any

import numpy as np

from arch.errors import TaktError, shown

__all__ = ["flag", "integer", "integers", "one_of"]


def flag(what: str, value: Any) -> bool:
    """Return a truth value.

    Raises
    ------
    TaktError
        For anything else: an array has none, and a number is more often a mistake.
    """
    if not isinstance(value, bool | np.bool_):
        raise TaktError(f"{what} must be True or False, not {shown(value)}")
    return bool(value)


def integer(what: str, value: Any, low: int | None = None, high: int | None = None) -> int:
    """Return an integer within bounds.

    Raises
    ------
    TaktError
        For anything else, numbers of a float format and truth values included.
    """
    legal = "an integer" if low is None else f"at least {low}" if high is None else f"{low} to {high}"
    is_number = isinstance(value, Integral) and not isinstance(value, bool)
    if not is_number or (low is not None and value < low) or (high is not None and value > high):
        raise TaktError(f"{what} must be {legal}, not {shown(value)}")
    return int(value)


def integers(what: str, values: Any, low: int | None = None, high: int | None = None) -> tuple[int, ...]:
    """Return a sequence of integers within bounds as a tuple.

    Raises
    ------
    TaktError
        As `integer`, of each; and for what is no sequence.
    """
    try:
        found = list(values)
    except TypeError:
        raise TaktError(f"{what} must be integers, not {shown(values)}") from None
    return tuple(integer(f"each of {what}", value, low, high) for value in found)


def one_of(what: str, value: Any, kinds: type | tuple[type, ...], names: Sequence[str]) -> Any:
    """Return a value of one of some classes.

    Raises
    ------
    TaktError
        Naming the classes as `names`.
    """
    if not isinstance(value, kinds):
        raise TaktError(f"{what} must be {' or '.join(names)}, not {shown(value)}")
    return value
