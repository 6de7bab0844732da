"""Which files make up the repository."""

from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
"""Folder of ``pyproject.toml``."""

PACKAGES = ("arch", "compiler", "golden", "hdl", "runtime", "synth", "verif")
"""Folders that are import names."""

_SOURCE = {".md", ".py", ".sh", ".sv", ".toml"}
_GENERATED = {"build", "dist", "__pycache__"}


def source_files(*suffixes: str) -> Iterator[Path]:
    """Yield the source files with one of `suffixes`, or all of them: no generated ones, no environment."""
    wanted = set(suffixes) or _SOURCE
    for path in sorted(ROOT.rglob("*")):
        folders = path.relative_to(ROOT).parts[:-1]
        if any(part in _GENERATED or part.endswith(".egg-info") for part in folders):
            continue
        if folders and folders[0].startswith(".") and folders[0] != ".ci":
            continue
        script = path.name == "Makefile" or folders[:1] == (".ci",)
        if path.is_file() and (path.suffix in wanted or (script and not suffixes)):
            yield path


def name_of(path: Path) -> str:
    """Return a file's path within the repository."""
    return path.relative_to(ROOT).as_posix()
