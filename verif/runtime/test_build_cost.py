"""Stages of a build, measured."""

import os
from pathlib import Path

import pytest

from runtime.build_cost import build_cost
from verif.toolchain.designs import Accumulator


def test_stages_of_icarus(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Every stage runs, whatever is in the cache, and leaves nothing there."""
    monkeypatch.setenv("TAKT_BUILD", str(tmp_path))
    cost = build_cost(Accumulator(width=5), "accumulator", "icarus")
    assert list(cost) == ["elaboration and RTLIL", "Yosys", "icarus"]
    assert all(seconds > 0 for seconds in cost.values())
    assert os.environ["TAKT_BUILD"] == str(tmp_path) and not list(tmp_path.iterdir())


@pytest.mark.long
def test_stages_of_verilator() -> None:
    cost = build_cost(Accumulator(width=5), "accumulator", "verilator")
    assert list(cost) == ["elaboration and RTLIL", "Yosys", "Verilator's library", "Verilator", "C++"]
    assert min(cost.values()) > 0 and cost["Verilator's library"] > cost["Verilator"]
