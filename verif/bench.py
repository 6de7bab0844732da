"""Unit benches in two files, one per side of the simulator.

``test_slice.py`` (pytest: builds, and runs under each simulator)::

    from verif.bench import each_simulator, run_bench

    @each_simulator
    @pytest.mark.parametrize("depth", [16, 17])
    def test_mem_slice(simulator, depth):
        run_bench(MemSlice(depth=depth), "verif.mem.slice_tests", simulator, parameters={"depth": depth})

``slice_tests.py`` (cocotb: runs in the simulator)::

    import cocotb
    from verif.bench import Bench

    @cocotb.test()
    async def reads_what_was_written(dut):
        bench = await Bench.start(dut)                        # clock, reset, every input 0
        data = bench.rng.integers(-128, 128, 16)              # seeded; TAKT_SEED=7 repeats a run
        bench.drive(addr=3, write=1)
        bench.drive_lanes("wdata", data, bits=8)              # lane 0 in the lowest bits
        await bench.tick()                                    # one rising edge takes the inputs
        bench.drive(write=0)
        await bench.ticks(READ_LATENCY)
        bench.check("rdata", bench.lanes("rdata", bits=8, signed=True), data)   # names cycle and lanes

Time: a bench acts on **falling edges**. ``tick()`` goes to the next falling edge, with one rising edge in
between; at that moment registers and everything computed from them have settled in both simulators. What
``drive`` writes is seen by the next rising edge. What ``read`` returns is what registers hold after the last
one, and combinational outputs of the inputs that were driven *before* the last tick (``await bench.settle()``
to see them follow ``drive`` at once). ``bench.cycle`` counts rising edges since reset. Waiting with
``ticks(n)`` runs at full simulation speed.
"""

import json
import os
import random
import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from amaranth.lib import wiring

from runtime.simulator import SIMULATORS, build
from runtime.simulator.failure import TestResults

__all__ = ["Bench", "default_seed", "each_simulator", "pack_lanes", "run_bench", "unpack_lanes"]

each_simulator = pytest.mark.parametrize(
    "simulator", [s for s in SIMULATORS if s in os.environ.get("TAKT_SIMULATORS", ",".join(SIMULATORS)).split(",")]
)
"""Run a test under each simulator, or those that ``TAKT_SIMULATORS`` names."""


def default_seed(name: str) -> int:
    """``TAKT_SEED``, or a number that belongs to ``name`` for ever."""
    override = os.environ.get("TAKT_SEED")
    return int(override) if override else zlib.crc32(name.encode()) & 0x7FFF_FFFF


def run_bench(
    component: wiring.Component | Callable[[], wiring.Component],
    tests_module: str,
    simulator: str,
    *,
    name: str | None = None,
    seed: int | None = None,
    parameters: Mapping[str, object] | None = None,
    testcase: str | Sequence[str] | None = None,
    env: Mapping[str, str] | None = None,
    trace: bool | None = None,
    probes: Sequence[str] = (),
) -> TestResults:
    """Build a component and run a module of cocotb tests on it.

    Parameters
    ----------
    component
        The unit; it becomes the top module.
    tests_module
        Importable name of the cocotb tests.
    simulator
        ``"icarus"`` or ``"verilator"``.
    name
        Name of the top module; that of the tests without ``_tests`` if not given.
    seed
        ``TAKT_SEED``, or a fixed number of the tests' name if not given.
    parameters
        Read by the tests as ``bench.parameters``; anything JSON can carry.
    testcase
        Run only these tests.
    env
        Environment variables for the simulation.
    trace
        Record ``dump.fst``; ``TAKT_TRACE=1`` in the environment if not given.
    probes
        ``"module.signal"`` names inside the design that Verilator keeps visible.

    Returns
    -------
    TestResults
        All passed; ``wave`` is the waveform of a traced run.

    Raises
    ------
    SimulationFailed
        If a test failed.
    """
    stem = tests_module.rpartition(".")[2].removesuffix("_tests")
    if trace is None:
        trace = os.environ.get("TAKT_TRACE", "0") not in ("", "0")
    built = build(component, name or stem, simulator, trace=trace, probes=probes)
    return built.run(
        tests_module,
        seed=default_seed(tests_module) if seed is None else seed,
        testcase=testcase,
        env=env,
        parameters=parameters,
    )


def pack_lanes(values: npt.ArrayLike, bits: int) -> int:
    """Pack one integer per lane into one number, lane 0 lowest; negative values in two's complement."""
    lanes = np.asarray(values, dtype=object).ravel()
    if bits in (8, 16, 32, 64) and all(-(1 << bits - 1) <= lane < 1 << bits for lane in lanes):
        words = np.array([lane & ((1 << bits) - 1) for lane in lanes], dtype=f"<u{bits // 8}")
        return int.from_bytes(words.tobytes(), "little")
    packed = 0
    for lane in reversed(lanes):
        if not -(1 << bits - 1) <= lane < 1 << bits:
            raise ValueError(f"lane must fit {bits} bits, not {lane}")
        packed = packed << bits | int(lane) & (1 << bits) - 1
    return packed


def unpack_lanes(packed: int, count: int, bits: int, *, signed: bool = False) -> npt.NDArray[Any]:
    """Split a number into ``count`` lanes, lane 0 from the lowest bits.

    Returns
    -------
    numpy.ndarray
        ``int64`` (or ``uint64`` for 64 unsigned bits), shape ``(count,)``; Python integers beyond 64 bits.
    """
    if bits in (8, 16, 32, 64):
        kind = f"<{'i' if signed else 'u'}{bits // 8}"
        lanes = np.frombuffer(packed.to_bytes(count * bits // 8, "little"), dtype=kind)
        return lanes if kind == "<u8" else lanes.astype(np.int64)
    mask = (1 << bits) - 1
    values = [packed >> bits * lane & mask for lane in range(count)]
    if signed:
        values = [value - (value >> bits - 1 << bits) for value in values]
    return np.array(values, dtype=np.int64 if bits < 64 else object)


class Bench:
    """Clock, reset, inputs and outputs of the unit under test; made by :meth:`start`.

    Attributes
    ----------
    dut
        cocotb's handle of the top module.
    clock
        cocotb's clock; its period is 1 ns, so that cycle numbers can be read off a waveform.
    cycle
        Rising edges since the end of reset.
    seed
        Seed of this run.
    rng, random
        NumPy's and Python's generators, seeded with it.
    parameters
        What ``run_bench(parameters=...)`` was given.
    """

    def __init__(self, dut: Any) -> None:
        from cocotb.clock import Clock
        from cocotb.triggers import FallingEdge, Timer

        self.dut = dut
        self.clock = Clock(dut.clk, 1, unit="ns")
        self.cycle = 0
        self.seed = int(os.environ.get("TAKT_SEED", "0"))
        self.rng = np.random.default_rng(self.seed)
        self.random = random.Random(self.seed)
        self.parameters: dict[str, Any] = json.loads(os.environ.get("TAKT_PARAMETERS", "{}"))
        self._handles: dict[str, Any] = {}
        self._fall = FallingEdge(dut.clk)
        self._settle = Timer(1, unit="ps")

    @classmethod
    async def start(cls, dut: Any, **inputs: int) -> "Bench":
        """Start the clock and reset the unit for two cycles.

        Parameters
        ----------
        dut
            cocotb's handle of the top module.
        **inputs
            Values during and after reset; 0 for all others.
        """
        from cocotb.triggers import Timer

        bench = cls(dut)
        for name in os.environ["TAKT_INPUTS"].split():
            bench.drive(**{name: inputs.get(name, 0)})
        await Timer(1, unit="ns")
        bench.clock.start(start_high=False)
        await bench.reset()
        return bench

    async def reset(self, cycles: int = 2) -> None:
        """Hold reset for ``cycles`` rising edges, then count from cycle 0."""
        self.dut.rst.value = 1
        await self.ticks(cycles)
        self.dut.rst.value = 0
        self.cycle = 0

    async def tick(self) -> None:
        """Let one rising edge pass; return on the falling edge after it."""
        await self._fall
        self.cycle += 1

    async def ticks(self, count: int) -> None:
        """Let ``count`` rising edges pass, at full simulation speed."""
        from cocotb.triggers import FallingEdge

        if count:
            await self.clock.cycles(count, FallingEdge)
        self.cycle += count

    async def settle(self) -> None:
        """Let combinational outputs follow the inputs without a clock edge (1 ps of the 1 ns cycle)."""
        await self._settle

    def drive(self, **values: int) -> None:
        """Set inputs by flat port name; negative values in two's complement."""
        for name, value in values.items():
            handle = self.handle(name)
            handle.value = int(value) & (1 << len(handle)) - 1

    def drive_lanes(self, name: str, values: npt.ArrayLike, bits: int) -> None:
        """Set a vector input from one integer per lane."""
        self.handle(name).value = pack_lanes(values, bits)

    def read(self, name: str, *, signed: bool = False) -> int:
        """Value of a port, or of a probe by its path (``"tile.count"``).

        Raises
        ------
        ValueError
            If a bit is X or Z.
        """
        handle = self.handle(name)
        try:
            value = int(handle.value)
        except ValueError:
            raise ValueError(f"{name} is {handle.value} in cycle {self.cycle}") from None
        return value - (1 << len(handle)) if signed and value >> len(handle) - 1 else value

    def lanes(self, name: str, bits: int, *, signed: bool = False) -> npt.NDArray[Any]:
        """Value of a vector port, one element per lane; one read however wide it is."""
        return unpack_lanes(self.read(name), len(self.handle(name)) // bits, bits, signed=signed)

    def check(self, what: str, got: Any, expected: Any) -> None:
        """Compare numbers or arrays; the message names cycle, seed and the lanes that differ."""
        if isinstance(got, int | np.integer) and isinstance(expected, int | np.integer):
            assert got == expected, f"{what}: got {got}, expected {expected}, cycle {self.cycle}, seed {self.seed}"
            return
        got_array, expected_array = np.asarray(got), np.asarray(expected)
        assert got_array.shape == expected_array.shape, (
            f"{what}: got shape {got_array.shape}, expected {expected_array.shape}"
        )
        bad = np.argwhere(got_array != expected_array)
        first = "; ".join(
            f"lane {tuple(map(int, at)) if len(at) > 1 else int(at[0])}: got {got_array[tuple(at)]}, "
            f"expected {expected_array[tuple(at)]}"
            for at in bad[:4]
        )
        assert not len(bad), (
            f"{what}: {len(bad)} of {got_array.size} differ in cycle {self.cycle} (seed {self.seed}): {first}"
        )

    def handle(self, name: str) -> Any:
        """cocotb's handle of a port or probe, looked up once."""
        if name not in self._handles:
            handle = self.dut
            for part in name.split("."):
                handle = getattr(handle, part)
            self._handles[name] = handle
        return self._handles[name]
