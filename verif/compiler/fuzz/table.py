"""The table of all kinds of steps: an operation of the interface is one entry."""

from collections.abc import Mapping

from verif.compiler.fuzz.complete import COMPLETE_OPERATIONS
from verif.compiler.fuzz.graph import Operation
from verif.compiler.fuzz.lanes import LANES
from verif.compiler.fuzz.products import PRODUCTS
from verif.compiler.fuzz.sources import SOURCES
from verif.compiler.fuzz.vector import VECTOR
from verif.compiler.fuzz.views import VIEWS

__all__ = ["OPERATIONS"]

OPERATIONS: Mapping[str, Operation] = {**SOURCES, **VIEWS, **VECTOR, **PRODUCTS, **LANES, **COMPLETE_OPERATIONS}
"""By name. An entry has what it means in NumPy, the call that a person writes, and how to draw a random one; views are
marked, since a SCATTER into the state behind one changes it later."""
