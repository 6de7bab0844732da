"""The violations of a run."""

from arch.config import Config
from arch.faults import Fault, FaultError, FaultKind
from arch.geometry import units
from golden.machine.event_queue import NEVER


class FaultLog:
    """Collects violations and raises the one that counts: lowest cycle, lowest queue, lowest code.

    Attributes
    ----------
    due : int
        Cycle of the earliest violation, or `NEVER`. It may be a later one than that in which it was reported.
    """

    def __init__(self, config: Config) -> None:
        self._names = [unit.name for unit in units(config)]
        self.found: list[Fault] = []
        self.due = NEVER

    def clear(self) -> None:
        """Forget every violation."""
        self.found.clear()
        self.due = NEVER

    def report(self, cycle: int, unit: int, kind: FaultKind, detail: str = "") -> None:
        """Add a violation by queue number `unit`, in this or a later cycle."""
        self.found.append(Fault(cycle, unit, kind, detail))
        self.due = min(self.due, cycle)

    def error(self) -> FaultError:
        """Return the error of the violation that counts, and forget all."""
        # The key is cycle, queue and code, in this order (docs/machine.md, section 3, rule 7).
        fault = min(self.found, key=lambda found: found.key)
        self.clear()
        return FaultError(fault, self._names[fault.unit])
