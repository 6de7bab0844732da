"""The published machine as RTL."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from arch.geometry import positions
from arch.presets import preset

SCRIPT = """
import resource, sys
from pathlib import Path
from arch.presets import preset
from hdl.chip import Chip
from hdl.emit import emit
emit(Chip(config=preset("groqchip")), "groqchip", Path(sys.argv[1]))
print(max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)))
"""


@pytest.mark.long
def test_elaborates_in_8_gib(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT, str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert int(done.stdout) < 8 << 20, f"{done.stdout.strip()} KiB"
    text = (tmp_path / "groqchip.sv").read_text()
    config = preset("groqchip")
    tiles = re.findall(r"^  \w+ tile_\d+_\d+ \($", text, re.MULTILINE)
    assert len(tiles) == positions(config) * config.superlanes
