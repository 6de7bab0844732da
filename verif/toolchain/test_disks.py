"""Disks that are full at any moment of a build or a run, or cannot be written."""

import errno
import os
from pathlib import Path

import pytest

from arch.errors import TaktError
from runtime.os_errors import os_error_line
from runtime.simulator import SimulationFailed
from runtime.simulator.process import run_tool
from runtime.simulator.toolchain import find_tool
from verif.toolchain.small_disk import SmallDisk, small_disk
from verif.toolchain.small_run import run

__all__ = ["small_disk"]

MOMENTS = 10


def used_blocks(folder: Path) -> int:
    state = os.statvfs(folder)
    return state.f_blocks - state.f_bfree


def entries(folder: Path) -> list[Path]:
    return sorted(path for kind in ("rtl", "sim") for path in folder.glob(f"{kind}/*"))


@pytest.mark.parametrize("simulator", ["icarus", pytest.param("verilator", marks=pytest.mark.long)])
def test_a_disk_that_is_full_at_ten_moments(
    simulator: str, small_disk: SmallDisk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It grows a little each time, so that each build gets further; what is kept is what a roomy disk holds."""
    monkeypatch.setenv("TAKT_BUILD", str(tmp_path / "roomy"))
    run(simulator)
    whole = {path.name: sorted(file.name for file in path.iterdir()) for path in entries(tmp_path / "roomy")}
    size = sum(-(-file.stat().st_size // 4096) for path in entries(tmp_path / "roomy") for file in path.iterdir())

    monkeypatch.setenv("TAKT_BUILD", str(small_disk.folder))
    failures = 0
    for moment in range(1, 50):
        small_disk.resize(max(1, moment * size // MOMENTS))
        try:
            run(simulator)
            break
        except (OSError, TaktError) as error:
            failures += 1
            line = os_error_line(error) if isinstance(error, OSError) else str(error)
            assert os.strerror(errno.ENOSPC) in line and "\n" not in line
            assert str(small_disk.folder) in line and "TAKT_BUILD" in line
        assert list(small_disk.folder.glob("run/*")) == []
        assert list(small_disk.folder.glob("kept/*")) == []
        for path in entries(small_disk.folder):
            assert sorted(file.name for file in path.iterdir()) == whole[path.name]
    assert failures >= MOMENTS - 2, "moments at which the disk was full"
    assert [path.name for path in entries(small_disk.folder)] == sorted(whole)


def test_a_disk_that_cannot_be_written(small_disk: SmallDisk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAKT_BUILD", str(small_disk.folder / "build"))
    small_disk.read_only()
    with pytest.raises(TaktError, match=r"^TAKT_BUILD must be a folder that can be written, .*: Read-only"):
        run("icarus")


CROWDED = """#!/bin/sh
case "$*" in *-V*) exec {real} "$@";; esac
head -c 10000000 /dev/zero >ballast 2>&-
{real} "$@"
rm ballast
"""


def test_a_disk_that_is_full_for_a_moment(
    small_disk: SmallDisk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Icarus Verilog ends with 0 all the same, and there is room again for whatever comes next."""
    wrapper = tmp_path / "iverilog"
    wrapper.write_text(CROWDED.format(real=find_tool("iverilog")))
    wrapper.chmod(0o755)
    monkeypatch.setenv("TAKT_BUILD", str(small_disk.folder))
    small_disk.resize(200)
    with monkeypatch.context() as crowded:
        crowded.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
        with pytest.raises(SimulationFailed, match="iverilog wrote nothing"):
            run("icarus")
    assert not list(small_disk.folder.glob("sim/*"))
    assert list(small_disk.folder.glob("run/*")) == []
    run("icarus")


@pytest.mark.parametrize("size", [5000, 1_000_000])
def test_what_a_tool_fails_to_notice_of_a_full_disk(size: int, small_disk: SmallDisk) -> None:
    result = small_disk.folder / "result"
    careless = ["/bin/sh", "-c", f'head -c {size} /dev/zero >"$2" 2>&-; exit 0', "sh", "-o", "result"]
    with pytest.raises(OSError, match="No space left on device: .*result"):
        run_tool(careless, small_disk.folder, os.environ, None, result)
    small_disk.resize(1000)
    run_tool(careless, small_disk.folder, os.environ, None, result)
    assert result.stat().st_size == size
