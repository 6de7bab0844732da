"""A small disk of its own for a test, which can be filled and enlarged."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

__all__ = ["SmallDisk", "small_disk"]

BLOCK = 4096


class SmallDisk:
    """A file system in memory; `folder` is where it is mounted."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def mount(self, *options: str) -> None:
        """Mount it, with one block.

        Raises
        ------
        CalledProcessError
            Where only another user may.
        """
        self._mount("-t", "tmpfs", "-o", ",".join((f"size={BLOCK}", "mode=755", *options)), "tmpfs")

    def resize(self, blocks: int) -> None:
        """Give it so many blocks of 4 KiB."""
        self._mount("-o", f"remount,size={blocks * BLOCK}")

    def read_only(self) -> None:
        """Forbid to write to it."""
        self._mount("-o", "remount,ro")

    def unmount(self) -> None:
        """Let it go, with all that is in it."""
        subprocess.run(["umount", "-l", self.folder], check=False, capture_output=True)

    def _mount(self, *words: str) -> None:
        subprocess.run(["mount", *words, self.folder], check=True, capture_output=True)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[SmallDisk]:
    """A small disk, where the tests may mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    disk = SmallDisk(folder)
    try:
        disk.mount()
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"only root may mount a small file system: {error}")
    yield disk
    disk.unmount()
