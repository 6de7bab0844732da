"""cocotb's runners, with the options this project measured."""

import os
from collections.abc import Sequence
from pathlib import Path

from cocotb_tools.runner import Icarus, Runner, Verilator

from runtime.simulator.cache import project_root
from runtime.simulator.toolchain import build_environment, cxx_compiler, find_tool, make_variables, verilator_root

__all__ = ["OPTIONS", "SIMULATORS", "VerilatorRunner", "binary", "make_runner"]

SIMULATORS = ("icarus", "verilator")
"""Names of the simulators, the one that starts fastest first."""

_VERILATOR = [
    "-O3",
    "-fno-table",  # it tries large constant tables entry by entry, in every instance: 30 s of the VXM's build
    "--x-assign",
    "fast",
    "--x-initial",
    "fast",
    "--no-assert",
    "--no-timing",
    "-Wno-fatal",
    "-Wno-WIDTH",
    "-Wno-lint",
    "-Wno-style",
    "--output-split",
    "60000",  # a file costs half a second before its first function: 25 of them for the preset small, not 77
    "--output-split-cfuncs",
    "20000",
]

OPTIONS: dict[str, list[str]] = {"icarus": [], "verilator": _VERILATOR}
"""Options of the simulator; part of a build's cache key."""


class _InProject(Runner):
    """Lets the simulation import the project's packages from any working folder."""

    def _set_env_common(self) -> None:
        super()._set_env_common()
        self.env["PYTHONPATH"] = os.pathsep.join([str(project_root()), self.env["PYTHONPATH"]])


class VerilatorRunner(_InProject, Verilator):
    """Verilator without ``--public-flat-rw``, which costs 4 to 7 times the run time.

    A control file names what is visible instead.

    Parameters
    ----------
    objects
        Object files to link instead of compiling them.
    """

    def __init__(self, objects: Sequence[Path] = ()) -> None:
        super().__init__()
        self.objects = objects

    def _set_env_build(self) -> None:
        super()._set_env_build()
        self.env.update(build_environment("verilator"))

    def _simulator_in_path_build_only(self) -> None:
        cxx_compiler()
        self.executable = str(verilator_root() / "bin" / "verilator_bin")

    def _waves_file(self) -> str:
        return "dump.fst"

    def _build_command(self) -> list[list[str]]:
        verilate, make = super()._build_command()
        verilate = ["--trace-fst" if word == "--trace" else word for word in verilate if word != "--public-flat-rw"]
        jobs = str(min(8, os.cpu_count() or 1))
        make = [find_tool("make"), "-s", "-j", jobs, "-C", str(self.build_dir), "-f", "Vtop.mk"]
        flags = cxx_compiler().flags
        make += [f"OPT_FAST={flags}", "OPT_SLOW=-O0", f"OPT_GLOBAL={flags}", *make_variables()]
        # Copied after the makefile is written: make takes them for up to date.
        copy = ["cp", *map(str, self.objects), str(self.build_dir)]
        return [verilate, copy, make] if self.objects else [verilate, make]


class _Icarus(_InProject, Icarus):
    def _simulator_in_path(self) -> None:
        find_tool("iverilog")
        find_tool("vvp")

    def _set_env_build(self) -> None:
        super()._set_env_build()
        self.env.update(build_environment("icarus"))

    def _test_command(self) -> Sequence[list[str]]:
        commands = super()._test_command()
        if self.waves:
            commands[0].append(f"+dumpfile_path={self.test_dir / 'dump.fst'}")
        return commands


def make_runner(simulator: str, objects: Sequence[Path] = ()) -> Runner:
    """Return a fresh runner.

    Parameters
    ----------
    simulator
        One of :data:`SIMULATORS`.
    objects
        Object files that a Verilator build need not compile.

    Raises
    ------
    ValueError
        If ``simulator`` is not one of :data:`SIMULATORS`.
    MissingTool
        If it is not installed.
    """
    if simulator == "verilator":
        return VerilatorRunner(objects)
    if simulator == "icarus":
        return _Icarus()
    raise ValueError(f"simulator must be one of {', '.join(SIMULATORS)}, not {simulator!r}")


def binary(simulator: str, folder: Path, top: str) -> Path:
    """The file in a build folder that runs."""
    return folder / ("sim.vvp" if simulator == "icarus" else top)
