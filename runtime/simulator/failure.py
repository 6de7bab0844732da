"""A failed simulation, with the lines of its log that say why."""

import re
from pathlib import Path
from xml.etree import ElementTree

__all__ = ["NoResults", "SimulationFailed", "TestResults", "read_results"]

_ANSI = re.compile(r"\x1b\[[0-9;]*m")
_MARK = re.compile(r"\b(ERROR|CRITICAL)\b|Traceback|%Error| failed$")
_MOST_LINES = 60


class SimulationFailed(AssertionError):
    """A cocotb test failed, or the simulator died before the tests were done."""


class NoResults(SimulationFailed):
    """The simulator ended before cocotb wrote results."""


class TestResults:
    """Outcome of one simulation.

    Attributes
    ----------
    passed, failed
        Names of the cocotb tests.
    folder
        Where the simulation ran; removed after a pass, unless a waveform stays in it.
    wave
        The waveform, if a trace was asked for.
    log
        Everything that the simulation printed.
    """

    __test__ = False  # not a pytest class

    def __init__(self, passed: list[str], failed: list[str], folder: Path, log: str) -> None:
        self.passed = passed
        self.failed = failed
        self.folder = folder
        self.log = log
        self.wave: Path | None = None


def read_results(folder: Path, results_file: Path, log_file: Path) -> TestResults:
    """Read a simulation's result file, raising if anything went wrong.

    Raises
    ------
    SimulationFailed
        With the failed tests and the end of the log.
    """
    log = _ANSI.sub("", log_file.read_text(encoding="utf-8", errors="replace")) if log_file.exists() else ""
    if not results_file.exists():
        raise NoResults(f"the simulation ended without results\n{_relevant(log)}")
    passed: list[str] = []
    failed: list[str] = []
    try:
        cases = list(ElementTree.parse(results_file).iter("testcase"))
    except ElementTree.ParseError:
        raise NoResults(f"the simulation ended amid its results\n{_relevant(log)}") from None
    for case in cases:
        broken = case.find("failure") is not None or case.find("error") is not None
        (failed if broken else passed).append(case.get("name", "?"))
    if failed or not passed:
        what = f"failed: {', '.join(failed)}" if failed else "the module contains no cocotb test"
        raise SimulationFailed(f"{what}\n{_relevant(log)}")
    return TestResults(passed, failed, folder, log)


def _relevant(log: str) -> str:
    """First error of the log and what surrounds it."""
    lines = log.splitlines()
    marks = [i for i, line in enumerate(lines) if _MARK.search(line)]
    start = max(0, marks[0] - 2) if marks else max(0, len(lines) - _MOST_LINES)
    return "\n".join(lines[start : start + _MOST_LINES])
