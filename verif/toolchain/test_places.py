"""Builds and runs in places with odd names, and where nothing can be written."""

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from arch.errors import TaktError
from runtime.os_errors import os_error_line
from runtime.simulator import MissingTool, SimulationFailed
from runtime.simulator.toolchain import find_tool
from verif.bench import each_simulator
from verif.toolchain.small_run import run

PROJECT = Path(__file__).parents[2]
PACKAGES = ("arch", "compiler", "golden", "hdl", "runtime", "verif")
WITH_PATHS = ("cocotb", "cocotb_tools", "pygpi", "verilator")
"""Packages of others whose places builds and runs get to see."""


def small_run(simulator: str, folder: Path | None, **environment: str) -> None:
    command = [sys.executable, "-m", "verif.toolchain.small_run", simulator, "0"]
    changed = {name: text for name, text in {**os.environ, **environment}.items() if text}
    ended = subprocess.run(command, cwd=folder, env=changed, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "right\n", "")


@each_simulator
def test_a_project_in_a_folder_with_spaces_and_umlauts(simulator: str, tmp_path: Path) -> None:
    """With all that lies in an environment made there."""
    project = tmp_path / "a b" / "ü $(x) 'y'"
    for name in PACKAGES:
        shutil.copytree(PROJECT / name, project / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(PROJECT / "pyproject.toml", project)
    for name in WITH_PATHS:
        spec = find_spec(name)
        assert spec is not None and spec.submodule_search_locations
        shutil.copytree(spec.submodule_search_locations[0], project / "site" / name)
    temporary = project / "temporary files"
    temporary.mkdir()
    paths = os.pathsep.join(map(str, (project, project / "site")))
    small_run(simulator, project, PYTHONPATH=paths, TAKT_BUILD="", TMPDIR=str(temporary), PYTHONDONTWRITEBYTECODE="1")
    assert list((project / "build" / "run").iterdir()) == list(temporary.iterdir()) == []
    assert any((project / "build" / "sim").glob(f"small-{simulator}-*"))


NAMES = ("a b", "ü 日本", "a'b\"c$d#e;f:g,h%i\\j", "-a")


def test_a_build_folder_of_any_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The RTL, which is the same, is copied from one to the next."""
    for name in NAMES:
        folder = tmp_path / name
        if name != NAMES[0]:
            shutil.copytree(tmp_path / NAMES[0] / "rtl", folder / "rtl")
        monkeypatch.setenv("TAKT_BUILD", str(folder))
        run("icarus")
        assert list((folder / "run").iterdir()) == []


@pytest.mark.parametrize(
    "environment",
    [
        {"PYTHONOPTIMIZE": "1"},
        {"PYTHONOPTIMIZE": "2", "PYTHONSAFEPATH": "1", "PYTHONDONTWRITEBYTECODE": "1", "PYTHONWARNINGS": "error"},
        {"HOME": "", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "LANG": "", "TERM": ""},
        {"WAVES": "1", "GUI": "1", "COCOTB_TEST_FILTER": "none", "COCOTB_TOPLEVEL": "x", "TOPLEVEL_LANG": "vhdl"},
        {
            "GPI_USERS": "x",
            "SIM_CMD_PREFIX": "false",
            "LIBPYTHON_LOC": "x",
            "PYGPI_USERS": "x",
            "LC_ALL": "tr_TR.UTF-8",
        },
    ],
    ids=lambda environment: next(iter(environment)),
)
def test_an_environment_that_is_meant_for_others(environment: dict[str, str]) -> None:
    small_run("icarus", None, PYTHONPATH=str(PROJECT), **environment)


@pytest.mark.parametrize(
    "name,why",
    [("file", "it is a file"), ("file/below", "Not a directory"), ("x" * 300, "File name too long")],
)
def test_a_build_folder_that_cannot_be(name: str, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("mine")
    monkeypatch.setenv("TAKT_BUILD", str(tmp_path / name))
    with pytest.raises(TaktError, match=f"^TAKT_BUILD must be a folder that can be written, not '.*{name}': {why}$"):
        run("icarus")
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize("name", ["rtl", "sim", "run", "locks"])
def test_a_file_where_a_folder_must_be(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAKT_BUILD", str(tmp_path))
    (tmp_path / name).write_text("mine")
    with pytest.raises(OSError, match=name) as refused:
        run("icarus")
    assert "TAKT_BUILD" in os_error_line(refused.value)
    assert (tmp_path / name).read_text() == "mine"


TOOL = """#!/bin/sh
case "$*" in *-V*|*--version*|*-dumpversion*|*-fsyntax-only*) exec {real} "$@";; esac
{action}
"""
ACTIONS = {
    "echo 'catastrophic error' >&2; exit 3": "ended with exit status 3; it said:\ncatastrophic error",
    "kill -SEGV $$": "was ended by SIGSEGV",
    "printf '\\377\\376 garbage'; exit 1": "ended with exit status 1; it said:\n\ufffd\ufffd garbage",
    "exit 0": "wrote nothing",
}


@pytest.mark.parametrize("action", ACTIONS)
def test_a_broken_tool_has_its_say(action: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And a build that it spoiled leaves nothing."""
    wrapper = tmp_path / "bin" / "iverilog"
    wrapper.parent.mkdir()
    wrapper.write_text(TOOL.format(real=find_tool("iverilog"), action=action))
    wrapper.chmod(0o755)
    monkeypatch.setenv("TAKT_BUILD", str(tmp_path / "build"))
    monkeypatch.setenv("PATH", f"{wrapper.parent}{os.pathsep}{os.environ['PATH']}")
    with pytest.raises(SimulationFailed) as failure:
        run("icarus")
    assert str(failure.value) == f"icarus could not build small: iverilog {ACTIONS[action]}"
    assert list((tmp_path / "build" / "run").iterdir()) == []
    assert not list(tmp_path.glob("build/sim/*"))
    wrapper.unlink()
    run("icarus")


@pytest.mark.parametrize("action", ["echo 'internal compiler error' >&2; exit 4", "echo killed soon; kill -ABRT $$"])
def test_a_broken_compiler_has_its_say(action: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("g++", "clang++"):
        wrapper = tmp_path / "my tools" / name
        wrapper.parent.mkdir(exist_ok=True)
        wrapper.write_text(TOOL.format(real=find_tool("g++"), action=action))
        wrapper.chmod(0o755)
    monkeypatch.setenv("TAKT_BUILD", str(tmp_path / "build"))
    monkeypatch.setenv("PATH", f"{wrapper.parent}{os.pathsep}{os.environ['PATH']}")
    with pytest.raises(
        SimulationFailed, match=r"^verilator could not build takt_trivial: make ended with exit st"
    ) as no:
        run("verilator")
    assert ("internal compiler error" if "internal" in action else "killed soon") in str(no.value)
    assert list((tmp_path / "build" / "run").iterdir()) == []


def test_a_tool_that_vanished(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingTool, match="iverilog was not found"):
        run("icarus")
