"""RTL to a simulation binary, in a folder of its own."""

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import cocotb_tools.config

from runtime.os_errors import full_disk, is_full, naming
from runtime.simulator.failure import SimulationFailed
from runtime.simulator.process import ToolFailed, run_tool
from runtime.simulator.runner import OPTIONS, binary, make_runner

__all__ = ["TIMESCALE", "compile_rtl", "own_environment", "starts"]

TIMESCALE = ("1ns", "1ps")

_PREFIXES = ("COCOTB_", "GPI_", "PYGPI_", "SIM_CMD_", "VERILATOR_")
_NAMES = {
    *("WAVES", "GUI", "TOPLEVEL", "TOPLEVEL_LANG", "LIBPYTHON_LOC"),  # cocotb's
    "PYTEST_CURRENT_TEST",  # with it, cocotb's runner reads the results too, and stumbles over half ones
    *("CPPFLAGS", "CXXFLAGS", "CFLAGS", "LDFLAGS", "LDLIBS", "MAKEFILES"),  # make's; they are in no cache key
    *("PYTHONOPTIMIZE", "PYTHONWARNINGS"),  # checks in the simulator are assertions, and warnings no business of it
}
_LAST_LINES = 40


@contextmanager
def own_environment() -> Iterator[None]:
    """Leave out, for a while, variables of the environment that other projects or Python set for themselves."""
    foreign = {name: text for name, text in os.environ.items() if name in _NAMES or name.startswith(_PREFIXES)}
    for name in foreign:
        del os.environ[name]
    try:
        yield
    finally:
        os.environ.update(foreign)


def compile_rtl(
    sources: Sequence[Path],
    top: str,
    simulator: str,
    folder: Path,
    *,
    trace: bool,
    visible: str = "",
    objects: Sequence[Path] = (),
    keep: str = "",
) -> None:
    """Build a simulation binary.

    Parameters
    ----------
    sources
        SystemVerilog files.
    top
        Name of the top module.
    simulator
        ``"icarus"`` or ``"verilator"``.
    folder
        An empty one; the binary and the log of the build stay in it.
    trace
        Whether runs record a waveform.
    visible
        Verilator's control file.
    objects
        Object files that Verilator need not compile.
    keep
        Pattern of further files to keep, instead of the binary.

    Raises
    ------
    SimulationFailed
        If a tool refuses the sources or breaks down, with its messages; or if the binary does not start.
    OSError
        If there is no room, or a file cannot be written; with its name.
    """
    work = folder / "work"
    work.mkdir()
    if visible:
        (work / "visible.vlt").write_text(visible, encoding="utf-8")
        sources = [work / "visible.vlt", *sources]
    log = folder / "build.log"
    try:
        with own_environment(), naming(folder):
            make_runner(simulator, objects).build(
                sources=sources,
                hdl_toplevel=top,
                build_args=OPTIONS[simulator],
                build_dir=work,
                waves=trace,
                timescale=TIMESCALE,
                always=True,
                log_file=log,
            )
    except ToolFailed as error:
        raise _failure(error, top, simulator, log) from None
    made = sorted(work.glob(keep)) if keep else [binary(simulator, work, top)]
    for path in made:
        path.rename(folder / path.name)
    shutil.rmtree(work)
    if simulator == "verilator" and not keep and not starts(simulator, folder, top):
        raise SimulationFailed(f"{simulator} built {top}, but it does not start")


def starts(simulator: str, folder: Path, top: str) -> bool:
    """Whether a binary can be started. Verilator's says how to use it; Icarus's is loaded and finds nothing to do."""
    file = str(binary(simulator, folder, top))
    command = [file, "--help"] if simulator == "verilator" else ["vvp", "-n", file, "-none"]
    environment: Mapping[str, str] = {**os.environ, "LD_LIBRARY_PATH": str(cocotb_tools.config.libs_dir)}
    with suppress(ToolFailed, OSError), Path(os.devnull).open("wb") as nowhere:
        run_tool(command, folder, environment, nowhere)
        return True
    return False


def _failure(error: ToolFailed, top: str, simulator: str, log: Path) -> Exception:
    messages = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
    if is_full(log.parent, messages):
        return full_disk(log.parent)
    last = "\n".join(messages.splitlines()[-_LAST_LINES:])
    return SimulationFailed(f"{simulator} could not build {top}: {error}" + (f"; it said:\n{last}" if last else ""))
