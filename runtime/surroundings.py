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
_PATIENCE_SECONDS = 2.0
"""`timeout` and terminals send a signal twice; what comes this soon after the first must not stop the tidying up."""
_AGAIN_SECONDS = 0.05
"""Until an exception that got lost on its way is raised again."""


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
    asked: list[tuple[int, float]] = []

    def stop(number: int, frame: FrameType | None) -> None:
        again = number == signal.SIGALRM
        if not again and not asked:
            asked.append((number, time.monotonic()))
        elif not again and time.monotonic() - asked[0][1] < _PATIENCE_SECONDS:
            return
        signal.setitimer(signal.ITIMER_REAL, _AGAIN_SECONDS)
        if not (_would_be_lost(frame) or (again and _on_its_way())):
            raise Stopped(asked[0][0])

    before: dict[signal.Signals, Any] = {}
    if threading.current_thread() is threading.main_thread():
        usual = (signal.SIG_DFL, signal.default_int_handler)
        before = {number: signal.getsignal(number) for number in _STOPS if signal.getsignal(number) in usual}
    if before:
        before[signal.SIGALRM] = signal.getsignal(signal.SIGALRM)
    for number in before:
        signal.signal(number, stop)
    try:
        yield
    finally:
        if before:
            signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in before.items():
            signal.signal(number, handler)


def _would_be_lost(frame: FrameType | None) -> bool:
    """Whether the signal came in the course of a ``__del__``, from which no exception gets out."""
    while frame is not None:
        if frame.f_code.co_name == "__del__":
            return True
        frame = frame.f_back
    return False


def _on_its_way() -> bool:
    """Whether somebody is tidying up on account of `Stopped` just now."""
    error = sys.exception()
    while error is not None:
        if isinstance(error, Stopped):
            return True
        error = error.__context__
    return False


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
