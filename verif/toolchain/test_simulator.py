"""Build, cache and run, under each simulator."""

from pathlib import Path

import pytest

from runtime.simulator import Built, MissingTool, SimulationFailed, build
from runtime.simulator import build as build_function
from runtime.simulator.cache import cached_folder
from runtime.simulator.control_file import control_file
from runtime.simulator.toolchain import find_tool
from verif.bench import default_seed, each_simulator, pack_lanes, run_bench, unpack_lanes
from verif.toolchain.designs import Accumulator, Grid, SramBench, WideBus


@each_simulator
def test_shared_modules_and_gated_clock(simulator: str) -> None:
    run_bench(Grid(), "verif.toolchain.grid_tests", simulator)


@each_simulator
@pytest.mark.parametrize("latency", [1, 2])
@pytest.mark.parametrize("width,depth", [(128, 16), (7, 13)])
def test_sram(simulator: str, width: int, depth: int, latency: int) -> None:
    """Both SRAM models keep what was written, at both latencies and odd sizes."""
    parameters = {"width": width, "depth": depth, "latency": latency}
    run_bench(SramBench(**parameters), "verif.toolchain.sram_tests", simulator, parameters=parameters)


@each_simulator
@pytest.mark.parametrize("lanes", [1, 320])
def test_wide_port(simulator: str, lanes: int) -> None:
    run_bench(WideBus(lanes=lanes), "verif.toolchain.wide_bus_tests", simulator, parameters={"lanes": lanes})


@each_simulator
def test_probe(simulator: str) -> None:
    run_bench(Grid(), "verif.toolchain.probe_tests", simulator, probes=["Accumulator_width8.q"])


@each_simulator
def test_failure_says_why(simulator: str) -> None:
    with pytest.raises(SimulationFailed, match=r"lane 2: got 4, expected 9") as failure:
        run_bench(WideBus(lanes=4), "verif.toolchain.failing_tests", simulator, seed=7)
    assert "TAKT_SEED=7" in str(failure.value)


@each_simulator
def test_missing_module_fails(simulator: str) -> None:
    with pytest.raises(SimulationFailed, match="no_such_tests"):
        run_bench(WideBus(lanes=4), "verif.toolchain.no_such_tests", simulator)


@pytest.mark.parametrize("simulator", ["icarus", pytest.param("verilator", marks=pytest.mark.long)])
def test_trace(simulator: str) -> None:
    """Verilator's needs the headers of lz4 and zlib, which `make test` does not ask for."""
    results = run_bench(
        WideBus(lanes=4), "verif.toolchain.wide_bus_tests", simulator, parameters={"lanes": 4}, trace=True
    )
    assert results.wave is not None and results.wave.stat().st_size > 100


def test_second_build_does_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TAKT_BUILD", str(tmp_path))
    first = build(Accumulator(width=5), "accumulator", "icarus")
    elaborations = Accumulator.elaborations

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("compiled again")

    monkeypatch.setattr("runtime.simulator.built.compile_rtl", refuse)
    second = build_function(lambda: Accumulator(width=5), "accumulator", "icarus")
    assert isinstance(second, Built) and second.folder == first.folder
    assert Accumulator.elaborations == elaborations
    assert build(second.emitted, "accumulator", "icarus").folder == first.folder
    with pytest.raises(AssertionError, match="compiled again"):
        build(Accumulator(width=6), "accumulator", "icarus")


def test_a_broken_build_leaves_no_entry(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TAKT_BUILD", str(tmp_path))

    def fail(scratch: Path) -> None:
        (scratch / "half").touch()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cached_folder(tmp_path / "sim" / "entry", fail)
    assert not list((tmp_path / "sim").iterdir())
    assert cached_folder(tmp_path / "sim" / "entry", lambda scratch: (scratch / "whole").touch()).is_dir()


def test_probe_needs_a_module(tmp_path: Path) -> None:
    emitted = build(Accumulator(width=5), "accumulator", "icarus").emitted
    assert 'public_flat_rd -module "Cell*" -var "q"' in control_file(emitted, ["Cell*.q"])
    with pytest.raises(ValueError, match="not 'count'"):
        control_file(emitted, ["count"])


def test_unknown_simulator() -> None:
    with pytest.raises(ValueError, match="not 'vcs'"):
        build(lambda: Accumulator(width=5), "accumulator", "vcs")


def test_missing_tool_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(MissingTool, match="apt install iverilog"):
        find_tool("iverilog")


def test_seed_belongs_to_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TAKT_SEED", raising=False)
    assert default_seed("a") == default_seed("a") != default_seed("b")
    monkeypatch.setenv("TAKT_SEED", "7")
    assert default_seed("a") == 7


@pytest.mark.parametrize(("bits", "signed"), [(8, True), (16, False), (32, True), (5, True), (90, False)])
def test_lanes_survive_packing(bits: int, signed: bool) -> None:
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    lanes = [low, 0, 1, high, high - 1]
    packed = pack_lanes(lanes, bits)
    assert packed & (1 << bits) - 1 == low & (1 << bits) - 1
    assert unpack_lanes(packed, 5, bits, signed=signed).tolist() == lanes
