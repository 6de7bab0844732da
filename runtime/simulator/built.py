"""Component to simulation binary, through two caches.

``build/rtl/<hash of the sources of hdl, arch and the component's parameters>``
    the emitted SystemVerilog
``build/sim/<hash of the SystemVerilog, the tools and their options>``
    the simulation binary

so that an edit which does not change the SystemVerilog compiles nothing.
"""

import inspect
import json
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path

from amaranth.lib import wiring

from hdl.emit import Emitted, emit
from hdl.identity import identity_of
from runtime.simulator.cache import build_root, cached_folder, content_key
from runtime.simulator.control_file import control_file
from runtime.simulator.failure import SimulationFailed, TestResults, read_results
from runtime.simulator.runner import CXX_FLAGS, OPTIONS, SIMULATORS, binary, make_runner
from runtime.simulator.toolchain import find_fst_headers, tool_versions
from runtime.simulator.verilated import verilated_objects

__all__ = ["Built", "build"]

_TIMESCALE = ("1ns", "1ps")
_PACKAGES = ("arch", "hdl")


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
    """

    emitted: Emitted
    folder: Path
    simulator: str
    trace: bool

    def run(
        self,
        test_module: str,
        *,
        seed: int | None = None,
        testcase: str | Sequence[str] | None = None,
        env: Mapping[str, str] | None = None,
        parameters: Mapping[str, object] | None = None,
        plusargs: Sequence[str] = (),
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

        Returns
        -------
        TestResults
            All passed.

        Raises
        ------
        SimulationFailed
            If a test failed, with the lines of the log that say why.
        """
        runs = build_root() / "run"
        runs.mkdir(parents=True, exist_ok=True)
        stem = f"{test_module.rpartition('.')[2]}-{self.simulator}-"
        folder = Path(tempfile.mkdtemp(prefix=stem, dir=runs))
        log = folder / "sim.log"
        results_file = folder / "results.xml"
        extra = {
            "TAKT_PARAMETERS": json.dumps(dict(parameters or {})),
            "TAKT_INPUTS": " ".join(port.name for port in self.emitted.ports if port.is_input),
            # cocotb lets pytest rewrite the assertions of whatever is imported, unless it is told which files matter.
            "COCOTB_REWRITE_ASSERTION_FILES": "*_tests.py",
            **(env or {}),
        }
        if seed is not None:
            extra["TAKT_SEED"] = str(seed)
        runner = make_runner(self.simulator)
        with suppress(RuntimeError, SystemExit):  # the result file or the log says more
            runner.test(
                test_module=test_module,
                hdl_toplevel=self.emitted.top,
                hdl_toplevel_lang="verilog",
                build_dir=self.folder,
                test_dir=folder,
                results_xml=str(results_file),
                log_file=log,
                seed=seed,
                testcase=testcase,
                plusargs=plusargs,
                extra_env=extra,
                waves=self.trace,
                timescale=_TIMESCALE,
            )
        try:
            results = read_results(folder, results_file, log)
        except SimulationFailed as failure:
            again = f"simulator {self.simulator}, seed {seed} (TAKT_SEED={seed} repeats it), log {log}"
            raise SimulationFailed(f"{failure}\n{again}") from None
        if self.trace:
            results.wave = folder / "dump.fst"
        else:
            shutil.rmtree(folder, ignore_errors=True)
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
    options = json.dumps([simulator, trace, OPTIONS[simulator], CXX_FLAGS, _TIMESCALE])
    key = content_key(versions, options, visible, emitted.top, emitted.sources)
    folder = build_root() / "sim" / f"{emitted.top}-{simulator}{'-trace' if trace else ''}-{key}"

    def fill(scratch: Path) -> None:
        _compile(emitted, simulator, trace, visible, scratch)

    return Built(emitted=emitted, folder=cached_folder(folder, fill), simulator=simulator, trace=trace)


def _emitted(design: wiring.Component | Callable[[], wiring.Component], name: str) -> Emitted:
    component = design if isinstance(design, wiring.Component) else design()
    tools = f"{version('amaranth')} {version('pyosys')} {sys.version_info[:2]}"
    own_source = Path(inspect.getfile(type(component)))
    key = content_key(name, identity_of(component).key, tools, _sources_key(), own_source)

    def fill(scratch: Path) -> None:
        emit(component, name, scratch)

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


def _compile(emitted: Emitted, simulator: str, trace: bool, visible: str, folder: Path) -> None:
    work = folder / "work"
    work.mkdir()
    sources = list(emitted.sources)
    if visible:
        control = work / "visible.vlt"
        control.write_text(visible)
        sources.insert(0, control)
    log = folder / "build.log"
    if trace and simulator == "verilator":
        find_fst_headers()
    objects = verilated_objects(trace) if simulator == "verilator" else ()
    try:
        make_runner(simulator, objects).build(
            sources=sources,
            hdl_toplevel=emitted.top,
            build_args=OPTIONS[simulator],
            build_dir=work,
            waves=trace,
            timescale=_TIMESCALE,
            always=True,
            log_file=log,
        )
    except RuntimeError as error:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-40:])
        raise SimulationFailed(f"{simulator} refused {emitted.top}: {error}\n{tail}") from None
    binary(simulator, work, emitted.top).rename(binary(simulator, folder, emitted.top))
    shutil.rmtree(work)
