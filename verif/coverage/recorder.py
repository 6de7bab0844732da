"""Which test makes the RTL execute which instruction: the tests, run with the golden machine in place of simulators.

A bench gives its words to the golden machine and to the RTL; so whatever the golden machine executes for it, in a run
without a fault, the RTL executes too when the test is run in earnest, and the results are compared.
"""

import importlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import CodeType, FunctionType
from typing import Any

import numpy as np
import pytest

from arch.config import Config
from arch.faults import FaultError
from arch.geometry import UnitKind, units
from arch.image import Image
from arch.isa.encoding import illegality
from arch.isa.instruction import WORD_BITS
from golden.machine.icu import InstructionControl
from golden.machine.machine import Machine
from golden.machine.queue import Queue
from golden.machine.word import Word
from runtime import rtl_backend
from runtime.run import RunResult, Tensors
from verif import bench
from verif.bench import Bench, default_seed
from verif.coverage.dry_bench import DryBench, run_dry
from verif.coverage.forms import Form, forms_of
from verif.position_bench import PositionBench

__all__ = ["Recorder", "tests_of"]

_SIMULATION = {"run_bench", "run_jobs_on_rtl", "run_on_rtl"}

_BY_CHANCE = (
    "verif/chip/test_control.py::test_random_programs",
    "verif/chip/test_faults.py",
    "verif/chip/test_programs.py",
    "verif/vxm/test_column.py",
)
"""Tests of programs that hold whatever a seed gives: slow to make, and no evidence that lasts."""


class Recorder:
    """A plugin of pytest that runs tests of the RTL without any RTL.

    Attributes
    ----------
    forms : dict of str to set of Form
        What each test executes, by its name without parameters.
    golden : dict of Form to set of str
        Files of the golden machine that execute each.
    """

    def __init__(self) -> None:
        self.forms: dict[str, set[Form]] = {}
        self.golden: dict[Form, set[str]] = {}
        self._test = ""
        self._recording = False
        self._run: set[tuple[Form, str]] = set()
        self._patch = pytest.MonkeyPatch()

    def record_image(self, name: str, image: Image) -> None:
        """Note what an image executes on the golden machine with inputs of zeros, as of a test `name`.

        Raises
        ------
        FaultError
            For an image that breaks a rule; nothing of it is noted.
        """
        self._watch_golden()
        self._test = name
        zeros = {tensor.name: np.zeros(tensor.shape, tensor.dtype) for tensor in image.inputs}
        try:
            with self._recorded():
                Machine(image.config).run_image(image, zeros)
        finally:
            self._patch.undo()

    # Of pytest

    def pytest_sessionstart(self) -> None:
        """Put the golden machine in place of simulators, before tests are imported."""
        self._patch.setattr(bench, "run_bench", self._run_bench)
        self._patch.setattr(rtl_backend, "run_jobs_on_rtl", self._run_jobs)
        self._watch_golden()

    def pytest_sessionfinish(self) -> None:
        """Undo it."""
        self._patch.undo()

    def pytest_collection_modifyitems(self, items: list[pytest.Function]) -> None:
        """Keep the tests that would simulate something, in one simulator if there is a choice."""
        kept = [item for item in items if _simulates(item.function) and not item.nodeid.startswith(_BY_CHANCE)]
        in_icarus = {_name_of(item) for item in kept if _simulator(item) == "icarus"}
        items[:] = [item for item in kept if _simulator(item) != "verilator" or _name_of(item) not in in_icarus]

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Iterator[None]:
        """Note which test runs."""
        self._test = _name_of(item)
        return (yield)

    # In place of simulators

    def _run_jobs(
        self, jobs: Sequence[tuple[Image, Sequence[Tensors]]], simulator: str, *, trace: object = None
    ) -> list[list[RunResult]]:
        # One machine for all jobs, as there is one simulation.
        machine = Machine(jobs[0][0].config)
        with self._recorded():
            return [[_run_job(machine, image, tensors) for tensors in inputs] for image, inputs in jobs]

    def _run_bench(
        self,
        component: object,
        tests_module: str,
        simulator: str,
        *,
        seed: int | None = None,
        parameters: Mapping[str, Any] | None = None,
        **options: object,
    ) -> None:
        module = importlib.import_module(tests_module)
        if not hasattr(module, "encode"):
            return  # a bench of something that sees no instruction words
        found = default_seed(tests_module) if seed is None else seed
        given = parameters or {}
        config = Config.from_dict(given["config"]) if "config" in given else getattr(module, "CONFIG", None)

        async def start(dut: object, **inputs: int) -> DryBench:
            return DryBench(found, given, lambda op: self._note_op(config, op))

        with self._recorded(), pytest.MonkeyPatch.context() as patch:
            patch.setattr(Bench, "start", staticmethod(start))
            patch.setattr(PositionBench, "_run_unit", _nothing)
            if hasattr(module, "Column"):
                patch.setattr(module.Column, "check", _nothing)
            if hasattr(module, "check_run"):
                patch.setattr(module, "check_run", self._check_run)
            for test in vars(module).values():
                if type(test).__module__.startswith("cocotb"):
                    run_dry(test.func)

    async def _check_run(self, bench: DryBench, model: Any, stimulus: Any) -> Any:
        """Stand for that of `verif.icu.queue_tests`."""
        self._run.clear()
        expected = model.run(stimulus)
        if expected.fault is None:
            self._keep()
        return expected

    def _note_op(self, config: Config | None, op: int) -> None:
        """Note the word of a micro-op of an ALU, which a bit is added to."""
        assert config is not None
        word = op & (1 << WORD_BITS) - 1
        for unit in units(config):
            if unit.kind is UnitKind.VXM and illegality(config, unit, word) is None:
                self.forms.setdefault(self._test, set()).update(forms_of(config, unit, word))
                return

    # What the golden machine executes

    def _watch_golden(self) -> None:
        decode, run = InstructionControl._decode, Machine.run

        def watched_decode(control: InstructionControl, queue: Queue, word: int) -> Word:
            found, unit = decode(control, queue, word), queue.unit
            if self._recording and found.illegal is None:
                executor: object = control._executors[unit.id] if found.repeatable else control
                if found.mnemonic == "IFETCH":
                    executor = control._ports
                source = type(executor).__module__.replace(".", "/") + ".py"
                self._run |= {(form, source) for form in forms_of(control._config, unit, word)}
            return found

        def watched_run(machine: Machine, cycles: int = 0) -> int:
            self._run.clear()
            taken = run(machine, cycles)
            self._keep()
            return taken

        self._patch.setattr(InstructionControl, "_decode", watched_decode)
        self._patch.setattr(Machine, "run", watched_run)

    @contextmanager
    def _recorded(self) -> Iterator[None]:
        self._recording = True
        try:
            yield
        finally:
            self._recording = False

    def _keep(self) -> None:
        """Take what a run without a fault has executed."""
        for form, source in self._run:
            self.forms.setdefault(self._test, set()).add(form)
            if source.startswith("golden/"):
                self.golden.setdefault(form, set()).add(source)


def _run_job(machine: Machine, image: Image, tensors: Tensors) -> RunResult:
    try:
        machine.load(image)
        for tensor in image.inputs:
            machine.write(tensor.slices, tensor.addrs, tensor.pack(tensors[tensor.name]))
        cycles = machine.run()
    except FaultError as error:
        return RunResult({}, error.fault.cycle, error.fault, 0.0)
    outputs = {tensor.name: tensor.unpack(machine.read(tensor.slices, tensor.addrs)) for tensor in image.outputs}
    return RunResult(outputs, cycles, None, 0.0)


def _name_of(item: pytest.Item) -> str:
    """Return a test's name without its parameters."""
    return item.nodeid.partition("[")[0]


def _simulator(item: pytest.Function) -> str:
    return str(item.callspec.params.get("simulator", "")) if hasattr(item, "callspec") else ""


async def _nothing(*arguments: object) -> None:
    """Stand for what looks at the RTL."""


def _simulates(function: FunctionType) -> bool:
    """Return whether a test, or a function of its file that it calls, would simulate."""
    names = set(_names(function.__code__))
    pending = list(names)
    while pending:
        called = getattr(function, "__globals__", {}).get(pending.pop())
        if isinstance(called, FunctionType) and called.__module__.startswith("verif."):
            more = set(_names(called.__code__)) - names
            names |= more
            pending += more
    return bool(names & _SIMULATION)


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)


def tests_of(*folders: str) -> Recorder:
    """Return what the tests of folders execute.

    Raises
    ------
    RuntimeError
        When one of them fails with the golden machine in place of the RTL.
    """
    recorder = Recorder()
    with pytest.MonkeyPatch.context() as patch:
        for name in ("TAKT_SEED", "PYTEST_ADDOPTS"):
            patch.delenv(name, raising=False)
        status = pytest.main(["-q", "-p", "no:cacheprovider", "-p", "no:xdist", *folders], plugins=[recorder])
    if status != pytest.ExitCode.OK:
        raise RuntimeError(f"tests must pass with the golden machine in place of the RTL, not end with {status!r}")
    return recorder
