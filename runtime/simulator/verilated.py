"""Verilator's run-time library, compiled once: 10 of the 11 CPU seconds that building a small unit takes."""

import json
from pathlib import Path

from runtime.simulator.cache import build_root, cached_folder, content_key
from runtime.simulator.runner import OPTIONS, VerilatorRunner
from runtime.simulator.toolchain import tool_versions

__all__ = ["verilated_objects"]

_TRIVIAL = "module takt_trivial (input logic clk /* verilator public_flat_rd */);\nendmodule\n"
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
        work = scratch / "work"
        work.mkdir()
        source = work / "takt_trivial.sv"
        source.write_text(_TRIVIAL)
        VerilatorRunner().build(
            sources=[source],
            hdl_toplevel="takt_trivial",
            build_args=OPTIONS["verilator"],
            build_dir=work,
            waves=trace,
            always=True,
            log_file=scratch / "build.log",
        )
        for path in work.glob("verilated*.o"):
            path.rename(scratch / path.name)
        for path in sorted(work.rglob("*"), reverse=True):
            path.unlink()
        work.rmdir()

    return tuple(sorted(cached_folder(folder, fill).glob("*.o")))
