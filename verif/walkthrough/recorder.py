"""Records what the core decides while it compiles a program."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

import numpy as np

from arch.image import Image
from compiler.ir.operation import Operation
from compiler.ir.tensor import Tensor
from compiler.memory.demand import Demand
from compiler.place.core import Core
from compiler.place.state import PlacementState
from compiler.place.trial import Choice, Trial
from compiler.program import Program

COPY, APART, LOOSE, WAIT = "copy", "apart", "loose", "wait"
"""Repairs: see `compiler.place.core`."""


class RecordingCore(Core):
    """A core that keeps its trials, what it committed, and its repairs."""

    def __init__(self, state: PlacementState, operations: list[Operation]) -> None:
        self.trials: list[tuple[Operation, Choice, Trial | None]] = []
        self.committed: list[Trial] = []
        self.repairs: list[str] = []
        self.scheduled: list[Any] = []
        self._copies: dict[Tensor, int] = {}
        super().__init__(state, operations)

    @property
    def state(self) -> PlacementState:
        return self._state

    @property
    def operations(self) -> list[Operation]:
        return self._operations

    def offered(self, op: Operation) -> list[Any]:
        """Return the plans of an operation."""
        return list(self._plans[op])

    def reserved(self, key: Hashable) -> np.ndarray:
        """Return what is taken of a resource, shape (cycles or diagonals, positions)."""
        table = self._state.scheduler._table
        # Beyond the last cycle diagonals may be taken by as many as there are positions.
        cycles = table.last + table._positions + 1
        width = table._positions if isinstance(key, tuple) and key[0] == "stream" else 1
        return table.row(key, 0, cycles * width).reshape(cycles, width)

    def free_from(self, slices: np.ndarray, addrs: np.ndarray) -> np.ndarray:
        """Return the cycles from which words are free, after all that was placed."""
        depth = self._state.config.mem_depth
        return self._state.words._free[slices, addrs // depth, addrs % depth]

    def _try(self, op: Operation, choice: Choice) -> Trial | None:
        found = super()._try(op, choice)
        self.trials.append((op, choice, found))
        return found

    def _commit(self, trial: Trial) -> int:
        self.committed.append(trial)
        copies = self._state.copies
        # Repairs that did not help were taken back: a copy that was not there when its tensor was made is one that did.
        grown = [one for one in trial.op.reads() if one in self._copies and len(copies[one]) > self._copies[one]]
        self.repairs += [COPY] * bool(grown) + [LOOSE] * trial.choice.loose + [WAIT] * bool(trial.choice.when)
        end = super()._commit(trial)
        self._copies |= {tensor: len(copies.get(tensor, ())) for tensor in (*trial.op.writes(), *grown)}
        self.scheduled = list(self._state.scheduler._pending)
        return end

    def _place_either(self, op: Operation, fused: Trial | None, pieces: Sequence[Operation]) -> int | None:
        before = len(self.committed)
        found = super()._place_either(op, fused, pieces)
        self.repairs += [APART] * (found is not None and self.committed[before:][-1].op is not op)
        return found


@dataclass
class Recording:
    """A compiled program.

    Attributes
    ----------
    image : Image
    cores : list of RecordingCore
        One per policy that was tried.
    demands : dict of Operation to list of Demand
        Of the core that made the image, as they were declared.
    """

    image: Image
    cores: list[RecordingCore]
    demands: dict[Operation, list[Demand]] = field(default_factory=dict)

    @property
    def core(self) -> RecordingCore:
        """The core that made the image."""
        return next(core for core in self.cores if core.state.scheduler.retired == self.image.cycles)


def record(build: Callable[[], Program]) -> Recording:
    """Compile a program, and return what its cores did."""
    cores: list[RecordingCore] = []

    def make(state: PlacementState, operations: list[Operation]) -> RecordingCore:
        cores.append(RecordingCore(state, operations))
        return cores[-1]

    with patch("compiler.driver.Core", make):
        image = build().compile()
    found = Recording(image, cores)
    found.demands = {op: list(found.core.state.demands[op]) for op in found.core.operations}
    return found
