"""Emission and shared modules."""

import gc
import re
import subprocess
import sys
from pathlib import Path

import pytest
from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.emit import Emitted, emit, emit_rtlil, library_sources
from hdl.identity import identity_of
from hdl.shared import place
from verif.toolchain.designs import Accumulator, Grid, Row, SramBench


def test_shared_modules_are_elaborated_once_and_nest() -> None:
    Accumulator.elaborations = 0
    text = emit_rtlil(Grid(), "grid")
    modules = re.findall(r"^module \\(\S+)", text, re.MULTILINE)
    assert modules.count("Accumulator_width8") == modules.count("Row_width8_count3") == 1
    assert Accumulator.elaborations == 1
    assert text.count("attribute \\top 1") == 1


def test_emission_is_deterministic(tmp_path: Path) -> None:
    """A design that is emitted twice gives the same files, or caches would never hit."""
    for run in "ab":
        emit(Grid(), "grid", tmp_path / run)
    files = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert files == ["emitted.json", "grid.il", "grid.sv", "takt_clock_gate.sv"]
    for name in files:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


@pytest.mark.parametrize("threshold", [0, 700, 2_000_000])
def test_emission_leaves_the_collector_of_garbage_as_it_was(threshold: int) -> None:
    """Also after a design that is refused."""
    before = gc.get_threshold()
    gc.set_threshold(threshold, 7, 9)
    try:
        emit_rtlil(Grid(), "grid")
        assert gc.get_threshold() == (threshold, 7, 9)
        with pytest.raises(NameError, match="top module"):
            emit_rtlil(Grid(), "Row_width8_count3")
        assert gc.get_threshold() == (threshold, 7, 9)
    finally:
        gc.set_threshold(*before)


def test_description_survives(tmp_path: Path) -> None:
    emitted = emit(SramBench(width=8, depth=4, latency=1), "sram_bench", tmp_path)
    assert Emitted.load(tmp_path) == emitted
    assert [path.name for path in emitted.sources] == ["sram_bench.sv", "takt_sram.sv"]
    assert [port.name for port in emitted.ports] == ["clk", "rst", "en", "we", "addr", "wdata", "rdata"]


def test_name_holds_every_parameter() -> None:
    names = {identity_of(Row(width=w, count=c)).name for w in (4, 8) for c in (1, 2)}
    assert len(names) == 4 and "Row_width4_count2" in names


class Forgetful(wiring.Component):
    """Does not keep its parameter."""

    def __init__(self, *, width: int) -> None:
        super().__init__({"a": In(width), "q": Out(width)})

    def elaborate(self, platform: object) -> Module:
        return Module()


class Misnamed(Forgetful):
    """Leaves its parameter out of its name."""

    def shared_name(self) -> str:
        return "misnamed"


class Parent(wiring.Component):
    """Places what its subclass wants."""

    a: In(8)
    q: Out(8)

    def elaborate(self, platform: object) -> Module:
        children = self.children()
        m = Module()
        for i, instance in enumerate(children):
            m.submodules[f"child{i}"] = instance
        return m

    def children(self) -> list:
        return []


def emit_children(*factories: object) -> None:
    parent = Parent()
    parent.children = lambda: [factory() for factory in factories]  # type: ignore[operator]
    emit_rtlil(parent, "parent")


def test_forgotten_parameter_is_refused() -> None:
    with pytest.raises(TypeError, match="must keep its parameter 'width'"):
        emit_children(lambda: place(Forgetful(width=1)))


def test_two_parameterisations_of_one_name_are_refused() -> None:
    with pytest.raises(NameError, match="two different components"):
        emit_children(lambda: place(Misnamed(width=1)), lambda: place(Misnamed(width=2)))


def test_wrong_width_is_refused() -> None:
    with pytest.raises(ValueError, match="port 'a' of Accumulator_width8 must get 8 bits, not 1"):
        emit_children(lambda: place(Accumulator(width=8), a=1))


def test_unknown_port_is_refused() -> None:
    with pytest.raises(TypeError, match="has the ports a, en, q, not b"):
        emit_children(lambda: place(Accumulator(width=8), b=1))


def test_wires_only_are_a_module() -> None:
    emit_children(lambda: place(Misnamed(width=1)))


def test_place_outside_of_an_emission_is_refused() -> None:
    cell = Accumulator(width=8)
    identity_of(cell)
    with pytest.raises(RuntimeError, match="only while hdl.emit"):
        place(cell)


def test_synthesis_reads_the_library(tmp_path: Path) -> None:
    emitted = emit(SramBench(width=8, depth=16, latency=2), "sram_bench", tmp_path)
    commands = [
        *(f"read_verilog -sv {path}" for path in library_sources(emitted.rtlil.read_text())),
        f"read_rtlil {emitted.rtlil}",
        "hierarchy -check -top sram_bench",
        "proc",
        "flatten",
        "opt_clean",
        "memory_collect",
        "select -assert-count 1 t:$mem_v2",
        "select -assert-none t:$dlatch",
    ]
    script = "\n".join(
        ["from pyosys import libyosys", "design = libyosys.Design()"]
        + [f"libyosys.run_pass({command!r}, design)" for command in commands]
    )
    subprocess.run([sys.executable, "-c", script], check=True, capture_output=True)
