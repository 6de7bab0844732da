"""Disks that are full at any moment of a build or a run, or cannot be written."""

import errno
import os
from pathlib import Path

import pytest

from arch.errors import TaktError
from runtime.os_errors import os_error_line
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
