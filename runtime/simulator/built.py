"""Component to simulation binary, through two caches.

``build/rtl/<hash of the sources of hdl, arch and the component's parameters>``
    the emitted SystemVerilog
``build/sim/<hash of the SystemVerilog, the tools and their options>``
    the simulation binary

so that an edit which does not change the SystemVerilog compiles nothing.
"""

import inspect
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from amaranth.lib import wiring

from arch.files import move_whole
from hdl.emit import Emitted, emit
from hdl.identity import identity_of
from runtime.os_errors import full_disk, is_full, naming
from runtime.places import build_root
from runtime.simulator.cache import cached_folder, content_key, discard
from runtime.simulator.compile import TIMESCALE, compile_rtl, own_environment, starts
from runtime.simulator.control_file import control_file
from runtime.simulator.failure import NoResults, SimulationFailed, TestResults, read_results
from runtime.simulator.runner import OPTIONS, SIMULATORS, make_runner
from runtime.simulator.scratch import keep, scratch_folder
from runtime.simulator.toolchain import find_fst_headers, tool_versions
from runtime.simulator.verilated import verilated_objects

__all__ = ["Built", "build"]

_PACKAGES = ("arch", "hdl")
_WAVE = "dump.fst"


@dataclass(frozen=True, kw_only=True)
class Built:
    """A simulation binary.

    Attributes
    ----------
    emitted
        The SystemVerilog it was made of.
    folder
        Where the binary is.
    simulator
        ``"icarus"`` or ``"verilator"``.
    trace
        Whether it records a waveform (FST) when run.
    find
        Returns the folder, built anew if it is no more what it was.
    """

    emitted: Emitted
    folder: Path
    simulator: str
    trace: bool
    find: Callable[[], Path] = field(repr=False, compare=False)

    def run(
        self,
        test_module: str,
        *,
        seed: int | None = None,
        testcase: str | Sequence[str] | None = None,
        env: Mapping[str, str] | None = None,
        parameters: Mapping[str, object] | None = None,
        plusargs: Sequence[str] = (),
        wave: Path | None = None,
    ) -> TestResults:
        """Run the cocotb tests of a module in a process of its own.

        Parameters
        ----------
        test_module
            Importable name, such as ``"verif.mem.slice_tests"``.
        seed
            Seed of ``random`` and of :class:`verif.bench.Bench`.
        testcase
            Run only these tests.
        env
            Environment variables to add.
        parameters
            Anything JSON can carry; the tests read it as ``Bench.parameters``.
        plusargs
            Arguments for ``$value$plusargs``.
        wave
            Where to put the waveform of a traced run; else it stays in the folder of the run.

        Returns
        -------
        TestResults
            All passed.

        Raises
        ------
        SimulationFailed
            If a test failed, with the lines of the log that say why.
        TaktError
            If the waveform or the build folder cannot be written.
        OSError
            If there is no room for what the simulation writes.
        """
        extra = {
            "TAKT_PARAMETERS": json.dumps(dict(parameters or {})),
            "TAKT_INPUTS": " ".join(port.name for port in self.emitted.ports if port.is_input),
            # cocotb lets pytest rewrite the assertions of whatever is imported, unless it is told which files matter.
            "COCOTB_REWRITE_ASSERTION_FILES": "*_tests.py",
            **(env or {}),
        }
        if seed is not None:
            extra["TAKT_SEED"] = str(seed)
        words = {
            "test_module": test_module,
            "seed": seed,
            "testcase": testcase,
            "plusargs": plusargs,
            "extra_env": extra,
        }
        try:
            return self._simulate(words, wave)
        except NoResults:
            if starts(self.simulator, self.folder, self.emitted.top):
                raise
            discard(self.folder, "it does not start")
            self.find()
            return self._simulate(words, wave)

    def _simulate(self, words: dict[str, Any], wave: Path | None) -> TestResults:
        with scratch_folder(f"{words['test_module'].rpartition('.')[2]}-{self.simulator}") as folder, naming(folder):
            log = folder / "sim.log"
            results_file = folder / "results.xml"
            with own_environment(), suppress(RuntimeError, SystemExit):  # the result file or the log says more
                make_runner(self.simulator).test(
                    **words,
                    hdl_toplevel=self.emitted.top,
                    hdl_toplevel_lang="verilog",
                    build_dir=self.folder,
                    test_dir=folder,
                    results_xml=str(results_file),
                    log_file=log,
                    waves=self.trace,
                    timescale=TIMESCALE,
                )
            try:
                results = read_results(folder, results_file, log)
            except SimulationFailed as failure:
                if is_full(folder, str(failure)):
                    raise full_disk(folder) from None
                seed, kept = words["seed"], keep(folder)
                again = f"simulator {self.simulator}, seed {seed} (TAKT_SEED={seed} repeats it), log {kept / log.name}"
                raise type(failure)(f"{failure}\n{again}") from None
            if self.trace and wave is not None:
                move_whole(folder / _WAVE, wave)
                results.wave = wave
            elif self.trace:
                results.folder = keep(folder)
                results.wave = results.folder / _WAVE
        return results


def build(
    design: wiring.Component | Callable[[], wiring.Component] | Emitted,
    name: str,
    simulator: str,
    *,
    trace: bool = False,
    probes: Sequence[str] = (),
) -> Built:
    """Build a design for a simulator, or find it in the cache.

    Parameters
    ----------
    design
        A component, something that returns one, or SystemVerilog that :func:`hdl.emit.emit` wrote.
    name
        Name of the top module; ignored for emitted SystemVerilog.
    simulator
        ``"icarus"`` or ``"verilator"``.
    trace
        Record a waveform at every run; another binary, 5 to 20 times slower.
    probes
        ``"module.signal"`` names that stay visible in Verilator, see
        :func:`runtime.simulator.control_file.control_file`. Icarus shows everything.

    Returns
    -------
    Built
        Safe to use from several processes at once.

    Raises
    ------
    MissingTool
        If the simulator or a compiler is not installed; the message says what to install.
    SimulationFailed
        If the simulator refuses the design.
    """
    if simulator not in SIMULATORS:
        raise ValueError(f"simulator must be one of {', '.join(SIMULATORS)}, not {simulator!r}")
    versions = json.dumps(tool_versions(simulator), sort_keys=True)
    emitted = design if isinstance(design, Emitted) else _emitted(design, name)
    visible = control_file(emitted, probes) if simulator == "verilator" else ""
    options = json.dumps([simulator, trace, OPTIONS[simulator], TIMESCALE])
    key = content_key(versions, options, visible, emitted.top, emitted.sources)
    folder = build_root() / "sim" / f"{emitted.top}-{simulator}{'-trace' if trace else ''}-{key}"

    def fill(scratch: Path) -> None:
        if trace and simulator == "verilator":
            find_fst_headers()
        objects = verilated_objects(trace) if simulator == "verilator" else ()
        compile_rtl(emitted.sources, emitted.top, simulator, scratch, trace=trace, visible=visible, objects=objects)

    def find() -> Path:
        return cached_folder(folder, fill)

    return Built(emitted=emitted, folder=find(), simulator=simulator, trace=trace, find=find)


def _emitted(design: wiring.Component | Callable[[], wiring.Component], name: str) -> Emitted:
    component = design if isinstance(design, wiring.Component) else design()
    tools = f"{version('amaranth')} {version('pyosys')} {sys.version_info[:2]}"
    own_source = Path(inspect.getfile(type(component)))
    key = content_key(name, identity_of(component).key, tools, _sources_key(), own_source)

    def fill(scratch: Path) -> None:
        try:
            emit(component, name, scratch)
        except RuntimeError as error:
            raise SimulationFailed(f"cannot emit {name}: {error}") from None

    return Emitted.load(cached_folder(build_root() / "rtl" / f"{name}-{key}", fill))


@lru_cache
def _sources_key() -> str:
    """Hash of every file of the packages that shape the hardware; read once per process."""
    root = Path(__file__).resolve().parents[2]
    files = [
        path
        for package in _PACKAGES
        for path in (root / package).rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    ]
    return content_key(*(str(path.relative_to(root)) for path in sorted(files)), files)
