"""The waveform of `make waves` in GTKWave itself."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from runtime.places import build_root
from verif.repo.files import ROOT

MISSING = [tool for tool in ("gtkwave", "Xvfb", "import") if shutil.which(tool) is None]
INSTALL = "sudo apt-get install -y --no-install-recommends gtkwave xvfb imagemagick fonts-dejavu-core"

pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"{', '.join(MISSING)} not found: {INSTALL}")

LOOK = """
set file [open $env(SEEN).part w]
puts $file [gtkwave::getWindowStartTime]
puts $file [gtkwave::getWindowEndTime]
puts $file [gtkwave::getMarker]
for {set i 0} {$i < [gtkwave::getTotalNumTraces]} {incr i} {
    set flags [gtkwave::getTraceFlagsFromIndex $i]
    puts $file "$flags|[gtkwave::getTraceNameFromIndex $i]|[gtkwave::getTraceValueAtMarkerFromIndex $i]"
}
close $file
file rename $env(SEEN).part $env(SEEN)
"""
BEGIN, CLOSED = 0x800000, 0x400000


@contextmanager
def display() -> Iterator[str]:
    """A screen of its own, by its number."""
    read, write = os.pipe()
    command = ["Xvfb", "-displayfd", str(write), "-screen", "0", "1640x940x24", "-nolisten", "tcp"]
    server = subprocess.Popen(command, pass_fds=[write], stderr=subprocess.DEVNULL)
    try:
        os.close(write)
        with os.fdopen(read) as pipe:
            yield f":{int(pipe.readline())}"
    finally:
        server.terminate()
        server.wait()


def wait_for(path: Path, process: subprocess.Popen[bytes]) -> None:
    """Wait until the viewer has written a file; the test's own limit is how long the viewer may live."""
    while not path.exists():
        assert process.poll() is None, "GTKWave has ended"
        time.sleep(0.2)


def test_the_first_view_shows_the_run(recorded, tmp_path):
    # The folder is elsewhere now, and only the save file is named.
    folder = tmp_path / "moved here"
    shutil.copytree(recorded.wave.parent, folder)
    save = folder / recorded.wave.with_suffix(".gtkw").name
    original = recorded.wave.parent.rename(recorded.wave.parent.with_name("gone"))
    (tmp_path / "look.tcl").write_text(LOOK)
    seen = tmp_path / "seen"
    picture = build_root() / "waves" / "first-view.png"
    picture.parent.mkdir(parents=True, exist_ok=True)
    try:
        with display() as screen:
            environment = {
                **os.environ,
                "DISPLAY": screen,
                "HOME": str(tmp_path),
                "SEEN": str(seen),
                "GDK_BACKEND": "x11",
            }
            command = ["gtkwave", "--script", tmp_path / "look.tcl", save]
            with subprocess.Popen(command, env=environment, cwd=tmp_path, stdout=subprocess.DEVNULL) as viewer:
                try:
                    wait_for(seen, viewer)
                    time.sleep(1)  # the window is drawn after the script has run
                    subprocess.run(["import", "-window", "root", picture], env=environment, check=True)
                finally:
                    viewer.terminate()
    finally:
        original.rename(recorded.wave.parent)
    start, stop, marker, *traces = seen.read_text().splitlines()
    edges = [when for when, _ in recorded.changes("chip.control.run") if when]
    assert int(start) <= edges[0] and edges[1] <= int(stop)
    assert int(marker) == edges[0]
    assert int(stop) - int(start) < 1.3 * (edges[1] - edges[0])
    rows = [(int(flags), name, value) for flags, name, value in (line.split("|") for line in traces)]
    unfolded = [name for flags, name, _ in rows if flags & BEGIN and not flags & CLOSED]
    assert unfolded[:2] == ["run", "program"]
    program = rows[[name for _, name, _ in rows].index("program") + 1 :][: len(recorded.image.queues)]
    values = {value for _, _, value in program}
    assert "READ" in values and values <= {"READ", "NOP"}
    full = next(value for _, name, value in rows if name == "instruction")
    assert full.startswith("READ dir=")
    assert_colourful(picture)


def assert_colourful(picture: Path) -> None:
    """The picture shows the colours of instructions: boxes of READ, WRITE and ABC."""
    import matplotlib.image
    import numpy as np

    pixels = (matplotlib.image.imread(picture)[..., :3] * 255).round().astype(int)
    for name, colour in {"READ": (54, 100, 139), "WRITE": (205, 102, 0), "ABC": (46, 139, 87)}.items():
        assert (np.abs(pixels - colour).max(axis=-1) <= 3).sum() > 200, f"no {name} in {picture.relative_to(ROOT)}"
