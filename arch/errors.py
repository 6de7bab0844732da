"""The error that a user can cause."""

import reprlib
from typing import Any

_DIGITS = 40
"""Of an integer that is shown in full."""


class TaktError(Exception):
    """A mistake in the input: a parameter, a shape, a file, a program.

    The message is one line that names the offending value and what would be legal. The command line prints
    it and exits with status 2; it never shows a traceback for it.
    """


class _Short(reprlib.Repr):
    """`repr` in one line of modest length, of anything that a file or a command line may hold."""

    def __init__(self) -> None:
        super().__init__()
        self.maxstring = self.maxother = 80
        self.maxlist = self.maxtuple = self.maxdict = 8

    def repr_int(self, x: int, level: int) -> str:
        """Python refuses to write integers of thousands of digits in decimal."""
        if abs(x) < 10**_DIGITS:
            return repr(x)
        return f"an integer of {x.bit_length()} bits"


_SHORT = _Short()


def shown(value: Any) -> str:
    """Return the value of a message: `repr`, shortened where that is long, and never failing.

    >>> shown("x" * 3), shown(10**5000)
    ("'xxx'", 'an integer of 16610 bits')
    """
    return _SHORT.repr(value)
