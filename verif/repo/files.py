"""Which files make up the repository."""

import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
"""Folder of ``pyproject.toml``."""

PACKAGES = ("arch", "compiler", "golden", "hdl", "models", "runtime", "synth", "takt", "verif")
"""Folders that are import names."""

_SOURCE = {".md", ".py", ".sh", ".sv", ".toml"}
_GENERATED = {"build", "dist", "__pycache__"}


def source_files(*suffixes: str) -> Iterator[Path]:
    """Yield the source files with one of `suffixes`, or all of them: no generated ones, no environment."""
    wanted = set(suffixes) or _SOURCE
    for path in all_files():
        script = path.name == "Makefile" or path.parent == ROOT / ".ci"
        if path.suffix in wanted or (script and not suffixes):
            yield path


@cache
def all_files() -> tuple[Path, ...]:
    """Return all files but generated ones; an environment alone has tens of thousands, so nothing enters it."""
    found = []
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [
            name
            for name in folders
            if name not in _GENERATED and not name.endswith(".egg-info") and (name[0] != "." or name == ".ci")
        ]
        found += [Path(folder, name) for name in names]
    return tuple(sorted(found))


def name_of(path: Path) -> str:
    """Return a file's path within the repository."""
    return path.relative_to(ROOT).as_posix()
