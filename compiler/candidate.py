"""One way to compile a program."""

from collections.abc import Callable
from dataclasses import dataclass

from compiler.control import Control
from compiler.placement.demand import Work
from compiler.placement.policy import Policy
from compiler.placement.states import States
from compiler.tensor import Tensor


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """Operations with a plan for each, and how to place them.

    Attributes
    ----------
    work : list of (operation, plan)
        Each operation of the source in one or several pieces.
    stored : callable
        Whether a tensor is a result, of a piece too, or a state.
    states : States
    policy : Policy
    control : Control
        Of the pieces.
    """

    work: Work
    stored: Callable[[Tensor], bool]
    states: States
    policy: Policy
    control: Control
