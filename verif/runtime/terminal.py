"""Run Python in a terminal of a given size."""

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
from collections.abc import Mapping

from verif.repo.files import ROOT

__all__ = ["in_terminal"]


def in_terminal(width: int, code: str, *arguments: object, environment: Mapping[str, str] | None = None) -> str:
    """Return what the code prints, errors included, in a pseudo terminal of `width` columns; it must end well."""
    own = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, width, 0, 0))
    with subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env={**own, "PYTHONPATH": str(ROOT), "TERM": "xterm", **(environment or {})},
        start_new_session=True,
    ) as process:
        os.close(slave)
        found = b""
        while block := _read(master):
            found += block
    os.close(master)
    text = found.decode().replace("\r\n", "\n")
    assert process.returncode == 0, text
    return text


def _read(master: int) -> bytes:
    try:
        return os.read(master, 1 << 16)
    except OSError:  # how Linux says that the other end is closed
        return b""
