"""Folders kept by a hash of what they are made of."""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from filelock import FileLock

__all__ = ["build_root", "cached_folder", "content_key", "project_root"]


def project_root() -> Path:
    """Folder of ``pyproject.toml`` above this package, or the current folder if it is installed elsewhere."""
    for folder in Path(__file__).resolve().parents:
        if (folder / "pyproject.toml").exists():
            return folder
    return Path.cwd()


def build_root() -> Path:
    """Where everything that is generated goes: ``TAKT_BUILD``, or ``build`` in the project."""
    override = os.environ.get("TAKT_BUILD")
    return Path(override).resolve() if override else project_root() / "build"


def content_key(*parts: str | bytes | Path | Iterable[Path]) -> str:
    """Hash of texts and of the names and contents of files, as 16 hexadecimal digits."""
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, str):
            _update(digest, part.encode())
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
    """Return ``folder``, made by ``fill`` if it does not exist.

    Parameters
    ----------
    folder
        Final place; its name holds a hash of everything that ``fill`` depends on.
    fill
        Called with an empty folder beside it, which is renamed once complete. A build that fails or is killed
        leaves no entry; of several processes one builds and the others wait.

    Returns
    -------
    Path
        ``folder``.
    """
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    locks = build_root() / "locks"
    locks.mkdir(parents=True, exist_ok=True)
    with FileLock(locks / f"{folder.name}.lock"):
        if folder.is_dir():
            return folder
        scratch = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
        try:
            fill(scratch)
            scratch.chmod(0o755)
            scratch.rename(folder)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    return folder
