"""The C++ compiler of Verilator's output: clang where a good one is installed, g++ where not.

Simulations of the preset small run about half as fast again when clang 19 has compiled them instead of g++ 12.
``TAKT_CXX`` names another compiler.
"""

import os
import re
import shlex
import shutil
import subprocess
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from arch.errors import TaktError

__all__ = ["CxxCompiler", "find_compiler", "make_word"]

OLDEST_CLANG = 19
"""Release of clang from which on it is preferred: the oldest that was measured."""

_CLANG_FLAGS = "-O3 -march=native"
_GXX_FLAGS = "-O1 -march=native -fno-plt"

# A cycle's functions are straight lines of many thousand stores to one object. Every load looks upwards for the store
# it reads, every store downwards for the one that kills it: a third of g++'s time, and the code gets no smaller by it.
_GXX_10_FLAGS = "--param sccvn-max-alias-queries-per-access=30 --param dse-max-alias-queries-per-store=16"

_TRIAL = "#include <cstdint>\nstd::uint8_t takt;\n"
"""clang has no standard library of its own: without g++'s it cannot compile this."""


@dataclass(frozen=True, kw_only=True)
class CxxCompiler:
    """A C++ compiler that compiled a line.

    Attributes
    ----------
    path
        Its program.
    is_clang
        Whether it takes clang's options; otherwise g++'s.
    version
        First line of what ``--version`` prints.
    major
        Release.
    note
        Why a compiler that would have been better is not used; empty if none is there.
    """

    path: str
    is_clang: bool
    version: str
    major: int
    note: str = ""

    @property
    def flags(self) -> str:
        """Options of the model's hot functions and of Verilator's library."""
        if self.is_clang:
            return _CLANG_FLAGS
        return f"{_GXX_FLAGS} {_GXX_10_FLAGS}" if self.major >= 10 else _GXX_FLAGS

    @property
    def make_variables(self) -> list[str]:
        """Overrides of ``verilated.mk``: programs, and how a precompiled header is read."""
        header = ["-include-pch", ".gch"] if self.is_clang else ["-include", ""]
        return [
            f"CXX={make_word(self.path)}",
            f"LINK={make_word(self.path)}",
            f"CFG_CXXFLAGS_PCH_I={header[0]}",
            f"CFG_GCH_IF_CLANG={header[1]}",
        ]

    @property
    def text(self) -> str:
        """Name, release and note in one line."""
        name = "clang" if self.is_clang else "g++"
        return f"{name} {self.major}" + (f" ({self.note})" if self.note else "")


def make_word(path: str) -> str:
    """Return a path as one word of a command in a makefile."""
    return shlex.quote(path).replace("$", "$$")


def find_compiler() -> CxxCompiler | None:
    """Return the compiler that builds use: ``TAKT_CXX``, else the newest clang from 19 on, else g++.

    Returns
    -------
    CxxCompiler or None
        None if there is no compiler at all.

    Raises
    ------
    TaktError
        If ``TAKT_CXX`` does not name a C++ compiler.
    """
    return _find(os.environ.get("TAKT_CXX", ""), os.environ.get("PATH", ""))


@lru_cache
def _find(chosen: str, path: str) -> CxxCompiler | None:
    if chosen:
        found = _inspect(chosen)
        if isinstance(found, str):
            raise TaktError(f"TAKT_CXX must be a C++ compiler, such as g++ or clang++-19, not {chosen!r}: {found}")
        return found
    notes = []
    for name in _clangs(path):
        found = _inspect(name)
        if isinstance(found, CxxCompiler) and found.is_clang and found.major >= OLDEST_CLANG:
            return found
        if isinstance(found, str):
            notes.append(f"{name} is not used: {found}")
    if shutil.which("g++") is None:
        return None
    found = _inspect("g++")
    if isinstance(found, str):
        raise TaktError("; ".join([f"g++ must be able to compile: {found}", *notes]))
    return CxxCompiler(**{**vars(found), "note": "; ".join(notes)})


def _clangs(path: str) -> list[str]:
    """Names of the clangs on the path that may be new enough, the newest first; ``clang++`` itself before all."""
    numbers = set()
    for folder in path.split(os.pathsep):
        for program in Path(folder or ".").glob("clang++-*"):
            if match := re.fullmatch(r"clang\+\+-(\d+)", program.name):
                numbers.add(int(match[1]))
    names = ["clang++", *(f"clang++-{n}" for n in sorted(numbers, reverse=True) if n >= OLDEST_CLANG)]
    return [name for name in names if shutil.which(name)]


def _inspect(name: str) -> CxxCompiler | str:
    """What a compiler is, or one line that says why it is none."""
    path = shutil.which(name)
    if path is None:
        return "there is no such program"
    try:
        version = _run([path, "--version"])
        number = _run([path, "-dumpversion"])
        match = re.match(r"\d+", number.stdout)
        if version.returncode or not version.stdout or match is None:
            return _reason(version.stderr or number.stderr, "it does not tell its version")
        trial = _run([path, "-std=gnu++17", "-march=native", "-fsyntax-only", "-x", "c++", "-"], _TRIAL)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    if trial.returncode:
        return _reason(trial.stderr, f"it ended with {trial.returncode}")
    first_line = version.stdout.partition("\n")[0]
    return CxxCompiler(path=path, is_clang="clang" in first_line, version=first_line, major=int(match[0]))


def _run(command: list[str], text: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, input=text, capture_output=True, text=True, errors="replace", check=False, timeout=60
    )


def _reason(output: str, otherwise: str) -> str:
    """The first line that speaks of an error, or the first."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return next((line for line in lines if "error" in line), lines[0] if lines else otherwise)
