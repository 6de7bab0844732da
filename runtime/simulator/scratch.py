"""Folders for work in progress, which vanish with it, however it ends.

Each lies in ``run`` of the build folder, and its process holds a lock on it. The system lifts the lock when the process
ends, also when it is killed; so whoever makes the next scratch folder may remove every one that is not locked.
"""

import atexit
import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from runtime.places import build_root, need_build_root

__all__ = ["keep", "remove", "scratch_folder"]

_mine: set[Path] = set()
"""Scratch folders of this process, noted before they are made: a signal may come at any moment."""

_MOST_KEPT = 20
"""Folders of failed and traced runs that are there to be looked at; older ones make room."""


@contextmanager
def scratch_folder(name: str) -> Iterator[Path]:
    """Make an empty folder that is removed at the end, and remove those that killed processes left.

    Parameters
    ----------
    name
        Beginning of its name.

    Raises
    ------
    TaktError
        When the build folder cannot be written.
    """
    parent = need_build_root() / "run"
    parent.mkdir(parents=True, exist_ok=True)
    _sweep(parent)
    folder, lock = _locked_folder(parent, name)
    try:
        yield folder
    finally:
        remove(folder)
        _mine.discard(folder)
        os.close(lock)


def keep(folder: Path) -> Path:
    """Move a scratch folder to where it may be looked at after the end, and return its new place.

    Of those that are kept, the last 20 stay.
    """
    kept = build_root() / "kept"
    kept.mkdir(exist_ok=True)
    with suppress(FileNotFoundError):  # another process makes room too
        for path in sorted(kept.iterdir(), key=lambda path: path.lstat().st_mtime)[: -_MOST_KEPT + 1]:
            remove(path)
    return folder.rename(kept / folder.name)


def remove(path: Path) -> None:
    """Remove a file or a folder with all that is in it, as far as permissions go."""
    if path.is_symlink() or not path.is_dir():
        with suppress(OSError):
            path.unlink()
        return
    with suppress(OSError):
        path.chmod(0o700)
    shutil.rmtree(path, ignore_errors=True)


def _locked_folder(parent: Path, name: str) -> tuple[Path, int]:
    while True:
        folder = parent / f"{name[:100]}-{secrets.token_hex(4)}"
        _mine.add(folder)
        folder.mkdir()
        lock = os.open(folder, os.O_RDONLY)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:  # another process takes it for one that was left, and removes it
            os.close(lock)
            continue
        except OSError:  # a file system without locks, on which nobody can sweep either
            return folder, lock
        if folder.is_dir():
            return folder, lock
        os.close(lock)


@atexit.register
def _remove_mine() -> None:
    for folder in _mine:
        remove(folder)


def _sweep(parent: Path) -> None:
    for path in parent.iterdir():
        with suppress(OSError):
            lock = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                remove(path)
            finally:
                os.close(lock)
