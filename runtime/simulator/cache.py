"""Folders kept by a hash of what they are made of, which prove at every use that they are what was made.

An entry carries a manifest: the length and the digest of each of its files. An entry with another content, which a full
disk, a killed process, a fault of the disk or a stray hand left, counts as absent and is made again. A process reads
the whole of an entry once; later it looks at lengths, times and inodes only.
"""

import hashlib
import json
import logging
import os
from collections.abc import Callable, Iterable
from pathlib import Path

from filelock import FileLock

from arch.errors import TaktError
from runtime.os_errors import naming
from runtime.places import build_root, need_build_root
from runtime.simulator.scratch import remove, scratch_folder

__all__ = ["cached_folder", "content_key", "discard"]

_LOG = logging.getLogger(__name__)

_MANIFEST = "manifest.json"

_Signature = tuple[tuple[str, int, int, int], ...]

_proved: dict[Path, _Signature] = {}
"""Entries that this process read and found whole: what their files looked like then."""


def content_key(*parts: str | bytes | Path | Iterable[Path]) -> str:
    """Hash of texts and of the names and contents of files, as 16 hexadecimal digits."""
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, str):
            _update(digest, part.encode("utf-8", "surrogateescape"))
        elif isinstance(part, bytes):
            _update(digest, part)
        else:
            for path in [part] if isinstance(part, Path) else sorted(part):
                _update(digest, path.name.encode())
                _update(digest, path.read_bytes())
    return digest.hexdigest()[:16]


def _update(digest: "hashlib._Hash", data: bytes) -> None:
    digest.update(len(data).to_bytes(8, "little"))
    digest.update(data)


def cached_folder(folder: Path, fill: Callable[[Path], None]) -> Path:
    """Return ``folder``, made by ``fill`` if it does not exist or is damaged.

    Parameters
    ----------
    folder
        Final place; its name holds a hash of everything that ``fill`` depends on.
    fill
        Called with an empty folder, whose files become the entry once it returns. A build that fails or is killed
        leaves no entry; of several processes one builds and the others wait.

    Returns
    -------
    Path
        ``folder``.

    Raises
    ------
    TaktError
        If the build folder cannot be written.
    OSError
        If a file cannot be; it names the file or the entry.
    """
    if not _damage(folder):
        return folder
    need_build_root()
    with naming(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        locks = build_root() / "locks"
        locks.mkdir(parents=True, exist_ok=True)
        with _lock(locks / f"{folder.name}.lock"):
            damage = _damage(folder)
            if not damage:
                return folder
            if os.path.lexists(folder):
                discard(folder, damage)
            with scratch_folder(folder.name) as scratch:
                entry = scratch / "entry"
                entry.mkdir()
                fill(entry)
                _write_manifest(entry)
                entry.rename(folder)
            _proved[folder] = _signature(folder)
    return folder


def discard(folder: Path, why: str) -> None:
    """Remove an entry and log a warning; it is made again at its next use.

    Raises
    ------
    OSError
        If it cannot be removed.
    """
    _LOG.warning("cache entry %s is damaged (%s): it is built again", folder, why)
    _proved.pop(folder, None)
    remove(folder)
    if os.path.lexists(folder):  # what `remove` could not: say which file, and why
        folder.rmdir()


def _lock(path: Path) -> FileLock:
    lock = FileLock(path)
    try:
        lock.acquire()
    except RuntimeError:  # what filelock calls a file system without locks
        raise TaktError(
            f"cannot lock {str(path)!r}: the file system has no locks; set TAKT_BUILD to a folder on another one"
        ) from None
    return lock


def _damage(folder: Path) -> str:
    """Why an entry cannot be used; empty if it can."""
    try:
        signature = _signature(folder)
        if _proved.get(folder) == signature:
            return ""
        expected = json.loads((folder / _MANIFEST).read_text(encoding="utf-8"))
        found = {name: size for name, size, _, _ in signature if name != _MANIFEST}
        for name in expected.keys() | found.keys():
            if name not in found:
                return f"{name} is missing"
            if name not in expected:
                return f"{name} does not belong to it"
            size, digest = expected[name]
            if found[name] != size:
                return f"{name} has {found[name]:,} of {size:,} bytes"
            if _digest(folder / name) != digest:
                return f"{name} is not what was built"
    except FileNotFoundError:
        return f"{_MANIFEST} is missing"
    except NotADirectoryError:
        return "it is a file"
    except OSError as error:
        return error.strerror or str(error)
    except (ValueError, TypeError, AttributeError):  # not JSON, or not of this form
        return f"{_MANIFEST} is unreadable"
    _proved[folder] = signature
    return ""


def _signature(folder: Path) -> _Signature:
    """Name, length, time of the last change and inode of every file; raises OSError if it is no folder."""
    with os.scandir(folder) as entries:
        stats = [(entry.name, entry.stat()) for entry in entries]
    return tuple(sorted((name, stat.st_size, stat.st_mtime_ns, stat.st_ino) for name, stat in stats))


def _write_manifest(folder: Path) -> None:
    files = {path.name: (path.stat().st_size, _digest(path)) for path in sorted(folder.iterdir())}
    (folder / _MANIFEST).write_text(json.dumps(files, indent=1) + "\n", encoding="utf-8")


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
