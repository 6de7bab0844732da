"""Amaranth to SystemVerilog and RTLIL.

::

    emitted = emit(Chip(config), name="takt", out_dir=Path("out"))
    emitted.sources     # takt.sv and the files of hdl/sv that it uses
    emit_rtlil(Chip(config), name="takt")   # text, for synthesis

Emission is deterministic: the same sources give the same bytes, and a change renames nothing but what it touches, so
that what was saved of one build's waveforms opens those of the next.
"""

import gc
import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from amaranth.back import rtlil
from amaranth.hdl import ClockDomain, Fragment
from amaranth.hdl._ir import PortDirection  # the type of convert_fragment's ports; not exported
from amaranth.lib import wiring

from hdl.ports import flat_ports
from hdl.shared import SharedModules

__all__ = ["Emitted", "Port", "emit", "emit_rtlil", "library_sources"]

_LIBRARY = Path(__file__).parent / "sv"
_MANIFEST = "emitted.json"

_NUMBERED = re.compile(r"\\([^\s.]+?)\$\d+(?=[\s.])")
"""A name that Amaranth made unique by a number; behind a dot stand the fields of a structure."""
_PORT = "    connect "
"""Begins a line that connects the port of a cell."""

# A subprocess, because Yosys numbers its objects through a counter of the process.
# Its result comes back through a pipe, since Yosys does not notice that a disk is full. It ends with this process.
_YOSYS_SCRIPT = """
import ctypes, os, signal, sys
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
result = os.dup(1)
os.dup2(2, 1)
from pyosys import libyosys
design = libyosys.Design()
for command in ("read_rtlil " + sys.argv[1], "proc", f"write_verilog -sv -noattr /dev/fd/{result}"):
    libyosys.run_pass(command, design)
"""


@dataclass(frozen=True, kw_only=True)
class Port:
    """A port of the emitted top module: Verilog name, width in bits, direction."""

    name: str
    width: int
    is_input: bool


@dataclass(frozen=True, kw_only=True)
class Emitted:
    """An emitted design on disk.

    Attributes
    ----------
    top
        Name of the top module.
    sources
        SystemVerilog files, the generated one first.
    rtlil
        The same design as Yosys RTLIL; modules of ``hdl/sv`` appear as instances only.
    ports
        Ports of the top module, ``clk`` and ``rst`` first.
    """

    top: str
    sources: tuple[Path, ...]
    rtlil: Path
    ports: tuple[Port, ...]

    @classmethod
    def load(cls, folder: Path) -> "Emitted":
        """Read the description that :func:`emit` left in ``folder``."""
        fields = json.loads((folder / _MANIFEST).read_text(encoding="utf-8"))
        return cls(
            top=fields["top"],
            sources=tuple(folder / name for name in fields["sources"]),
            rtlil=folder / fields["rtlil"],
            ports=tuple(Port(**port) for port in fields["ports"]),
        )

    def _save(self, folder: Path) -> None:
        fields = {
            "top": self.top,
            "sources": [path.name for path in self.sources],
            "rtlil": self.rtlil.name,
            "ports": [vars(port) for port in self.ports],
        }
        (folder / _MANIFEST).write_text(json.dumps(fields, indent=1) + "\n", encoding="utf-8")


def emit(top: wiring.Component, name: str, out_dir: Path) -> Emitted:
    """Write a design as SystemVerilog and RTLIL.

    Parameters
    ----------
    top
        The design; its only clock domain is ``sync``, with the ports ``clk`` and ``rst`` (active high,
        synchronous).
    name
        Name of the top module and of the files.
    out_dir
        Folder to write to; made if it does not exist.

    Returns
    -------
    Emitted
        What was written.

    Raises
    ------
    RuntimeError
        If Yosys refuses the design.
    """
    out_dir.mkdir(parents=True, exist_ok=True)
    text = emit_rtlil(top, name)
    rtlil_path = out_dir / f"{name}.il"
    rtlil_path.write_text(text, encoding="utf-8")
    generated = out_dir / f"{name}.sv"
    _write_verilog(text, generated)
    sources = [generated]
    for library in library_sources(text):
        sources.append(out_dir / library.name)
        sources[-1].write_text(library.read_text(encoding="utf-8"), encoding="utf-8")
    ports = [Port(name=port, width=1, is_input=True) for port in ("clk", "rst")]
    ports += [Port(name=p.name, width=p.width, is_input=p.is_input) for p in flat_ports(top).values()]
    emitted = Emitted(top=name, sources=tuple(sources), rtlil=rtlil_path, ports=tuple(ports))
    emitted._save(out_dir)
    return emitted


def emit_rtlil(top: wiring.Component, name: str) -> str:
    """Convert a design to RTLIL, each shared module once.

    Parameters
    ----------
    top, name
        As for :func:`emit`.

    Returns
    -------
    str
        All modules, the top one first. Modules of ``hdl/sv`` appear as instances only; read the files of
        :func:`library_sources` with ``read_verilog -sv`` before ``hierarchy``.
    """
    shared = SharedModules()
    with _rare_collection(), shared.collecting():
        texts = {name: _convert(top, name)}
        for shared_name, component in shared.drain():
            if shared_name == name:
                raise NameError(f"the top module must not have the name of a shared module, {name!r}")
            texts[shared_name] = _convert(component, shared_name).replace("attribute \\top 1\n", "")
    return "".join(texts.values())


@contextmanager
def _rare_collection() -> Iterator[None]:
    """Let the search for cyclic garbage, a quarter of a conversion's time, wait for a million objects."""
    before = gc.get_threshold()
    gc.set_threshold(max(1_000_000, before[0]) if before[0] else 0, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


def library_sources(rtlil_text: str) -> list[Path]:
    """Hand-written files of ``hdl/sv`` that a design uses, directly or through one another."""
    library = {path.stem: path for path in sorted(_LIBRARY.glob("*.sv"))}
    used = {stem for stem in library if re.search(rf"^\s*cell \\{stem} ", rtlil_text, re.MULTILINE)}
    pending = set(used)
    while pending:
        words = set(re.findall(r"\w+", library[pending.pop()].read_text(encoding="utf-8")))
        new = (words & library.keys()) - used
        used |= new
        pending |= new
    return [path for stem, path in library.items() if stem in used]


def _convert(component: wiring.Component, name: str) -> str:
    sync = ClockDomain("sync")
    assert sync.rst is not None
    ports = {"clk": (sync.clk, PortDirection.Input), "rst": (sync.rst, PortDirection.Input)}
    for port in flat_ports(component).values():
        ports[port.name] = (port.value, PortDirection.Input if port.is_input else PortDirection.Output)
    fragment = Fragment.get(component, None)
    fragment.add_domains(sync)
    text, _names = rtlil.convert_fragment(fragment, ports, name, emit_src=False, missing_domain=lambda domain: None)
    return _renumbered(str(text))


def _renumbered(rtlil: str) -> str:
    """The same with names numbered apart; Amaranth's number counts a module's names, so that one more shifts all."""
    modules = re.split(r"^(?=module )", rtlil, flags=re.MULTILINE)
    numbers: dict[str, dict[str, str]] = {}
    for module in modules:
        mine = numbers[_name_of(module)] = {}
        alike: Counter[str] = Counter()
        for line in re.findall(r"^  (?:wire|memory|cell) .*\n", module, re.MULTILINE):
            for name in _NUMBERED.finditer(line):
                if name[0] not in mine:
                    alike[name[1]] += 1
                    mine[name[0]] = f"\\{name[1]}${alike[name[1]]}"
    return "".join(_with_names(module, numbers) for module in modules)


def _with_names(module: str, numbers: dict[str, dict[str, str]]) -> str:
    """A module with its names replaced; the ports of a cell have the names that the cell's module gives them."""
    mine = numbers[_name_of(module)]
    ports: dict[str, str] = {}
    lines = module.splitlines(keepends=True)
    for number, line in enumerate(lines):
        if line.startswith("  cell "):
            ports = numbers.get(line.split()[1].removeprefix("\\"), {})
        if "$" in line:
            start = line.index(" ", len(_PORT)) if line.startswith(_PORT) else 0
            lines[number] = _replaced(line[: start + 1], ports) + _replaced(line[start + 1 :], mine)
    return "".join(lines)


def _replaced(text: str, names: dict[str, str]) -> str:
    return _NUMBERED.sub(lambda name: names[name[0]], text)


def _name_of(module: str) -> str:
    return module.partition("\n")[0].removeprefix("module \\")


def _write_verilog(rtlil_text: str, path: Path) -> None:
    # An undefined first value of a memory's read register is X in Icarus alone; golden memories start as zeros.
    simulated = re.sub(r"(parameter \\INIT_VALUE \d+')(x+)", lambda m: m[1] + "0" * len(m[2]), rtlil_text)
    source = path.with_suffix(".tmp.il")
    source.write_text(simulated, encoding="utf-8")
    # No opt_dff: flip-flops with `if (rst)` and `if (en)` branches cost Verilator a quarter of its speed on busy logic.
    result = subprocess.run(
        [sys.executable, "-c", _YOSYS_SCRIPT, source.name],
        cwd=path.parent,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    source.unlink()
    if result.returncode or not result.stdout.endswith("endmodule\n"):
        raise RuntimeError(f"Yosys failed on {path.name}:\n{result.stderr[-2000:]}")
    # The first line names the Yosys build.
    path.write_text(result.stdout.split("\n", 1)[1], encoding="utf-8")
