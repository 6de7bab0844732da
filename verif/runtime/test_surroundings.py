"""Commands in processes with closed or full streams, other locales, signals, and files that cannot be written."""

import contextlib
import errno
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from arch.presets import preset
from runtime.os_errors import os_error_line
from runtime.surroundings import Stopped, stoppable
from verif.runtime.command_line import takt
from verif.runtime.hand_made import ROWS, relu_image
from verif.toolchain.small_disk import SmallDisk, small_disk

__all__ = ["small_disk"]

SMALL = "gemm -m 2 -k 2 -n 2 --preset nano"


def shell(text: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a shell's line in which TAKT is the command; variables without a value are taken away."""
    changed = {name: value for name, value in {**os.environ, **environment}.items() if value}
    line = text.replace("TAKT", f"'{sys.executable}' -m runtime")
    return subprocess.run(["/bin/sh", "-c", line], env=changed, capture_output=True, text=True, check=False)


def one_line(ended: subprocess.CompletedProcess[str]) -> str:
    (line,) = [line for line in ended.stderr.splitlines() if not line.endswith((" s", "..."))]
    assert line.startswith("takt: error: ")
    return line.removeprefix("takt: error: ")


def test_a_closed_or_full_stdout_is_one_line(tmp_path):
    closed = shell(f"TAKT {SMALL} --out {tmp_path}/c.npy >&-")
    assert closed.returncode == 2
    assert one_line(closed) == "cannot write to stdout: Bad file descriptor; it is closed"
    assert np.load(tmp_path / "c.npy").shape == (2, 2), "what was asked for in a file is there all the same"
    full = shell("TAKT info >/dev/full")
    assert full.returncode == 2
    assert one_line(full) == "cannot write to stdout: No space left on device; free some space"
    help_text = shell("TAKT --help >/dev/full")
    assert (help_text.returncode, len(help_text.stderr.splitlines())) == (2, 1)


def test_a_closed_or_full_stderr_stops_nothing(tmp_path):
    for place, stderr in enumerate(("2>&-", "2>/dev/full", "<&- 2>&-")):
        ended = shell(f"TAKT {SMALL} --json {tmp_path}/{place}.json {stderr}")
        assert (ended.returncode, ended.stderr) == (0, "")
        assert "matches numpy     yes" in ended.stdout
        assert json.loads((tmp_path / f"{place}.json").read_text())["matches_numpy"]


def test_files_of_a_command_do_not_become_its_stdout(tmp_path):
    """Without a stdout the next file that is opened would be one."""
    shell(f"TAKT {SMALL} --save-image {tmp_path}/x.takt --json {tmp_path}/x.json <&- >&- 2>&-")
    assert shell(f"TAKT disasm {tmp_path}/x.takt").returncode == 0
    assert json.loads((tmp_path / "x.json").read_text())["m"] == 2


@pytest.mark.parametrize(
    "work,environment",
    [
        ("digits --count 1 --backend golden", {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}),
        ("gemm -m 2 -k 2 -n 2", {"HOME": "", "PYTHONWARNINGS": "error", "PYTHONOPTIMIZE": "1", "LANG": ""}),
        ("gemm -m 2 -k 2 -n 2", {"HOME": "/nowhere", "PYTHONIOENCODING": "ascii", "PYTHONSAFEPATH": "1"}),
    ],
    ids=("locale", "optimised", "no home"),
)
def test_other_locales_and_homes(work, environment, tmp_path):
    path = os.pathsep.join([str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")])
    drawn = f"TAKT timetable {tmp_path}/ü.takt -o {tmp_path}/ü.svg"
    ended = shell(
        f"TAKT {work} --preset nano --save-image {tmp_path}/ü.takt && {drawn}", PYTHONPATH=path, **environment
    )
    assert ended.returncode == 0, ended.stderr
    assert "Traceback" not in ended.stderr
    assert (tmp_path / "ü.svg").stat().st_size > 1000


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_a_signal_is_one_line(number):
    command = ["env", "--default-signal=TERM,HUP", sys.executable, "-m", "runtime"]
    arguments = "gemm -m 512 -k 512 -n 512 --preset small --set mem_depth=8192"
    with subprocess.Popen([*command, *arguments.split()], stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        while "..." not in process.stderr.readline():
            assert process.poll() is None
        time.sleep(0.2)
        process.send_signal(number)
        process.send_signal(number)  # as `timeout` does
        _, rest = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    words = {signal.SIGTERM: "terminated", signal.SIGHUP: "hung up"}
    assert [line for line in rest.splitlines() if not line.endswith((" s", "..."))] == [f"takt: error: {words[number]}"]


def test_a_hangup_that_the_caller_ignores_is_ignored():
    ended = shell(f"trap '' HUP; TAKT {SMALL} & sleep 0.3; kill -HUP $!; wait $!")
    assert (ended.returncode, "matches numpy     yes" in ended.stdout) == (0, True)


@pytest.mark.parametrize(
    "number,hint",
    [
        (errno.ENOSPC, "free some space, or set TAKT_BUILD to a folder elsewhere"),
        (errno.EDQUOT, "free some space, or ask for a larger quota, or set TAKT_BUILD to a folder elsewhere"),
        (errno.EROFS, "set TAKT_BUILD to a folder elsewhere"),
        (errno.EMFILE, "raise the limit that `ulimit -n` shows"),
        (errno.EIO, "the disk reports a fault"),
        (errno.ESTALE, ""),
    ],
)
def test_an_error_of_the_system_names_the_file_and_what_to_do(number, hint, tmp_path, monkeypatch):
    monkeypatch.setenv("TAKT_BUILD", str(tmp_path))
    name = str(tmp_path / "sim" / "x")
    line = os_error_line(OSError(number, os.strerror(number), name))
    assert line == "; ".join(filter(None, (f"cannot use {name!r}: {os.strerror(number)}", hint)))


def test_a_wave_for_which_there_is_no_room(small_disk: SmallDisk, tmp_path):
    """The figures come first; what the file held before stays; nothing is kept elsewhere."""
    image = relu_image(preset("nano"))
    image.save(tmp_path / "relu.takt")
    np.save(tmp_path / "x.npy", np.ones((ROWS, preset("nano").vector_length), np.int8))
    wave = small_disk.folder / "relu.fst"
    wave.write_text("old")
    arguments = ["--in", f"x={tmp_path}/x.npy", "--backend", "icarus", "--wave", wave, "--out", f"y={tmp_path}/y.npy"]
    result = takt("run", tmp_path / "relu.takt", *arguments)
    assert result.exit_code == 2
    assert result.stdout == f"{image.cycles} cycles, {image.cycles} predicted\n"
    lines = [line for line in result.stderr.splitlines() if not line.endswith((" s", "..."))]
    assert lines == [f"takt: error: cannot write {str(wave)!r}: No space left on device"]
    assert [path.name for path in small_disk.folder.iterdir()] == ["relu.fst"]
    assert wave.read_text() == "old"
    assert (np.load(tmp_path / "y.npy") == 1).all()


class Slow:
    """Something whose end takes a while, and loses exceptions."""

    def __del__(self):
        until = time.monotonic() + 0.3
        while time.monotonic() < until:
            pass


def swallow():
    """Lose whatever stops it."""
    with contextlib.suppress(BaseException):
        time.sleep(60)


def destroy():
    thing = Slow()
    del thing


def tidy_up():
    """Be stopped, and then take a while to tidy up, undisturbed."""
    try:
        time.sleep(60)
    finally:
        time.sleep(0.3)
        TIDIED.append(True)


TIDIED: list[bool] = []


@pytest.mark.parametrize("work", [swallow, destroy, tidy_up])
def test_a_signal_is_not_lost(work):
    """Wherever it hits: in a destructor, in code that catches everything; and it hits once."""
    TIDIED.clear()

    @stoppable()
    def be_stopped():
        threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGTERM)).start()
        work()
        time.sleep(60)

    with pytest.raises(Stopped, match="terminated"):
        be_stopped()
    assert len(TIDIED) == (work is tidy_up)
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)
