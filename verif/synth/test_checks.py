"""What must not be in a netlist is found."""

from pathlib import Path

import pytest

from synth.checks import check_flat
from synth.design import elaborate_component
from synth.hierarchy import elaborate
from synth.mapping import map_module
from synth.yosys import YosysFailed
from verif.synth.designs import Ring, Tree


def elaborated(verilog: str, folder: Path) -> str:
    """Return RTLIL of one module called ``top``, elaborated as the chip is."""
    (folder / "top.sv").write_text(verilog)
    (folder / "empty.il").write_text("")
    design = elaborate(folder / "empty.il", [folder / "top.sv"], "top", folder)
    return design.standalone("\\top")


def test_latch(tmp_path: Path) -> None:
    latch = "module top(input g, input d, output reg q); always @* if (g) q = d; endmodule"
    with pytest.raises(YosysFailed, match="[Ll]atch inferred"):
        elaborated(latch, tmp_path)


def test_loop_in_a_module(tmp_path: Path) -> None:
    ring = "module top(input a, output q); wire b = q & a; assign q = ~b; endmodule"
    with pytest.raises(YosysFailed, match="Found 1 problem"):
        map_module(elaborated(ring, tmp_path), tmp_path / "cache")


def test_loop_through_modules(tmp_path: Path) -> None:
    elaborate_component(Ring(), tmp_path)
    with pytest.raises(YosysFailed, match="Found 1 problem"):
        check_flat(tmp_path / "elaborated.il", tmp_path)


def test_sound_design(tmp_path: Path) -> None:
    elaborate_component(Tree(), tmp_path)
    check_flat(tmp_path / "elaborated.il", tmp_path)
