"""A cocotb test without its simulator: the words that it would drive, and nothing else."""

import random
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

import numpy as np

__all__ = ["DryBench", "run_dry"]


class DryBench:
    """Stands for `verif.bench.Bench`: takes every input, shows zeros, finds nothing wrong.

    Parameters
    ----------
    seed : int
    parameters : mapping
    on_op : callable
        Called with what is driven on a port ``op``.
    """

    def __init__(self, seed: int, parameters: Mapping[str, Any], on_op: Callable[[int], None]) -> None:
        self.seed = seed
        self.cycle = 0
        self.rng = np.random.default_rng(seed)
        self.random = random.Random(seed)
        self.parameters = parameters
        self._on_op = on_op

    def drive(self, **values: int) -> None:
        """Pass on a micro-op; see `verif.bench.Bench.drive`."""
        if values.get("op"):
            self._on_op(values["op"])

    def read(self, name: str) -> int:
        """Return 0."""
        return 0

    def check(self, what: str, got: object, expected: object) -> None:
        """Find it right."""

    async def tick(self) -> None:
        """Let a cycle pass at once."""
        self.cycle += 1

    async def ticks(self, count: int) -> None:
        """Let cycles pass at once."""
        self.cycle += count

    async def settle(self) -> None:
        """Wait for nothing."""

    async def reset(self, cycles: int = 2) -> None:
        """Go back to cycle 0."""
        self.cycle = 0


def run_dry(test: Callable[[Any], Coroutine[Any, Any, None]]) -> None:
    """Run a test that awaits a `DryBench` only.

    What it asserts is about a unit that is not there: it ends where that does not hold.
    """
    coroutine = test(None)
    try:
        coroutine.send(None)
    except (StopIteration, AssertionError):
        return
    raise RuntimeError(f"{test.__qualname__} waits for a simulator")
