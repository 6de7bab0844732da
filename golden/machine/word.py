"""A decoded instruction word."""

from collections.abc import Callable
from dataclasses import dataclass

Effect = Callable[[int], None]
"""Effect of a word when it issues; called with the cycle."""


@dataclass(frozen=True, slots=True)
class Word:
    """Decoded word, as far as its queue needs to know it.

    Attributes
    ----------
    mnemonic : str
        Empty for a word that is illegal.
    illegal : str or None
        Why it is illegal.
    count, interval : int
        Of NOP and REPEAT.
    superlanes : int
        Of CONFIG.
    issue : callable or None
        What a unit's instruction or an IFETCH does at its issue.
    length : int
        Cycles from the issue to the retirement of the last element.
    repeatable : bool
        Whether it is a unit's instruction.
    """

    mnemonic: str
    illegal: str | None
    count: int = 0
    interval: int = 0
    issue: Effect | None = None
    length: int = 0
    superlanes: int = 0
    repeatable: bool = False
