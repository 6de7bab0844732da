"""Flipped bits, and what consumers find of them."""

from collections.abc import Mapping
from dataclasses import dataclass

from arch.config import Config
from arch.faults import FaultKind
from golden.machine.fault_log import FaultLog

Flips = Mapping[int, int]
"""Flipped bits of one vector or MEM word: a mask over code bits (data lowest, see `arch.ecc`) by superlane, none 0.

Values are always the true ones; flips travel beside them.
"""


def limit_flips(flips: Flips, superlanes: int) -> Flips:
    """Return the flips of the first `superlanes` superlanes."""
    return {superlane: mask for superlane, mask in flips.items() if superlane < superlanes}


def replace_flips(store: dict[int, Flips], key: int, flips: Flips, superlanes: int) -> None:
    """Replace what `store` has at `key` in the first `superlanes` superlanes; those without flips stay out of it."""
    others = {superlane: mask for superlane, mask in store.pop(key, {}).items() if superlane >= superlanes}
    if found := others | dict(limit_flips(flips, superlanes)):
        store[key] = found


COUNT_LIMIT = (1 << 32) - 1


@dataclass(frozen=True)
class EccState:
    """Contents of the ECC registers.

    Attributes
    ----------
    count : int
        Corrected reads since CLEAR.
    unit, cycle : int
        Queue and cycle of the first one; 0 without any.
    """

    count: int = 0
    unit: int = 0
    cycle: int = 0


class Ecc:
    """Counts corrected reads and reports uncorrectable ones (docs/machine.md, section 8).

    Attributes
    ----------
    state : EccState
        After the last run.
    corrected : list of (cycle, queue, superlane)
        What the last run counted, ascending; cycles are those of the superlane.
    """

    def __init__(self, config: Config, faults: FaultLog) -> None:
        self._config = config
        self._faults = faults
        self._consumed: set[tuple[int, int, int]] = set()
        self.corrected: list[tuple[int, int, int]] = []
        self.state = EccState()

    def clear(self) -> None:
        """Forget everything."""
        self._consumed.clear()
        self.corrected = []
        self.state = EccState()

    def consumed(self, cycle: int, unit: int, flips: Flips) -> None:
        """Take note of a word that queue `unit` reads in `cycle` of tile 0; superlane r reads it r cycles later."""
        for superlane, mask in flips.items():
            # SECDED: one flipped bit is corrected. Three and more may look like one to a decoder; nobody can promise
            # anything of them, and the model reports them as it reports two.
            if mask.bit_count() == 1:
                self._consumed.add((cycle + superlane, unit, superlane))
            else:
                detail = f"{mask.bit_count()} flipped bits in superlane {superlane}"
                self._faults.report(cycle + superlane, unit, FaultKind.UNCORRECTABLE, detail)

    def settle(self, last: int) -> None:
        """Count what was read up to cycle `last` of the run that ends."""
        # Reads of a superlane lie later than those of tile 0 by its number: what a run that ends, or stops, does not
        # reach is not counted.
        self.corrected = sorted(event for event in self._consumed if event[0] <= last)
        self._consumed.clear()
        if self.corrected:
            cycle, unit, _ = self.corrected[0]
            first = EccState(0, unit, cycle) if self.state.count == 0 else self.state
            count = min(self.state.count + len(self.corrected), COUNT_LIMIT)
            self.state = EccState(count, first.unit, first.cycle)
