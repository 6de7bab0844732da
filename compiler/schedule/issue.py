"""Issues: what the scheduler hands to the assembler."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Issue:
    """An instruction word in its final cycles, with its final fields.

    Attributes
    ----------
    queue : int
        Number of the unit.
    mnemonic : str
    cycle : int
        First of `issues` issues, `every` cycles apart.
    fields : dict of str to int
        Of the first issue.
    issues, every : int
    advance : int
        Words by which `addr` grows from one issue to the next (MEM).
    """

    queue: int
    mnemonic: str
    cycle: int
    fields: dict[str, int]
    issues: int = 1
    every: int = 1
    advance: int = 0

    @property
    def cycles(self) -> npt.NDArray[np.int64]:
        """Cycles in which the word issues."""
        return self.cycle + self.every * np.arange(self.issues, dtype=np.int64)
