import fcntl
import os
import re
import stat
import threading

import pytest

from arch.errors import TaktError
from arch.files import move_whole, write_whole
from verif.toolchain.small_disk import SmallDisk, small_disk

__all__ = ["small_disk"]


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_an_old_file_gives_way_at_once(tmp_path):
    target = tmp_path / "ü x.json"
    write_whole(target, "ü")
    assert target.read_bytes() == "ü".encode()
    target.chmod(0o640)
    with target.open("rb") as reader:
        write_whole(target, b"new")
        assert reader.read() == "ü".encode(), "who reads the old one goes on reading it"
    assert target.read_bytes() == b"new"
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    assert names(tmp_path) == [target.name]


def test_a_new_file_may_be_read_by_whom_the_user_says(tmp_path):
    before = os.umask(0o027)
    try:
        write_whole(tmp_path / "x", b"")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "x").stat().st_mode) == 0o640


def test_links_are_followed(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("folder/file")
    for data in (b"1", b"2"):
        write_whole(tmp_path / "link", data)
        assert (tmp_path / "folder" / "file").read_bytes() == data
    assert (tmp_path / "link").is_symlink()


def test_a_pipe_is_written_to_as_it_is(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    write_whole(pipe, b"through")
    reader.join()
    assert read == [b"through"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


@pytest.mark.parametrize(
    "name,why", [("none/x", "No such file"), ("file/x", "Not a directory"), (".", "Is a directory")]
)
def test_what_cannot_be_written_is_named(name, why, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(TaktError, match=f"^cannot write image {re.escape(repr(str(tmp_path / name)))}: {why}"):
        write_whole(tmp_path / name, b"", "image")


def test_what_a_killed_writer_left_is_removed_and_what_a_live_one_writes_stays(tmp_path):
    dead, alive = tmp_path / ".x[1].part-1", tmp_path / ".x[1].part-2"
    dead.touch()
    with alive.open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        write_whole(tmp_path / "x[1]", b"")
        assert names(tmp_path) == [alive.name, "x[1]"]
    write_whole(tmp_path / "x[1]", b"")
    assert names(tmp_path) == ["x[1]"]


@pytest.mark.parametrize("name", ["x", "x" * 255])
def test_a_full_disk_keeps_what_it_has(name, small_disk: SmallDisk, tmp_path):
    target = small_disk.folder / name
    write_whole(target, b"old")
    with pytest.raises(TaktError, match="No space left on device"):
        write_whole(target, bytes(100_000))
    large = tmp_path / "large"
    large.write_bytes(bytes(100_000))
    with pytest.raises(TaktError, match="No space left on device"):
        move_whole(large, target)
    assert large.stat().st_size == 100_000
    assert names(small_disk.folder) == [name]
    assert target.read_bytes() == b"old"
    small_disk.resize(100)
    move_whole(large, target)
    assert target.read_bytes() == bytes(100_000)
    assert not large.exists()


def test_a_file_moves_within_a_disk(tmp_path):
    (tmp_path / "source").write_bytes(b"1")
    (tmp_path / "target").write_bytes(b"2")
    move_whole(tmp_path / "source", tmp_path / "target")
    assert names(tmp_path) == ["target"]
    assert (tmp_path / "target").read_bytes() == b"1"
