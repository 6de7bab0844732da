"""The list of the tests that cost most."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from verif.repo.durations import START, STOP, costs, main, purpose, table
from verif.repo.files import ROOT

DOCUMENT = ROOT / "docs" / "tests.md"
ROW = re.compile(r"^\| [\d,]+ \| \d+ \| \[`(\w+)`\]\(\.\./([\w/.]+)\) \| (.*) \|$", re.MULTILINE)

TESTS = """
import subprocess, sys, time
import pytest
pytest_plugins = ["verif.conftest"]
BUSY = "import time\\nwhile time.process_time() < {}: pass"
@pytest.mark.parametrize("seconds", [0.3, 0.4])
def test_children(seconds):
    subprocess.run([sys.executable, "-c", BUSY.format(seconds)], check=True)
def test_idle():
    time.sleep(0.5)
"""


@pytest.fixture
def report(tmp_path: Path) -> Path:
    """Return the report of a run of tests of which one starts busy processes."""
    (tmp_path / "test_some.py").write_text(TESTS)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", "none.ini", "--junitxml=tests.xml"]
    (tmp_path / "none.ini").write_text("[pytest]\n")
    environment = {"PYTHONPATH": str(ROOT), "PATH": ""}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return tmp_path / "tests.xml"


def test_what_a_test_waits_for_counts_and_sleep_does_not(report: Path) -> None:
    first, second = costs(report)
    assert (first.test, first.cases) == ("test_some.py::test_children", 2)
    assert (second.test, second.cases) == ("test_some.py::test_idle", 1)
    assert first.seconds >= 0.7 > second.seconds


def test_a_report_without_costs_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.xml"
    path.write_text('<testsuites><testsuite><testcase classname="a" name="b"/></testsuite></testsuites>')
    with pytest.raises(ValueError, match="must hold cpu_seconds of tests, not none"):
        costs(path)


def test_a_test_of_which_nobody_says_what_it_is_for_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def case(name: str, seconds: float) -> str:
        found = f'<properties><property name="cpu_seconds" value="{seconds}"/></properties>'
        return f'<testcase classname="test_few" name="{name}">{found}</testcase>'

    monkeypatch.setattr("verif.repo.durations.ROOT", tmp_path)
    (tmp_path / "test_few.py").write_text('def test_x(): pass\ndef test_y():\n    """For z."""\n')
    path = tmp_path / "tests.xml"
    cases = case("test_y", 4) + case("test_x[1]", 2) + case("test_x[2]", 1)
    path.write_text(f"<testsuites><testsuite>{cases}</testsuite></testsuites>")
    result = CliRunner().invoke(main, ["--report", str(path)])
    assert result.exit_code == 1
    assert "| 4 | 1 | [`test_y`](../test_few.py) | For z. |\n| 3 | 2 | [`test_x`](../test_few.py) |  |" in result.output
    assert "docstrings must say what every test listed is for, which is not so of test_few.py::test_x" in result.output
    assert CliRunner().invoke(main, ["--report", str(path), "--count", "1"]).exit_code == 0


def test_purpose_is_the_first_paragraph() -> None:
    own = "verif/repo/test_durations.py"
    assert purpose(f"{own}::report").startswith("Return the report of a run of tests of which")
    assert purpose(f"{own}::test_table_escapes_what_would_end_a_cell") == __doc__
    with pytest.raises(LookupError, match="must be a test of this folder"):
        purpose(f"{own}::test_gone")


def test_the_document_says_what_the_docstrings_say() -> None:
    """Costs differ from machine to machine; which tests there are, and what each is for, does not."""
    rows = ROW.findall(DOCUMENT.read_text().partition(START)[2].partition(STOP)[0])
    assert len(rows) == 30
    again = "run: make test; python -m verif.repo.durations --markdown docs/tests.md"
    for name, path, text in rows:
        assert text and text == purpose(f"{path}::{name}"), f"{path}::{name}: {again}"


def test_table_escapes_what_would_end_a_cell(report: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("verif.repo.durations.purpose", lambda test: "a | b")
    assert table(costs(report), 1).endswith("| a \\| b |")
