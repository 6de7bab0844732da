"""Comparisons of the VXM, as masks."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from arch.isa.codes import Relation

Bits = npt.NDArray[np.uint32]
Holds = Callable[[npt.NDArray[Any], npt.NDArray[Any]], npt.NDArray[np.bool_]]

_HOLDS: Mapping[Relation, Holds] = {
    Relation.EQ: np.equal,
    Relation.NE: np.not_equal,
    Relation.LT: np.less,
    Relation.LE: np.less_equal,
    Relation.GT: np.greater,
    Relation.GE: np.greater_equal,
}


def compare(relation: Relation, a: npt.NDArray[Any], b: npt.NDArray[Any]) -> Bits:
    """Return the mask of ``a relation b``: -1 as uint32 where it holds, 0 elsewhere.

    Parameters
    ----------
    relation : Relation
    a, b : ndarray of int64 or of float32, same shape
        Numbers, not patterns: of float32, -0 equals +0, and with a NaN only NE holds (IEEE 754, section 5.11).
    """
    return np.where(_HOLDS[relation](a, b), np.uint32(0xFFFFFFFF), np.uint32(0))
