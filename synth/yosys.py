"""Yosys in a process of its own."""

import errno
import os
import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

_PROGRAM = """
import sys
from pyosys import libyosys
design = libyosys.Design()
for command in sys.argv[1:]:
    libyosys.run_pass(command, design)
"""

_LITTLE = 1 << 16
"""Free bytes of a disk that counts as full."""


class YosysFailed(RuntimeError):
    """Yosys refused a design; the message holds what it said last."""


def yosys_version() -> str:
    """Return the version of pyosys, on which every count depends."""
    return version("pyosys")


def run_yosys(commands: Sequence[str], folder: Path) -> str:
    """Run commands on an empty design.

    Parameters
    ----------
    commands : sequence of str
        Yosys commands; paths in them are relative to `folder`.
    folder : Path
        Current folder of the run; an existing one.

    Returns
    -------
    str
        The log.

    Raises
    ------
    YosysFailed
        When a command fails.
    OSError
        When the disk is full.
    """
    result = subprocess.run(
        [sys.executable, "-c", _PROGRAM, *commands], cwd=folder, capture_output=True, encoding="utf-8", check=False
    )
    if result.returncode:
        raise YosysFailed("\n".join((result.stdout + result.stderr).splitlines()[-20:]))
    state = os.statvfs(folder)
    if state.f_bavail * state.f_frsize < _LITTLE:  # Yosys does not notice that it wrote half a file
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder))
    return result.stdout
