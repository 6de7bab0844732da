"""Faults of the netlist as a whole."""

from pathlib import Path

from synth.yosys import run_yosys


def check_flat(rtlil: Path, folder: Path) -> None:
    """Flatten an elaborated design, and look for combinational loops and for nets with no or several drivers.

    Modules by themselves are checked where they are mapped; this finds what goes through several of them.

    Parameters
    ----------
    rtlil : Path
        Elaborated design, with its top module marked.
    folder : Path
        Existing folder to run in.

    Raises
    ------
    YosysFailed
        With what was found.
    """
    run_yosys([f"read_rtlil {rtlil.resolve()}", "hierarchy -auto-top", "flatten", "opt_clean", "check -assert"], folder)
