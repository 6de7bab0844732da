"""A design as modules and how often each is used."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from synth.yosys import run_yosys

_MODULE = re.compile(r"^module (\S+)\n(.*?)^end\n", re.MULTILINE | re.DOTALL)
_CELL = re.compile(r"^  cell (\S+) ", re.MULTILINE)
_PORT = re.compile(r"^  wire (?:[a-z]+ (?:\d+ )?)*?(?:input|output|inout) \d+.*\n", re.MULTILINE)
_SOURCE = re.compile(r"^ *attribute \\src .*\n", re.MULTILINE)


@dataclass(frozen=True)
class NetModule:
    """One module of an elaborated design.

    Attributes
    ----------
    name : str
        RTLIL name, with its backslash or dollar sign.
    body : str
        RTLIL text between ``module`` and ``end``.
    children : Counter of str
        How often it places each other module of the design.
    """

    name: str
    body: str
    children: Counter[str] = field(default_factory=Counter)

    @property
    def stub(self) -> str:
        """RTLIL of a black box with the same ports."""
        return f"attribute \\blackbox 1\nmodule {self.name}\n{''.join(_PORT.findall(self.body))}end\n"


@dataclass(frozen=True)
class Hierarchy:
    """An elaborated design.

    Attributes
    ----------
    top : str
        RTLIL name of the top module.
    modules : mapping of str to NetModule
        Every module below and including the top one, once.
    """

    top: str
    modules: Mapping[str, NetModule]

    def counts(self) -> Counter[str]:
        """Return how often each module stands in the whole design; 1 for the top one."""
        found: Counter[str] = Counter({self.top: 1})
        for name in self.parents_first():
            for child, times in self.modules[name].children.items():
                found[child] += times * found[name]
        return found

    def parents_first(self) -> list[str]:
        """Return the modules in an order in which each comes after all that place it."""
        order: list[str] = []
        seen: set[str] = set()

        def visit(name: str) -> None:
            if name not in seen:
                seen.add(name)
                for child in self.modules[name].children:
                    visit(child)
                order.append(name)

        visit(self.top)
        return order[::-1]

    def standalone(self, name: str) -> str:
        """Return RTLIL of one module, called ``top``, with its children as black boxes."""
        module = self.modules[name]
        stubs = "".join(self.modules[child].stub for child in sorted(module.children))
        return f"{stubs}attribute \\top 1\nmodule \\top\n{module.body}end\n"


def elaborate(rtlil: Path, libraries: list[Path], top: str, folder: Path) -> Hierarchy:
    """Resolve every parameter and process of a design, and split it into its modules.

    Parameters
    ----------
    rtlil : Path
        What `hdl.emit.emit_rtlil` returned.
    libraries : list of Path
        The files of `hdl.emit.library_sources`.
    top : str
        Name of the top module.
    folder : Path
        Existing folder for ``elaborated.il``.
    """
    commands = [f"read_rtlil {rtlil.resolve()}"]
    commands += [f"read_verilog -sv {path.resolve()}" for path in libraries]
    commands += [f"hierarchy -check -top {top}", "proc -latches error", "write_rtlil elaborated.il"]
    run_yosys(commands, folder)
    return parse((folder / "elaborated.il").read_text(encoding="utf-8"), f"\\{top}")


def parse(text: str, top: str) -> Hierarchy:
    """Split RTLIL text without processes into its modules."""
    bodies = {name: _SOURCE.sub("", body) for name, body in _MODULE.findall(text)}
    modules = {
        name: NetModule(name, body, Counter(kind for kind in _CELL.findall(body) if kind in bodies))
        for name, body in bodies.items()
    }
    return Hierarchy(top, modules)
