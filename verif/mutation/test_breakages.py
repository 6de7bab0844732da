"""Each breakage of the RTL makes the tests fail, in a copy of the project."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from verif.mutation.breakages import BREAKAGES, Breakage

PROJECT = Path(__file__).parents[2]
PACKAGES = ("arch", "compiler", "golden", "hdl", "runtime", "synth", "verif", "pyproject.toml")
FAILED = 1
"""Exit status of pytest when tests ran and some failed."""


@pytest.mark.parametrize("breakage", BREAKAGES, ids=lambda breakage: breakage.name)
def test_the_line_to_break_is_there(breakage: Breakage) -> None:
    """A change of the RTL takes the breakages along, long before somebody runs them."""
    assert (PROJECT / breakage.file).read_text().count(breakage.right) == 1, f"{breakage.right!r} in {breakage.file}"
    paths = [word for word in breakage.tests if word.startswith("verif/")]
    assert paths and all((PROJECT / path.split("::")[0]).exists() for path in paths), paths


@pytest.mark.long
@pytest.mark.parametrize("breakage", BREAKAGES, ids=lambda breakage: breakage.name)
def test_breakage_is_noticed(breakage: Breakage, tmp_path: Path) -> None:
    for name in PACKAGES:
        source = PROJECT / name
        copy = shutil.copytree if source.is_dir() else shutil.copy
        copy(source, tmp_path / name)
    target = tmp_path / breakage.file
    target.write_text(target.read_text().replace(breakage.right, breakage.wrong))
    environment = {**os.environ, "TAKT_SIMULATORS": "icarus", "TAKT_BUILD": str(tmp_path / "build"), "PYTHONPATH": ""}
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *breakage.tests]
    ended = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == FAILED, f"{breakage.name}: {' '.join(breakage.tests)} gave\n{ended.stdout[-3000:]}"
