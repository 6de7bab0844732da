"""The waveform that `make waves` records."""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pywellen

from arch.image import Image
from verif.repo.files import ROOT
from verif.runtime.command_line import takt

__all__ = ["Recorded"]


@dataclass(frozen=True)
class Recorded:
    """A waveform, the program it shows, and its signals by their names without ranges."""

    wave: Path
    image: Image
    signals: dict[str, Any]

    def changes(self, name: str) -> list[tuple[int, int]]:
        """(time in ps, value) whenever a signal changes."""
        signal = self.signals[name].signal
        return [signal[number] for number in range(len(signal))]


@pytest.fixture(scope="session", params=["icarus", pytest.param("verilator", marks=pytest.mark.long)])
def recorded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    """What the command of `make waves` records, in a simulator."""
    command = re.search(r"^\t@\$\(BIN\)/takt (.*) --wave (\S+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert command is not None
    folder = tmp_path_factory.mktemp(request.param) / "waves"
    folder.mkdir()
    wave, image = folder / Path(command[2]).name, folder / "image.takt"
    words = shlex.split(command[1])
    words[words.index("--backend") + 1] = request.param
    result = takt(*words, "--wave", wave, "--save-image", image)
    assert result.exit_code == 0, result.stderr
    waveform = pywellen.Waveform(str(wave))
    assert (waveform.timescale.factor, str(waveform.timescale.unit)) == (1, "ps")
    return Recorded(wave, Image.load(image), {var.full_name: var for var in waveform.all_vars()})
