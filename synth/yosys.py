"""Yosys in a process of its own."""

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
    """
    result = subprocess.run(
        [sys.executable, "-c", _PROGRAM, *commands], cwd=folder, capture_output=True, text=True, check=False
    )
    if result.returncode:
        raise YosysFailed("\n".join((result.stdout + result.stderr).splitlines()[-20:]))
    return result.stdout
