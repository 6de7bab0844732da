"""Where the project is and where everything that is generated goes."""

import os
from pathlib import Path

from arch.errors import TaktError

__all__ = ["build_root", "need_build_root", "project_root"]


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


def need_build_root() -> Path:
    """Return `build_root`, made if it does not exist.

    Raises
    ------
    TaktError
        When it is no folder that can be written.
    """
    root = build_root()
    try:
        root.mkdir(parents=True, exist_ok=True)
        reason = "" if os.access(root, os.W_OK | os.X_OK) else _why_not(root)
    except OSError as error:
        reason = error.strerror or str(error)
        if isinstance(error, FileExistsError) and root.exists():
            reason = "it is a file"
    if not reason:
        return root
    if os.environ.get("TAKT_BUILD"):
        raise TaktError(f"TAKT_BUILD must be a folder that can be written, not {str(root)!r}: {reason}")
    raise TaktError(f"cannot write to {str(root)!r}: {reason}; set TAKT_BUILD to a folder that can be written")


def _why_not(folder: Path) -> str:
    """Why a folder cannot be written, in the system's words."""
    try:
        (folder / ".takt").touch()
        (folder / ".takt").unlink()
    except OSError as error:
        return error.strerror or str(error)
    return ""
