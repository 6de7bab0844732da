"""What a command makes of the process it finds itself in: standard streams that are closed, and signals that end it."""

import io
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

__all__ = ["Stopped", "mend_streams", "silence_stdout", "stoppable"]

_STOPS = {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated", signal.SIGHUP: "hung up"}
_ONE_STOP_SECONDS = 2.0
"""`timeout` and terminals send a signal twice; what comes this soon after the first must not stop the tidying up."""


class Stopped(BaseException):
    """A signal asked the process to end."""

    def __init__(self, number: int) -> None:
        super().__init__(_STOPS[signal.Signals(number)])
        self.code = 128 + number


@contextmanager
def stoppable() -> Iterator[None]:
    """Turn SIGINT, SIGTERM and SIGHUP into `Stopped`, so that what a command has begun is tidied up.

    Those that the caller ignores, as ``nohup`` does, stay ignored.
    """
    first = -_ONE_STOP_SECONDS

    def stop(number: int, frame: FrameType | None) -> None:
        nonlocal first
        if time.monotonic() - first >= _ONE_STOP_SECONDS:
            first = time.monotonic()
            raise Stopped(number)

    before: dict[signal.Signals, Any] = {}
    if threading.current_thread() is threading.main_thread():
        usual = (signal.SIG_DFL, signal.default_int_handler)
        before = {number: signal.getsignal(number) for number in _STOPS if signal.getsignal(number) in usual}
    for number in before:
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def mend_streams() -> None:
    """Open what is closed of the standard streams, and let them print every character, if only as a question mark.

    Or else the next file that is opened would become stdout, and take what a child process prints.
    """
    modes = {0: os.O_RDONLY, 1: os.O_RDONLY, 2: os.O_WRONLY}  # what is printed to a closed stdout is an error
    for number, mode in modes.items():
        try:
            os.fstat(number)
        except OSError:
            opened = os.open(os.devnull, mode)
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)
    if sys.stdout is None:
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    if sys.stderr is None:
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def silence_stdout() -> None:
    """Let what stdout still holds vanish, where it cannot be written: Python would complain about it at its end."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
