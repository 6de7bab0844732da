"""Verilator's run-time library, compiled once: 10 of the 11 CPU seconds that building a small unit takes."""

import json
from pathlib import Path

from runtime.places import build_root
from runtime.simulator.cache import cached_folder, content_key
from runtime.simulator.compile import compile_rtl
from runtime.simulator.runner import OPTIONS
from runtime.simulator.toolchain import tool_versions

__all__ = ["verilated_objects"]

_TOP = "takt_trivial"
_TRIVIAL = f"module {_TOP} (input logic clk /* verilator public_flat_rd */);\nendmodule\n"
"""Its public port makes Verilator want the library's part for DPI, as the ports of every model do."""


def verilated_objects(trace: bool) -> tuple[Path, ...]:
    """Object files that every model with the same ``trace`` can be linked with.

    Returns
    -------
    tuple of Path
        Named like the objects Verilator's makefile would make.
    """
    versions = json.dumps(tool_versions("verilator"), sort_keys=True)
    key = content_key(versions, json.dumps([trace, OPTIONS["verilator"], _TRIVIAL]))
    folder = build_root() / "sim" / f"verilated{'-trace' if trace else ''}-{key}"

    def fill(scratch: Path) -> None:
        source = scratch / f"{_TOP}.sv"
        source.write_text(_TRIVIAL, encoding="utf-8")
        compile_rtl([source], _TOP, "verilator", scratch, trace=trace, keep="verilated*.o")

    return tuple(sorted(cached_folder(folder, fill).glob("*.o")))
