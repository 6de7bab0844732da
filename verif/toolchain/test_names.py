"""Names in emitted designs: the same in every process, and in the next build."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from arch.config import Config
from arch.presets import preset
from hdl.emit import emit_rtlil
from runtime.rtl_backend import build_chip
from verif.repo.files import ROOT

NANO = preset("nano")
EMIT = """
import sys
from pathlib import Path
from arch.presets import preset
from hdl.chip import Chip
from hdl.emit import emit
emit(Chip(config=preset("nano")), "chip", Path(sys.argv[1]))
"""


def names(rtlil: str) -> list[str]:
    """Public names of wires and cells, in the order of the text."""
    return re.findall(r"^  (?:wire .*|cell \S+ )\\(\S+)$", rtlil, re.MULTILINE)


class Leaf(wiring.Component):
    """Has a signal whose name others have too."""

    go: In(1)
    q: Out(1)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.d.sync += self.q.eq(self.go)
        return m


class Tree(wiring.Component):
    """Three leaves, whose ports need numbers here.

    Parameters
    ----------
    more
        One more signal, which has nothing to do with them.
    """

    go: In(1)
    q: Out(1)

    def __init__(self, *, more: bool) -> None:
        self.more = more
        super().__init__()

    def elaborate(self, platform: object) -> Module:
        m = Module()
        if self.more:
            m.d.sync += Signal(name="another").eq(self.go)
        value = self.go
        for number in range(3):
            m.submodules[f"leaf{number}"] = leaf = Leaf()
            m.d.comb += leaf.go.eq(value)
            value = leaf.q
        m.d.comb += self.q.eq(value)
        return m


def test_an_edit_renames_nothing_else() -> None:
    before = names(emit_rtlil(Tree(more=False), "tree"))
    after = names(emit_rtlil(Tree(more=True), "tree"))
    assert [name for name in after if name != "another"] == before
    assert {"go$1", "go$2", "go$3", "q$1", "q$2", "q$3"} <= set(before)


def test_bytes_are_those_of_every_process(tmp_path: Path) -> None:
    cached = build_chip(NANO, "icarus").emitted
    environment = {**os.environ, "PYTHONHASHSEED": "1", "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", EMIT, tmp_path], env=environment, check=True)
    for file in (*cached.sources, cached.rtlil):
        assert (tmp_path / file.name).read_bytes() == file.read_bytes(), file.name


@pytest.mark.parametrize(
    "config", [NANO, pytest.param(NANO.replace(ecc=True), marks=pytest.mark.long)], ids=["plain", "ecc"]
)
def test_no_instance_has_a_number_that_shifts(config: Config) -> None:
    rtlil = build_chip(config, "icarus").emitted.rtlil.read_text()
    instances = re.findall(r"^  cell \\\S+ \\(\S+)$", rtlil, re.MULTILINE)
    assert len(instances) > 500
    assert [name for name in instances if "$" in name] == []
