"""Instances and signals of an emitted design, read from its netlist, so that nothing guesses a signal's name."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

__all__ = ["Instance", "Wire", "read_hierarchy"]

_LINE = re.compile(
    r"^module \\(?P<module>\S+)$"
    r"|^  wire (?:width (?P<width>\d+) )?(?:(?P<role>input|output|inout) \d+ +)?(?:signed )?\\(?P<wire>\S+)$"
    r"|^  cell \\(?P<cell>\S+) \\(?P<instance>\S+)$",
    re.MULTILINE,
)


@dataclass(frozen=True)
class Wire:
    """A named signal: `width` in bits, `role` is ``"input"``, ``"output"`` or empty."""

    name: str
    width: int
    role: str


@dataclass
class _Module:
    wires: dict[str, Wire] = field(default_factory=dict)
    cells: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Instance:
    """An instance in a design.

    Attributes
    ----------
    path
        Names from the top module down, joined by dots.
    wires
        Its signals by name.
    """

    path: str
    wires: dict[str, Wire]
    _children: list[tuple[str, str]]
    _modules: dict[str, _Module]

    def children(self) -> Iterator["Instance"]:
        """Instances in this one, in the order of the netlist; those of library modules are left out."""
        for module, name in self._children:
            if module in self._modules:
                inside = self._modules[module]
                yield Instance(f"{self.path}.{name}", inside.wires, inside.cells, self._modules)

    def having(self, *wires: str) -> list["Instance"]:
        """Return the direct children that have all of these signals."""
        return [child for child in self.children() if all(wire in child.wires for wire in wires)]

    def trace(self, wire: str) -> str:
        """Return the full name of a signal as waveforms have it: with its range, if it has more than one bit."""
        width = self.wires[wire].width
        return f"{self.path}.{wire}" + (f"[{width - 1}:0]" if width > 1 else "")


def read_hierarchy(rtlil: str, top: str) -> Instance:
    """Return the top instance of a design.

    Parameters
    ----------
    rtlil
        Netlist that :func:`hdl.emit.emit` wrote.
    top
        Name of the top module.
    """
    modules: dict[str, _Module] = {}
    current = _Module()
    for match in _LINE.finditer(rtlil):
        if match["module"]:
            current = modules[match["module"]] = _Module()
        elif match["wire"]:
            wire = Wire(match["wire"], int(match["width"] or 1), match["role"] or "")
            current.wires[wire.name] = wire
        else:
            current.cells.append((match["cell"], match["instance"]))
    return Instance(top, modules[top].wires, modules[top].cells, modules)
