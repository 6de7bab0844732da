import re

import numpy as np
import pytest

from arch.geometry import units
from arch.image import Image
from arch.isa.encoding import disassemble
from arch.presets import preset
from runtime.waves.hierarchy import read_hierarchy
from verif.runtime.command_line import refusal, takt
from verif.runtime.fst import signal_names
from verif.runtime.hand_made import ROWS, relu_image

CONFIG = preset("nano")

NETLIST = r"""
module \top
  wire width 4 input 2  \a
  wire \b
  wire \b$1
  cell $add $5
  cell \top.child \child$7
  cell \takt_sram \words
end
module \top.child
  wire width 2 output 0  \q
end
"""


def test_hierarchy_of_a_netlist():
    top = read_hierarchy(NETLIST, "top")
    assert top.trace("a") == "top.a[3:0]"
    assert top.trace("b") == "top.b"
    (child,) = top.children()
    assert child.trace("q") == "top.child$7.q[1:0]"
    assert child.wires["q"].role == "output"
    assert top.having("q") == [child]
    assert top.having("q", "b") == []


@pytest.mark.parametrize("simulator", ["icarus", pytest.param("verilator", marks=pytest.mark.long)])
def test_a_waveform_has_all_that_its_save_file_shows(simulator, tmp_path):
    image = relu_image(CONFIG)
    image.save(tmp_path / "relu.takt")
    np.save(tmp_path / "x.npy", np.ones((ROWS, CONFIG.vector_length), np.int8))
    wave = tmp_path / "relu.fst"
    arguments = ["--in", f"x={tmp_path}/x.npy", "--backend", simulator, "--wave", wave]
    result = takt("run", tmp_path / "relu.takt", *arguments)
    assert result.exit_code == 0, result.stderr
    save = (tmp_path / "relu.gtkw").read_text()
    shown = re.findall(r"^\+\{.*?\} (\S+)$", save, re.MULTILINE)
    assert set(shown) <= signal_names(wave)
    groups = re.findall(r"^@[8c]00200\n-(.*)$", save, re.MULTILINE)
    assert groups == ["host", "run", *(units(CONFIG)[queue].name for queue in sorted(image.queues))]
    assert save.count("^1 ") == len(image.queues)
    assert f'[dumpfile] "{wave}"' in save
    filters = dict(line.split(" ", 1) for line in (tmp_path / "relu.mnemonics").read_text().splitlines())
    words = {int(word) for queue in Image.load(tmp_path / "relu.takt").queues.values() for word in queue}
    assert filters == {f"{word:016x}": disassemble(word) for word in words}


def test_the_golden_model_has_no_waveform(tmp_path):
    relu_image(CONFIG).save(tmp_path / "relu.takt")
    assert "not 'golden'" in refusal("run", tmp_path / "relu.takt", "--wave", tmp_path / "relu.fst")
