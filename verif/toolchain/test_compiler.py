"""Which C++ compiler is chosen, with programs on the path that only say they are one."""

import os
import shutil
from pathlib import Path

import pytest

from arch.errors import TaktError
from runtime.simulator.cache import content_key
from runtime.simulator.compiler import OLDEST_CLANG, CxxCompiler, find_compiler
from runtime.simulator.runner import VerilatorRunner
from runtime.simulator.toolchain import MissingTool, build_environment, cxx_compiler, simulator_text, tool_versions
from verif.runtime.command_line import takt


@pytest.fixture
def path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The only folder on the path."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("TAKT_CXX", raising=False)
    return tmp_path


def fake(folder: Path, name: str, version: str, *, refuses: str = "") -> Path:
    """Put a compiler on the path: its version, and what it says to every source, if it refuses them."""
    maker = "clang version" if name.startswith("clang") else f"{name} (Somewhere)"
    program = folder / name
    compiles = f"echo '{refuses}' >&2; exit 3" if refuses else "exit 0"
    program.write_text(f"""#!/bin/sh
case "$1" in
    --version) echo '{maker} {version}';;
    -dumpversion) echo '{version}';;
    *) {compiles};;
esac
""")
    program.chmod(0o755)
    return program


def found() -> CxxCompiler:
    compiler = find_compiler()
    assert compiler is not None
    return compiler


def test_gxx_without_clang(path: Path) -> None:
    gxx = fake(path, "g++", "12.2.0")
    assert (found().path, found().text, found().is_clang) == (str(gxx), "g++ 12", False)


@pytest.mark.parametrize("newest", [19, 20, 101])
def test_the_newest_clang_is_chosen(path: Path, newest: int) -> None:
    fake(path, "g++", "14.1.0")
    for major in {OLDEST_CLANG, newest, 14}:
        fake(path, f"clang++-{major}", f"{major}.1.7")
    assert found().path == str(path / f"clang++-{newest}")
    assert simulator_text("verilator") == f"verilator with clang {newest}"
    assert simulator_text("icarus") == "icarus"


@pytest.mark.parametrize("name", ["clang++-14", "clang++-18", "clang++"])
def test_an_older_clang_is_not(path: Path, name: str) -> None:
    fake(path, "g++", "12.2.0")
    fake(path, name, "18.1.8" if name == "clang++" else f"{name[-2:]}.0.6")
    assert found().text == "g++ 12"


def test_clang_without_a_number(path: Path) -> None:
    """As other systems than Debian call it; its own release counts."""
    fake(path, "g++", "12.2.0")
    plain = fake(path, "clang++", "21.1.0")
    assert found().path == str(plain) and found().flags == "-O3 -march=native"


def test_a_broken_clang_falls_back_and_says_so(path: Path) -> None:
    fake(path, "g++", "12.2.0")
    fake(path, "clang++-20", "20.1.0", refuses="fatal error: cstdint file not found")
    assert found().text == "g++ 12 (clang++-20 is not used: fatal error: cstdint file not found)"
    next_best = fake(path, "clang++-19", "19.1.0")
    find_compiler.__globals__["_find"].cache_clear()
    assert found().path == str(next_best)


def test_a_clang_that_does_not_start(path: Path) -> None:
    fake(path, "g++", "12.2.0")
    (path / "clang++-19").write_text("#!/no/such/interpreter\n")
    (path / "clang++-19").chmod(0o755)
    assert found().text.startswith("g++ 12 (clang++-19 is not used: ")


def test_no_compiler(path: Path) -> None:
    assert find_compiler() is None
    with pytest.raises(MissingTool, match="apt install g"):
        cxx_compiler()


def test_a_broken_gxx_gives_its_message(path: Path) -> None:
    fake(path, "g++", "12.2.0", refuses="g++: error: cannot execute cc1plus")
    with pytest.raises(TaktError, match=r"g\+\+ must be able to compile: .* cannot execute cc1plus"):
        find_compiler()


def test_the_user_chooses(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gxx = fake(path, "g++", "12.2.0")
    fake(path, "clang++-19", "19.1.7")
    monkeypatch.setenv("TAKT_CXX", str(gxx))
    assert found().path == str(gxx)
    older = fake(path, "clang++-14", "14.0.6")
    monkeypatch.setenv("TAKT_CXX", "clang++-14")
    assert found().path == str(older)


@pytest.mark.parametrize("wrong", ["no-such-compiler", "echo", "true", "/etc/passwd", "/"])
def test_a_wrong_choice_is_one_line(monkeypatch: pytest.MonkeyPatch, wrong: str) -> None:
    monkeypatch.setenv("TAKT_CXX", wrong)
    result = takt("gemm", "-m", 1, "-k", 1, "-n", 1, "--preset", "nano", "--backend", "verilator")
    assert result.exit_code == 2
    (line,) = [line for line in result.stderr.splitlines() if "error: " in line]
    assert line.startswith(f"takt: error: TAKT_CXX must be a C++ compiler, such as g++ or clang++-19, not {wrong!r}: ")


def test_every_compiler_has_keys_of_its_own(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def key() -> str:
        return content_key(*(f"{name} {version}" for name, version in sorted(tool_versions("verilator").items())))

    make = shutil.which("make", path="/usr/bin:/bin:/usr/local/bin")
    assert make is not None
    (path / "make").symlink_to(make)
    fake(path, "g++", "12.2.0")
    keys = [key()]
    for name, version in (("g++-12", "12.3.0"), ("g++-9", "9.4.0"), ("clang++-19", "19.1.7")):
        fake(path, name, version)
        monkeypatch.setenv("TAKT_CXX", name)
        keys.append(key())
    assert len(set(keys)) == 4
    monkeypatch.setattr("runtime.simulator.compiler._CLANG_FLAGS", "-O2")
    assert key() not in keys


@pytest.mark.parametrize("name,header", [("g++-12", ["-include", ""]), ("clang++-19", ["-include-pch", ".gch"])])
def test_makefiles_get_it(path: Path, monkeypatch: pytest.MonkeyPatch, name: str, header: list[str]) -> None:
    """The compiler compiles and links, and reads precompiled headers in its own way."""
    (path / "make").symlink_to(shutil.which("make", path="/usr/bin:/bin:/usr/local/bin") or "")
    compiler = fake(path, name, "19.1.7")
    monkeypatch.setenv("TAKT_CXX", name)
    runner = VerilatorRunner()
    for field, value in {"_sources": [], "_verilog_sources": [], "_build_args": [], "build_dir": path}.items():
        setattr(runner, field, value)
    runner.hdl_toplevel, runner.waves, runner.timescale = "top", False, None
    runner.defines, runner.includes, runner.parameters = {}, [], {}
    words = runner._build_command()[-1]
    pch, suffix = header
    assert {f"CXX={compiler}", f"LINK={compiler}", f"OPT_FAST={found().flags}"} <= set(words)
    assert {f"CFG_CXXFLAGS_PCH_I={pch}", f"CFG_GCH_IF_CLANG={suffix}"} <= set(words)


@pytest.mark.parametrize("major,bounded", [(9, False), (10, True), (14, True)])
def test_an_old_gxx_gets_no_option_that_it_does_not_know(path: Path, major: int, bounded: bool) -> None:
    fake(path, "g++", f"{major}.1.0")
    assert ("--param" in found().flags) is bounded


def test_tunables_of_the_user_survive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GLIBC_TUNABLES", "glibc.malloc.check=1")
    assert build_environment("verilator")["GLIBC_TUNABLES"] == "glibc.malloc.check=1:glibc.malloc.hugetlb=1"
    assert str(os.environ["PATH"]) in build_environment("verilator")["PATH"]
