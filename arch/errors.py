"""The error that a user can cause."""


class TaktError(Exception):
    """A mistake in the input: a parameter, a shape, a file, a program.

    The message is one line that names the offending value and what would be legal. The command line prints
    it and exits with status 2; it never shows a traceback for it.
    """
