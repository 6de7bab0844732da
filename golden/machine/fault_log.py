"""The violations of one cycle."""

from arch.config import Config
from arch.faults import Fault, FaultError, FaultKind
from arch.geometry import units


class FaultLog:
    """Collects violations and raises the one that counts: lowest cycle, lowest queue, lowest code."""

    def __init__(self, config: Config) -> None:
        self._names = [unit.name for unit in units(config)]
        self.found: list[Fault] = []

    def report(self, cycle: int, unit: int, kind: FaultKind, detail: str = "") -> None:
        """Add a violation by queue number `unit`."""
        self.found.append(Fault(cycle, unit, kind, detail))

    def error(self) -> FaultError:
        """Return the error of the violation that counts, and forget all."""
        fault = min(self.found, key=lambda found: found.key)
        self.found.clear()
        return FaultError(fault, self._names[fault.unit])
