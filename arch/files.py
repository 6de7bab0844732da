"""Files of users, written whole or not at all: a write that fails leaves what was there."""

import contextlib
import errno
import fcntl
import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from arch.errors import TaktError

__all__ = ["move_whole", "write_whole"]

_IN_PLACE = (errno.EACCES, errno.EPERM, errno.EROFS, errno.EBUSY)
"""What forbids a new file beside an old one that may be written itself: in another's folder, or a mounted file."""


def write_whole(path: str | os.PathLike[str], data: bytes | str, what: str = "") -> None:
    """Write a file, replacing an old one only once the new one is complete.

    A symbolic link is followed; a device or a pipe is written to as it stands.

    Parameters
    ----------
    path
        The file.
    data
        Its contents; text becomes UTF-8.
    what
        What it is, for the message of an error.

    Raises
    ------
    TaktError
        When it cannot be written.
    """
    contents = data.encode() if isinstance(data, str) else data
    with _reported(path, what):
        target = Path(os.path.realpath(path))
        if target.exists() and not target.is_file():
            _overwrite(target, contents)
            return
        try:
            with _partial(target) as partial:
                partial.write_bytes(contents)
        except OSError as error:
            if error.errno not in _IN_PLACE or not target.exists():
                raise
            _overwrite(target, contents)


def move_whole(source: Path, path: str | os.PathLike[str]) -> None:
    """Move a file to a place that may be on another disk, replacing an old one only once all of it is there.

    Raises
    ------
    TaktError
        When it cannot be written; `source` is still there then.
    """
    with _reported(path):
        target = Path(os.path.realpath(path))
        if target.exists() and not target.is_file():
            with source.open("rb") as read, target.open("wb") as written:
                shutil.copyfileobj(read, written)
        else:
            try:
                source.replace(target)
                return
            except OSError as error:
                if error.errno != errno.EXDEV:
                    raise
            with _partial(target) as partial:
                shutil.copyfile(source, partial)
        source.unlink()


@contextlib.contextmanager
def _reported(path: str | os.PathLike[str], what: str = "") -> Iterator[None]:
    try:
        yield
    except OSError as error:
        where = f"{what} {str(path)!r}".lstrip()
        raise TaktError(f"cannot write {where}: {error.strerror or error}") from None


@contextlib.contextmanager
def _partial(target: Path) -> Iterator[Path]:
    """An empty file beside the target, which takes its place at the end.

    Its writer holds a lock on it, so that one without was left by a writer that was killed; the next one removes it.
    """
    stem = f".{target.name[:100]}.part-"
    for left in target.parent.glob(f"{_escaped(stem)}*"):
        with contextlib.suppress(OSError), left.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            left.unlink()
    partial = target.with_name(f"{stem}{os.getpid()}")
    with partial.open("xb") as file:
        try:
            with contextlib.suppress(OSError):  # a file system without locks
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield partial
            if target.exists():
                partial.chmod(stat.S_IMODE(target.stat().st_mode))
            partial.replace(target)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise


def _escaped(text: str) -> str:
    """The text as a pattern of `glob` that stands for itself."""
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in text)


def _overwrite(target: Path, contents: bytes) -> None:
    with target.open("wb") as file:
        file.write(contents)
