"""One module to generic gates, with a cache of the results."""

import contextlib
import dataclasses
import hashlib
import json
import tempfile
from pathlib import Path
from typing import Any

from arch.files import write_whole
from synth.area import Area, area_of_cells
from synth.yosys import run_yosys, yosys_version

SCRIPT = (
    "synth -top top -latches error -run begin:fine",
    "memory_map -rom-only",
    "write_json words.json",
    "opt -fast -full",
    "opt -undriven -fine",
    "techmap",
    "opt -fast",
    # As by default, without its SAT sweeping (fraig, scorr): most of the time, for a few thousandths of the cells.
    "abc -script +strash;dc2;strash;&get,-n;&dch,-f;&nf;&put",
    "opt -fast",
    "check -assert",
    "tee -q -o gates.json stat -json",
)
"""Yosys' own ``synth``, except that memories that can be written stay whole and are counted in bits."""


def map_module(rtlil: str, cache: Path) -> Area:
    """Return the area of a module without what it places.

    Parameters
    ----------
    rtlil : str
        The module, called ``top``, and black boxes of what it places.
    cache : Path
        Folder of results by content; made if it does not exist.

    Raises
    ------
    YosysFailed
        When Yosys refuses the module, or ``check`` finds a loop or conflicting drivers in it.
    """
    key = hashlib.sha256("\n".join((yosys_version(), *SCRIPT, rtlil)).encode()).hexdigest()[:24]
    entry = cache / f"{key}.json"
    with contextlib.suppress(OSError, ValueError, TypeError):  # absent, or damaged: then it is made again
        return Area(**json.loads(entry.read_text(encoding="utf-8")))
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as name:
        folder = Path(name)
        (folder / "module.il").write_text(rtlil, encoding="utf-8")
        run_yosys(["read_rtlil module.il", *SCRIPT], folder)
        area = _read(folder)
    write_whole(entry, json.dumps(dataclasses.asdict(area)))
    return area


def _read(folder: Path) -> Area:
    words = _cells(json.loads((folder / "words.json").read_text(encoding="utf-8")))
    memories = (cell["parameters"] for cell in words if cell["type"] == "$mem_v2")
    bits = sum(int(memory["SIZE"], 2) * int(memory["WIDTH"], 2) for memory in memories)
    statistics = json.loads((folder / "gates.json").read_text(encoding="utf-8"))["design"]["num_cells_by_type"]
    gates = [(kind, count) for kind, count in statistics.items() if _is_generic(kind)]
    return area_of_cells(gates) + Area(memory_bits=bits)


def _cells(netlist: dict[str, Any]) -> list[dict[str, Any]]:
    return list(netlist["modules"]["top"]["cells"].values())


def _is_generic(kind: str) -> bool:
    """Neither a memory nor another module; modules with parameters are called ``$paramod...``."""
    return kind.startswith("$") and not kind.startswith(("$paramod", "$mem"))
