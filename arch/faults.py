"""Violations of the machine's rules: the same names in the verifier, the golden model and the RTL."""

import enum
from dataclasses import dataclass

from arch.errors import TaktError


class FaultKind(enum.IntEnum):
    """Rule that was broken. The code is what the host reads from the fault register; 0 means no fault.

    In one cycle the lowest queue wins; in one queue and cycle the lowest code.
    """

    ILLEGAL = 1
    """Opcode not built, foreign to the unit, or a field out of range. Cycle: issue."""
    UNDERRUN = 2
    """A queue that was started ran out of words without END. Cycle: when the missing word was due."""
    OVERRUN = 3
    """The host wrote to a full queue, at cycle 0; or fetched text reached one, in that cycle."""
    BUSY = 4
    """A burst was issued while the same engine's last burst was still running. Cycle: issue."""
    BANK_CONFLICT = 5
    """A slice read and wrote the same bank. Cycle: the access (issue + d_skew of tile 0)."""
    UNWRITTEN = 6
    """A stream was read where no value was. Cycle: the read at tile 0 (issue + d_skew)."""
    OPERAND_MISSED = 7
    """An operand or result of a neighbouring unit was not there in its only cycle. Cycle: when it was due."""
    DOUBLE_DRIVE = 8
    """Two units put a value on one stream register. Unit: the later queue. Cycle: issue + d_func."""
    DEADLOCK = 9
    """A queue is parked, and nothing can release it. Unit: the lowest parked queue. Cycle: the first in which every
    queue is closed or parked and no release is under way."""
    UNCORRECTABLE = 10
    """A word with two flipped bits was consumed. Cycle: the read, in the superlane that read it."""


@dataclass(frozen=True, order=True)
class Fault:
    """One violation.

    Attributes
    ----------
    cycle : int
        Machine cycle, 0 being the first issue.
    unit : int
        Queue number of the offending unit.
    kind : FaultKind
    detail : str
        Stream, position, bank or field concerned; for people, not compared.
    """

    cycle: int
    unit: int
    kind: FaultKind
    detail: str = ""

    @property
    def key(self) -> tuple[int, int, int]:
        """Part that must agree between verifier, golden model and RTL."""
        return self.cycle, self.unit, int(self.kind)


class FaultError(TaktError):
    """A program broke a rule of the machine; `fault` says which."""

    def __init__(self, fault: Fault, unit_name: str) -> None:
        detail = f": {fault.detail}" if fault.detail else ""
        super().__init__(f"{fault.kind.name} at unit {unit_name}, cycle {fault.cycle}{detail}")
        self.fault = fault
