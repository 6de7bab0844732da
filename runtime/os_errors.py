"""What the system refused, as one line: which file, why, and what to do."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["full_disk", "is_full", "naming", "os_error_line"]

_FULL = (errno.ENOSPC, errno.EDQUOT)

_HINTS = {
    errno.ENOSPC: "free some space",
    errno.EDQUOT: "free some space, or ask for a larger quota",
    errno.EFBIG: "raise the limit that `ulimit -f` shows",
    errno.EMFILE: "raise the limit that `ulimit -n` shows",
    errno.ENFILE: "end processes that hold many files open",
    errno.EAGAIN: "end some processes, or raise the limit that `ulimit -u` shows",
    errno.ENOMEM: "end some processes, or take a smaller problem",
    errno.EACCES: "see who may use it with `ls -ld`",
    errno.EPERM: "see who may use it with `ls -ld`",
    errno.EROFS: "name a place that can be written",
    errno.ENOTDIR: "a part of the name is a file where a folder must be",
    errno.EISDIR: "name a file",
    errno.EEXIST: "remove it, or name another place",
    errno.ENAMETOOLONG: "name a shorter path",
    errno.ELOOP: "its symbolic links go in circles",
    errno.ENOEXEC: "it is no program for this computer",
    errno.EIO: "the disk reports a fault",
    errno.EBADF: "it is closed",
}

_OF_A_WRITE = (*_FULL, errno.EFBIG, errno.EIO, errno.EBADF, errno.EPIPE)
"""What stops a write. Such an error names no file; all that is written to files is written under `naming`."""

_OF_THE_BUILD = (*_FULL, errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST, errno.ENAMETOOLONG)
"""What another build folder would mend."""


def os_error_line(error: OSError) -> str:
    """Return the line: the file, what the system said, and what to do about it."""
    from runtime.places import build_root

    reason = error.strerror or str(error) or type(error).__name__
    hint = _HINTS.get(error.errno or 0, "")
    if error.filename is None:
        what = "cannot write to stdout: " if error.errno in _OF_A_WRITE else ""
        return "; ".join(filter(None, (what + reason, hint)))
    name = os.fsdecode(error.filename) if isinstance(error.filename, bytes) else str(error.filename)
    if error.errno in _OF_THE_BUILD and Path(name).is_absolute() and Path(name).is_relative_to(build_root()):
        other = "set TAKT_BUILD to a folder elsewhere"
        hint = f"{hint}, or {other}" if error.errno in _FULL else other
    return "; ".join(filter(None, (f"cannot use {name!r}: {reason}", hint)))


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Name a file in every OSError that names none, as those of writes do."""
    try:
        yield
    except OSError as error:
        if error.filename is None:
            error.filename = str(path)
        raise


def is_full(folder: Path, messages: str) -> bool:
    """Whether a tool failed because there was no room: it says so, or next to nothing is free in its folder."""
    if any(os.strerror(number) in messages for number in _FULL):
        return True
    state = os.statvfs(folder)
    return state.f_blocks > 0 and state.f_bavail * state.f_frsize < 1 << 16


def full_disk(path: Path) -> OSError:
    """The error of a write that a tool could not do."""
    return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
