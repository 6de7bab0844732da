"""Tools in processes of their own, which end when this one does, whatever ends it."""

import os
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO

from runtime.os_errors import naming

__all__ = ["ToolFailed", "run_tool", "run_tool_into"]

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
    pass_fds: Sequence[int] = (),
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
    pass_fds
        File descriptors that it inherits beside the standard ones.

    Raises
    ------
    ToolFailed
        If it does not end with 0.
    OSError
        If it cannot be started.
    """
    lifeline, end = os.pipe()
    try:
        quiet = subprocess.DEVNULL
        watcher = subprocess.Popen(_WATCHER, stdin=lifeline, stdout=quiet, stderr=quiet, process_group=0)
    except BaseException:
        os.close(end)
        raise
    finally:
        os.close(lifeline)
    child = None
    try:
        child = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=quiet,
            stdout=output,
            stderr=None if output is None else subprocess.STDOUT,
            process_group=watcher.pid,
            pass_fds=pass_fds,
        )
        status = child.wait()
    finally:
        os.killpg(watcher.pid, signal.SIGKILL)
        watcher.wait()
        if child is not None:
            child.wait()
        os.close(end)
    if status:
        raise ToolFailed(Path(command[0]).name, status)


def run_tool_into(
    path: Path,
    command: Sequence[str],
    place: int,
    folder: Path,
    environment: Mapping[str, str],
    output: IO[str] | IO[bytes] | None,
) -> None:
    """Run a command that writes a file; what it fails to notice of a full disk is noticed here.

    Parameters
    ----------
    path
        The file.
    command, folder, environment, output
        As for `run_tool`.
    place
        Which word of the command is the name of the file; the tool is given that of a pipe.

    Raises
    ------
    ToolFailed
        If it does not end with 0, or writes nothing.
    OSError
        If it cannot be started, or the file cannot be written.
    """
    read, write = os.pipe()
    words = [*command[:place], f"/dev/fd/{write}", *command[place + 1 :]]
    failure = None
    with ThreadPoolExecutor(1) as pool:
        copied = pool.submit(_copy, read, path)
        try:
            run_tool(words, folder, environment, output, (write,))
        except ToolFailed as error:
            failure = error
        finally:
            os.close(write)
        size = copied.result()  # a full disk comes first: it is why the tool found nobody who reads
    if failure:
        raise failure
    if size == 0:
        raise ToolFailed(Path(words[0]).name, 0)


def _copy(read: int, path: Path) -> int:
    with naming(path), open(read, "rb") as source, path.open("wb") as target:
        shutil.copyfileobj(source, target, 1 << 20)
        return target.tell()


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
