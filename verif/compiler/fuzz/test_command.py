"""The command: what it prints, and when it fails."""

from typing import Any

import pytest
from click.testing import CliRunner

from verif.compiler.fuzz import campaign
from verif.compiler.fuzz.__main__ import main
from verif.compiler.fuzz.graph import Graph
from verif.compiler.fuzz.judge import Outcome, Verdict, judge

SMALL = ["--set", "mem_depth=2048", "--ops", "2..3", "--largest", "9"]


def run(*words):
    return CliRunner().invoke(main, [*SMALL, *words])


def test_right_ones():
    found = run("--seeds", "0..2")
    assert found.exit_code == 0 and "3 graphs: 3 right, 0 refused, 0 wrong, 0 crashed" in found.output
    assert run("--seeds", "0..2", "--jobs", "2").output.splitlines()[0] == found.output.splitlines()[0]


@pytest.mark.parametrize("outcome,code", [("wrong", 1), ("crashed", 1), ("refused", 0)])
def test_others(outcome, code, monkeypatch):
    """Refusals are counted by reason and do not fail; the rest does, and says which seeds."""
    monkeypatch.setattr(
        campaign, "judge", lambda graph: Verdict(Outcome(outcome), f"v{len(graph.steps)} exceeds it by 7")
    )
    found = run("--seeds", "5..7")
    assert found.exit_code == code
    assert f"3 {outcome}" in found.output
    if outcome == "refused":
        assert "3 refused, first seed 5: T exceeds it by #" in found.output
    else:
        assert "failing seeds: 5, 6, 7" in found.output and "exceeds it by 7" in found.output


def test_programs_and_graphs_of_files(tmp_path):
    shown = run("--seeds", "1", "--print").output
    scope: dict[str, Any] = {}
    exec(shown.partition("image = ")[0], scope)
    assert (
        scope["program"].compile().cycles
        == judge(campaign.Campaign("nano", ("mem_depth=2048",), (2, 3), 9).graph(1)).cycles
    )
    file = tmp_path / "graphs"
    steps = campaign.Campaign("nano", ("mem_depth=2048",), (2, 3), 9).graph(1).to_json()
    file.write_text(f"of a report\n# {steps}\n")
    assert "1 graphs: 1 right" in run("--graph", str(file)).output
    assert Graph.from_json(steps).operations() >= 2


@pytest.mark.parametrize(
    "words,reason",
    [
        (["--seeds", "5..2"], "span must go up from 0 or more, not be '5..2'"),
        (["--seeds", "x"], "span must be FIRST..LAST, not 'x'"),
        (["--preset", "other"], "preset must be one of nano"),
        (["--set", "lanes=x"], "lanes must be of type int"),
    ],
)
def test_misuse(words, reason):
    found = run(*words)
    assert found.exit_code == 2 and reason in found.output


@pytest.mark.parametrize(
    "line",
    [
        '{"machine": "small"',
        '{"machine": "small", "set": [], "runs": 1}',
        '{"machine": "other", "set": [], "runs": 1, "steps": []}',
        '{"machine": "small", "set": [], "runs": 1, "steps": [["nothing", [], {}]]}',
        '{"machine": "small", "set": [], "runs": 1, "steps": []}',
    ],
)
def test_lines_that_are_no_graphs(line, tmp_path):
    file = tmp_path / "graphs"
    file.write_text(line)
    found = run("--graph", str(file))
    assert found.exit_code == 2 and "graph 0 of" in found.output
