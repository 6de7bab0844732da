"""Tools in processes of their own, which end when this one does, whatever ends it."""

import os
import select
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from runtime.os_errors import naming

__all__ = ["ToolFailed", "run_tool"]

_WATCHER = ["/bin/sh", "-c", "read -r line; kill -KILL 0"]
"""Waits for the end of this process, which closes the watcher's input, and then ends its process group."""


class ToolFailed(RuntimeError):
    """A tool ended with an error; the message says how."""

    def __init__(self, tool: str, status: int) -> None:
        how = f"was ended by {_signal_name(-status)}" if status < 0 else f"ended with exit status {status}"
        if status == 0:
            how = "wrote nothing"
        super().__init__(f"{tool} {how}")


def run_tool(
    command: Sequence[str],
    folder: Path,
    environment: Mapping[str, str],
    output: IO[str] | IO[bytes] | None,
    result: Path | None = None,
) -> None:
    """Run a command to its end; with what it started, it is killed if this process is stopped or dies.

    Parameters
    ----------
    command
        The program and its arguments.
    folder
        Its current folder.
    environment
        Its environment.
    output
        Where its messages go; None: where this process's go.
    result
        The file after ``-o``, if the tool would not notice that the disk is full: it gets a pipe instead, and what
        comes through it is written here.

    Raises
    ------
    ToolFailed
        If it does not end with 0, or writes no result.
    OSError
        If it cannot be started, or the result cannot be written.
    """
    quiet = subprocess.DEVNULL
    words, pipe = list(command), None
    lifeline, end = os.pipe()
    watcher = subprocess.Popen(_WATCHER, stdin=lifeline, stdout=quiet, stderr=quiet, process_group=0)
    child = None
    try:
        os.close(lifeline)
        if result is not None:
            pipe = os.pipe()
            words[words.index("-o") + 1] = f"/dev/fd/{pipe[1]}"
        child = subprocess.Popen(
            words,
            cwd=folder,
            env=environment,
            stdin=quiet,
            stdout=output,
            stderr=None if output is None else subprocess.STDOUT,
            process_group=watcher.pid,
            pass_fds=pipe[1:] if pipe else (),
        )
        size = None
        if pipe and result is not None:
            os.close(pipe[1])
            size = _copy(pipe[0], result)
        status = _wait(child)
    finally:
        os.killpg(watcher.pid, signal.SIGKILL)
        watcher.wait()
        if child is not None:
            child.wait()
        os.close(end)
    if status or size == 0:
        raise ToolFailed(Path(command[0]).name, status)


def _wait(child: "subprocess.Popen[bytes]") -> int:
    """Exit status of a child at its end.

    A signal that comes just before this process falls asleep stays unnoticed while it sleeps; so it wakes every second.
    """
    with suppress(AttributeError, OSError):  # systems that know no handles of processes
        handle = os.pidfd_open(child.pid)
        try:
            poll = select.poll()
            poll.register(handle, select.POLLIN)
            while not poll.poll(1000):
                pass
        finally:
            os.close(handle)
    return child.wait()


def _copy(read: int, path: Path) -> int:
    with naming(path), open(read, "rb") as source, path.open("wb") as target:
        shutil.copyfileobj(source, target, 1 << 20)
        return target.tell()


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
