"""A process that is ended at any moment of a build or a run leaves nothing behind, and the next one is right."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

FOREVER = 10**9
"""Cycles that no test waits for."""

MOMENTS = {
    "it begins": "locks",
    "the RTL is begun": "run/small-*/entry/*.il",
    "Yosys works": "run/small-*/entry/*.tmp.il",
    "the SystemVerilog is written": "run/small-*/entry/small.sv",
    "the RTL is there": "rtl/small-*/manifest.json",
    "a build begins": "run/small-icarus-*/entry/[!.]*",
    "Icarus Verilog works": "run/small-icarus-*/entry/build.log",
    "the binary is written": "run/small-icarus-*/entry/*/sim.vvp",
    "the simulation begins": "run/wide_bus_tests-icarus-*",
    "the simulator starts": "run/wide_bus_tests-icarus-*/sim.log",
}
"""Moments, and a file that appears then in the build folder."""

SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
WORDS = {signal.SIGTERM: "terminated", signal.SIGHUP: "hung up", signal.SIGINT: "interrupted"}

pytestmark = pytest.mark.parametrize("simulator", ["icarus", pytest.param("verilator", marks=pytest.mark.long)])


def start(simulator: str, build: Path, cycles: int) -> subprocess.Popen[str]:
    # A shell's background job ignores SIGINT, and hands that on.
    unmoved = ["env", "--default-signal=INT,HUP,TERM"]
    command = [*unmoved, sys.executable, "-m", "verif.toolchain.small_run", simulator, str(cycles)]
    environment = {**os.environ, "TAKT_BUILD": str(build)}
    quiet = subprocess.PIPE
    return subprocess.Popen(command, env=environment, stdout=quiet, stderr=quiet, text=True, start_new_session=True)


def wait_for(there: Callable[[], object], process: subprocess.Popen[str]) -> None:
    while not there() and process.poll() is None:
        time.sleep(0.0005)


def processes(build: Path) -> Iterator[str]:
    """Command lines of all processes that work for a build folder."""
    for path in Path("/proc").glob("[0-9]*"):
        try:
            if str(build).encode() in (path / "environ").read_bytes():
                yield (path / "cmdline").read_bytes().decode()
        except OSError:
            continue


def changed(path: Path) -> int | None:
    """Return when a file was last written, in ns; None if it is gone."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return None


def stop(simulator: str, build: Path, pattern: str, number: signal.Signals) -> None:
    """End a process at a moment, and see that nothing of it is left but what only the next one can remove."""
    # On a busy machine a file may come and go unseen: what comes after it is then the moment, or the wait has no end.
    patterns = list(MOMENTS.values())
    patterns = [later.replace("icarus", simulator) for later in patterns[patterns.index(pattern) :]]
    # What an earlier one left is no moment of this one: it may not even have begun.
    left = {path: changed(path) for pattern in patterns for path in build.glob(pattern)}
    with start(simulator, build, FOREVER) as process:
        wait_for(
            lambda: any(changed(path) != left.get(path) for pattern in patterns for path in build.glob(pattern)),
            process,
        )
        process.send_signal(number)
        try:
            _, messages = process.communicate(timeout=60)
        finally:
            process.kill()
    deadline = time.monotonic() + 60
    while list(processes(build)) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert list(processes(build)) == []
    if number != signal.SIGKILL:
        assert process.returncode == 128 + number, messages
        assert messages == f"takt: error: {WORDS[number]}\n"
        assert list(build.glob("run/*")) == []
        assert list(build.glob("kept/*")) == []


def check_next(simulator: str, build: Path) -> None:
    """The next run is right and says nothing, and cleans up after the one that could not."""
    with start(simulator, build, 0) as process:
        output, messages = process.communicate()
    assert (process.returncode, output, messages) == (0, "right\n", "")
    assert list(build.glob("run/*")) == []
    assert sorted(path.name for path in build.iterdir()) == ["locks", "rtl", "run", "sim"]
    assert list(build.rglob(".*")) == []


def test_killed_at_ten_moments(simulator: str, tmp_path: Path) -> None:
    """Each begins with what the one before it left."""
    build = tmp_path / "build"
    for place, pattern in enumerate(MOMENTS.values()):
        stop(simulator, build, pattern, SIGNALS[place % len(SIGNALS)])
    check_next(simulator, build)


@pytest.mark.long
@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_at_each_moment(simulator: str, moment: str, number: signal.Signals, tmp_path: Path) -> None:
    stop(simulator, tmp_path / "build", MOMENTS[moment], number)
    check_next(simulator, tmp_path / "build")
