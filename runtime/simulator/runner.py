"""cocotb's runners, with the options this project measured."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

import cocotb_tools.config
from cocotb_tools.runner import Icarus, Runner, Verilator

from runtime.places import project_root
from runtime.simulator.process import run_tool
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
    """A runner whose tools end with this process, and meet no path but short relative ones while they build.

    Shells, make and Verilator take a space in a path for the end of it. So they run in the build folder, which holds
    links to all that lies elsewhere. The simulation imports the project's packages from any working folder.
    """

    def _set_env_common(self) -> None:
        super()._set_env_common()
        self.env["PYTHONPATH"] = os.pathsep.join([str(project_root()), self.env["PYTHONPATH"]])
        self.env["PYTHONUTF8"] = "1"  # for names of files, whatever the locale

    def _set_env_build(self) -> None:
        super()._set_env_build()
        self.env.update(dict.fromkeys(("TMPDIR", "TMP", "TEMP"), "."))

    def _set_env_test(self) -> None:
        super()._set_env_test()
        self.env.update(dict.fromkeys(("TMPDIR", "TMP", "TEMP"), str(self.test_dir)))
        libraries = [str(cocotb_tools.config.libs_dir), os.environ.get("LD_LIBRARY_PATH", "")]
        self.env["LD_LIBRARY_PATH"] = os.pathsep.join(filter(None, libraries))

    def _link(self, target: Path, name: str = "") -> str:
        """Make a file or folder known in the build folder, and return its name there."""
        link = self.build_dir / (name or target.name)
        if not link.exists():
            link.symlink_to(target)
        return link.name

    def _short(self, command: Sequence[str]) -> list[str]:
        """The command with the names of sources and of files in the build folder as they are seen from there."""
        sources = {str(source.value): self._link(source.value) for source in self._sources}
        return [sources.get(word, word.removeprefix(f"{self.build_dir}/")) for word in command]

    def _execute_cmds(
        self, cmds: Sequence[list[str]], cwd: "os.PathLike[str] | str", stdout: TextIO | None = None
    ) -> None:
        for command in cmds:
            run_tool(command, Path(cwd), self.env, stdout)


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
        self.env["VERILATOR_ROOT"] = self._root()

    def _simulator_in_path_build_only(self) -> None:
        cxx_compiler()
        self.executable = f"{self._root()}/bin/verilator_bin"

    def _root(self) -> str:
        return self._link(verilator_root(), "verilator-root")

    def _waves_file(self) -> str:
        return "dump.fst"

    def _build_command(self) -> list[list[str]]:
        verilate, make = super()._build_command()
        main = cocotb_tools.config.share_dir / "lib" / "verilator" / "verilator.cpp"
        libraries = self._link(cocotb_tools.config.libs_dir, "cocotb-libs")
        linked = f"-L{libraries} -Wl,-rpath-link,{libraries} -lcocotbvpi_verilator"
        own = {
            "--trace": "--trace-fst",
            str(self.build_dir): ".",
            str(main): self._link(main),
            # No rpath: whoever runs the binary says where the libraries are.
            verilate[verilate.index("-LDFLAGS") + 1]: linked,
        }
        verilate = [own.get(word, word) for word in self._short(verilate) if word != "--public-flat-rw"]
        jobs = str(min(8, os.cpu_count() or 1))
        make = [find_tool("make"), "-s", "-j", jobs, "-f", "Vtop.mk", "CURDIR=."]  # it refuses spaces there
        flags = cxx_compiler().flags
        make += [f"OPT_FAST={flags}", "OPT_SLOW=-O0", f"OPT_GLOBAL={flags}", *make_variables()]
        # Copied after the makefile is written: make takes them for up to date.
        copy = ["cp", *map(str, self.objects), "."]
        return [verilate, copy, make] if self.objects else [verilate, make]


class _Icarus(_InProject, Icarus):
    def _simulator_in_path(self) -> None:
        find_tool("iverilog")
        find_tool("vvp")

    def _set_env_build(self) -> None:
        super()._set_env_build()
        self.env.update(build_environment("icarus"))

    def _create_iverilog_dump_file(self) -> None:
        text = f'initial begin $dumpfile("dump.fst"); $dumpvars(0, {self.hdl_toplevel}); end'
        self.iverilog_dump_file.write_text(f"module cocotb_iverilog_dump();\n{text}\nendmodule\n", encoding="utf-8")

    def _build_command(self) -> list[list[str]]:
        return [self._short(command) for command in super()._build_command()]

    def _execute_cmds(
        self, cmds: Sequence[list[str]], cwd: "os.PathLike[str] | str", stdout: TextIO | None = None
    ) -> None:
        for command in cmds:
            # Icarus Verilog does not notice that a disk is full.
            run_tool(command, Path(cwd), self.env, stdout, self.sim_file if "-o" in command else None)


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
