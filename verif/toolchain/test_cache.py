"""Entries of the cache prove themselves at every use, or are built again."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from runtime.cli import guarded
from runtime.simulator import SimulationFailed
from runtime.simulator.cache import cached_folder
from runtime.simulator.scratch import keep, scratch_folder
from verif.toolchain.small_run import run

CONTENTS = {"binary": b"\x7f" * 5000, "log": b"built\n"}


def fill(folder: Path) -> None:
    for name, data in CONTENTS.items():
        (folder / name).write_bytes(data)


def flip(path: Path) -> None:
    """Change one byte, and hide it from whoever looks at length and time only."""
    before = path.stat()
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def become_an_empty_folder(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.mkdir()


def become_a_file(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.write_bytes(b"")


def become_a_broken_link(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.symlink_to(folder.with_name("nowhere"))


def replace_by_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def replace_by_a_broken_link(path: Path) -> None:
    path.unlink()
    path.symlink_to("nowhere")


DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "cut in half": (lambda entry: os.truncate(entry / "binary", 2500), "binary has 2,500 of 5,000 bytes"),
    "emptied": (lambda entry: os.truncate(entry / "log", 0), "log has 0 of 6 bytes"),
    "one bit": (lambda entry: flip(entry / "binary"), "binary is not what was built"),
    "deleted": (lambda entry: (entry / "binary").unlink(), "binary is missing"),
    "a stray file": (lambda entry: (entry / "core").touch(), "core does not belong to it"),
    "no manifest": (lambda entry: (entry / "manifest.json").unlink(), "manifest.json is missing"),
    "half a manifest": (lambda entry: os.truncate(entry / "manifest.json", 20), "manifest.json is unreadable"),
    "another manifest": (lambda entry: (entry / "manifest.json").write_text("[1]"), "manifest.json is unreadable"),
    "odd manifest": (lambda entry: (entry / "manifest.json").write_text(json.dumps({"log": 1})), ""),
    "emptied folder": (become_an_empty_folder, "manifest.json is missing"),
    "a file is a folder": (lambda entry: replace_by_a_folder(entry / "log"), "log"),
    "a broken link in it": (lambda entry: replace_by_a_broken_link(entry / "log"), ""),
    "a file": (become_a_file, "it is a file"),
    "a broken link": (become_a_broken_link, ""),
}


@pytest.fixture(autouse=True)
def build_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("TAKT_BUILD", str(tmp_path / "build"))
    return tmp_path / "build"


@pytest.mark.parametrize("proved", [True, False], ids=["read before", "first use"])
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_entry_is_built_again(
    damage: str, proved: bool, build_folder: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = cached_folder(build_folder / "sim" / "entry", fill)
    assert cached_folder(entry, lambda scratch: pytest.fail("built again")) == entry
    if not proved:
        monkeypatch.setattr("runtime.simulator.cache._proved", {})
        assert cached_folder(entry, lambda scratch: pytest.fail("built again")) == entry
        monkeypatch.setattr("runtime.simulator.cache._proved", {})
    spoil, why = DAMAGES[damage]
    spoil(entry)
    if damage == "one bit" and proved:
        os.utime(entry / "binary")
    assert cached_folder(entry, fill) == entry
    assert {name: (entry / name).read_bytes() for name in CONTENTS} == CONTENTS
    (line,) = caplog.messages
    assert line.startswith(f"cache entry {entry} is damaged (") and line.endswith("): it is built again")
    assert why in line
    assert cached_folder(entry, lambda scratch: pytest.fail("built again")) == entry
    assert len(caplog.messages) == 1
    assert not list((build_folder / "run").iterdir())


def test_a_command_says_that_an_entry_was_damaged(build_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    entry = cached_folder(build_folder / "sim" / "entry", fill)
    next(entry.iterdir()).unlink()
    assert guarded(lambda: str(cached_folder(entry, fill))) == 0
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"takt: cache entry {entry} is damaged (")


def test_an_entry_of_another_folder_is_as_good(build_folder: Path) -> None:
    """A cache may be copied: times and inodes do not belong to what is proved."""
    entry = cached_folder(build_folder / "sim" / "entry", fill)
    copy = build_folder / "sim" / "copy"
    shutil.copytree(entry, copy, copy_function=shutil.copyfile)
    assert cached_folder(copy, lambda scratch: pytest.fail("built again")) == copy


def test_a_run_after_damage_is_right(build_folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    """As after a full disk that a tool did not notice: half a file of every stage."""
    run("icarus")
    halved = [path for path in build_folder.glob("*/*/*") if path.suffix in (".il", ".sv", ".vvp")]
    for path in halved:
        os.truncate(path, path.stat().st_size // 2)
    run("icarus")
    assert {path.suffix for path in halved} == {".il", ".sv", ".vvp"}
    assert caplog.text.count("is built again") == 2
    assert not list((build_folder / "run").iterdir())


def test_a_binary_that_does_not_start_is_built_again(
    build_folder: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As one whose manifest is right, but which this computer's simulator cannot read."""
    run("icarus")
    (binary,) = build_folder.glob("sim/*/sim.vvp")
    binary.write_text('#! /usr/bin/vvp\n:ivl_version "0.1";\nnonsense\n')
    monkeypatch.setattr("runtime.simulator.cache._damage", lambda folder: "" if folder.exists() else "absent")
    run("icarus")
    assert "is damaged (it does not start): it is built again" in caplog.text
    assert binary.stat().st_size > 1000


def test_a_simulation_that_fails_is_no_damage(build_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run("icarus")
    with pytest.raises(SimulationFailed):
        run("icarus", -1)
    (log,) = build_folder.glob("kept/*/sim.log")
    assert "Traceback" in log.read_text()


@pytest.mark.parametrize("folder", ["locks", "run", "sim"])
def test_a_folder_that_is_missing_is_made(folder: str, build_folder: Path) -> None:
    cached_folder(build_folder / "sim" / "entry", fill)
    shutil.rmtree(build_folder / folder)
    cached_folder(build_folder / "sim" / "other", fill)
    cached_folder(build_folder / "sim" / "entry", fill)


def test_locks_of_the_dead_hold_nobody_up(build_folder: Path) -> None:
    lock = build_folder / "locks" / "entry.lock"
    lock.parent.mkdir(parents=True)
    lock.write_text("12345")
    cached_folder(build_folder / "sim" / "entry", fill)


def test_scratch_folders_of_the_living_stay(build_folder: Path) -> None:
    left = build_folder / "run" / "left-by-a-killed-run"
    left.mkdir(parents=True)
    (left / "file").touch()
    (build_folder / "run" / "stray").touch()
    with scratch_folder("first") as first:
        assert list((build_folder / "run").iterdir()) == [first]
        with scratch_folder("second") as second:
            assert {*(build_folder / "run").iterdir()} == {first, second}
        assert list((build_folder / "run").iterdir()) == [first]


def test_what_is_kept_does_not_grow_for_ever(build_folder: Path) -> None:
    for number in range(25):
        with scratch_folder("failed") as folder:
            (folder / "sim.log").touch()
            os.utime(folder, (number, number))
            last = keep(folder)
    assert last.is_dir()
    assert len(list((build_folder / "kept").iterdir())) == 20
