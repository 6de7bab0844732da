import re
import tomllib
from collections import Counter
from itertools import pairwise
from math import log2

import pytest

from arch.geometry import units
from arch.image import Image
from arch.isa.encoding import disassemble
from arch.presets import preset
from hdl.host.run_control import drain_cycles
from runtime.rtl_backend import build_chip
from runtime.run import RunResult
from runtime.waves.gtkwave import save_file, word_filter
from runtime.waves.hierarchy import read_hierarchy
from runtime.waves.surfer import command_file, decoder_toml
from runtime.waves.view import Group, Trace, View, view_of
from verif.runtime.command_line import refusal
from verif.runtime.hand_made import relu_image
from verif.runtime.waves.conftest import Recorded

CONFIG = preset("nano")
PERIOD = 1000

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


def header(recorded: Recorded) -> dict[str, str]:
    save = recorded.wave.with_suffix(".gtkw").read_text()
    found = dict(re.findall(r"^\[(\w+)\] (.*)$", save, re.MULTILINE))
    zoom = re.search(r"^\*(\S+) (.*)$", save, re.MULTILINE)
    assert zoom is not None
    return {**found, "zoom": zoom[1], "markers": zoom[2]}


def runs(recorded: Recorded) -> list[tuple[int, int]]:
    """(first cycle, end) of each run by the chip's own count."""
    edges = [time for time, value in recorded.changes("chip.control.run") if time]
    first = dict(recorded.changes("chip.control.cycle"))
    assert first[edges[1] - PERIOD] == recorded.image.cycles
    return [(edges[0], edges[1] - PERIOD)]


def test_the_view_opens_on_the_run(recorded):
    ((begin, end),) = runs(recorded)
    assert end - begin == recorded.image.cycles * PERIOD
    found = header(recorded)
    assert int(found["timestart"]) == begin - PERIOD
    assert list(map(int, found["markers"].split()))[:4] == [begin, begin, end, -1]
    # GTKWave draws 200 pixels per 2 ** -zoom units of time.
    shown = (int(found["size"].split()[0]) - int(found["signals_width"]) - 100) / 200 * 2 ** -float(found["zoom"])
    assert shown == pytest.approx(end - begin + 2 * PERIOD, rel=1e-3)


def test_the_waveform_has_all_that_is_shown(recorded):
    save = recorded.wave.with_suffix(".gtkw").read_text()
    shown = re.findall(r"^\+\{.*?\} ([^\s\[]+)(?:\[(\d+):0\])?$", save, re.MULTILINE)
    assert len(shown) > 300
    for name, top in shown:
        assert recorded.signals[name].bitwidth == int(top or 0) + 1, name
    commands = recorded.wave.with_suffix(".sucl").read_text()
    added = re.findall(r"^variable_add (\S+)$", commands, re.MULTILINE)
    assert set(added) == {name for name, _ in shown} & set(added)
    assert len(added) > 40


def groups(recorded: Recorded) -> list[tuple[str, bool, list[str]]]:
    """(title, folded, labels) of each group."""
    save = recorded.wave.with_suffix(".gtkw").read_text()
    blocks = re.findall(r"^@([8c])00200\n-(.*)\n((?:[^-].*\n)*?)@(?:1000200|1401200)\n-\2$", save, re.MULTILINE)
    return [(name, flag == "c", re.findall(r"^\+\{(.*?)\}", body, re.MULTILINE)) for flag, name, body in blocks]


def test_units_that_work_come_first_and_unfolded(recorded):
    found = groups(recorded)
    every = [unit.name for unit in units(CONFIG)]
    working = [units(CONFIG)[queue].name for queue in recorded.image.queues]
    unfolded = [name for name, folded, _ in found if not folded]
    assert unfolded[:2] == ["run", "program"]
    assert sorted(unfolded[2:]) == sorted(working)
    folded = [name for name, folded, _ in found if folded]
    assert folded == ["host", "faults", *(name for name in every if name not in working)]
    lines = {name: labels for name, _, labels in found}
    assert lines["program"] == [name.replace(".", "_") for name in unfolded[2:]]
    assert all(lines[name][:2] == ["instruction", "issue"] for name in every)
    # In the order in which they begin: READs first, the product's results last.
    assert working.index("MEM_W3") >= 0 and unfolded[-1].startswith("MXM") and unfolded[-1].endswith("R")


def test_instructions_are_text(recorded):
    words = {int(word) for queue in recorded.image.queues.values() for word in queue}
    for form, text_of in (("mnemonic", lambda word: disassemble(word).split()[0]), ("instruction", disassemble)):
        lines = recorded.wave.with_suffix(f".{form}s").read_text().splitlines()
        found = {line[:16]: re.sub(r"^ \?\w+\?", "", line[16:]) for line in lines}
        assert found == {f"{0:016x}": " ", **{f"{word:016x}": text_of(word) for word in words}}
    queues = [name for name in recorded.signals if re.search(r"\.unit_\w+__issue_word$", name)]
    assert len(queues) == len(units(CONFIG))
    issued = {value for name in queues for _, value in recorded.changes(name)}
    assert issued - {0} <= words


def view(runs: int) -> View:
    group = Group("one", (Trace("chip.a[3:0]", "a", "hex"),), False)
    return View("work: #1; more", (group,), (0x47,), tuple((1000 * n, 1000 * n + 500) for n in range(1, runs + 1)))


@pytest.mark.parametrize("number", [1, 2, 13, 40])
def test_every_run_has_markers_as_long_as_there_are_letters(number, tmp_path):
    text = save_file(view(number), tmp_path / "a.fst", tmp_path / "a.gtkw", {})
    ((zoom, numbers),) = re.findall(r"^\*(\S+) (.*)$", text, re.MULTILINE)
    found = list(map(int, numbers.split()))
    times = [time for run in view(number).runs for time in run][:26]
    assert found == [1000, *times, *[-1] * (26 - len(times))]
    assert float(zoom) == pytest.approx(-log2(2500 * 200 / 1240), abs=1e-5)
    assert word_filter(view(number), "mnemonic").splitlines()[1].endswith("?.word")


def test_a_view_of_several_runs_by_a_strange_name():
    emitted = build_chip(CONFIG, "icarus").emitted
    chip = read_hierarchy(emitted.rtlil.read_text(), emitted.top)
    relu = relu_image(CONFIG)
    image = Image(**{**vars(relu), "notes": {"work": "two\n lines"}})
    results = [RunResult({}, 12, None, 1.0, began) for began in (5000, 90_000)]
    found = view_of(image, results, chip)
    assert found.title == "two lines on nano: 12 cycles"
    assert found.runs == ((5000, 17_000), (90_000, 102_000))
    assert (found.start, found.stop) == (4000, 18_000)
    assert [trace.label for trace in found.groups[1].traces] == ["MEM_W0", "VXM_0", "MEM_E0"]


def test_the_golden_model_has_no_waveform(tmp_path):
    relu_image(CONFIG).save(tmp_path / "relu.takt")
    assert "not 'golden'" in refusal("run", tmp_path / "relu.takt", "--wave", tmp_path / "relu.fst")


def test_surfer_is_told_the_same(recorded):
    ((begin, end),) = runs(recorded)
    lines = recorded.wave.with_suffix(".sucl").read_text().splitlines()
    assert lines[-2:] == [f"cursor_set {begin}", f"zoom_to {begin - PERIOD} {end + PERIOD}"]
    assert f"marker_set start_1 {begin}" in lines and f"marker_set end_1 {end}" in lines
    dividers = [line.split()[1] for line in lines if line.startswith("divider_add")]
    assert dividers[1:] == [name for name, folded, _ in groups(recorded) if not folded]
    words = Counter(line.split(maxsplit=1)[0] for line in lines if not line.startswith("#"))
    assert set(words) <= {
        *("zoom_fit", "zoom_to", "divider_add", "item_focus", "variable_add", "item_set_format", "marker_set"),
        "cursor_set",
    }
    # A format follows the variable that it is for.
    for before, line in pairwise(lines):
        if line == "item_set_format takt":
            assert before.endswith("__issue_word")
    decoder = recorded.wave.parent / ".surfer" / "decoders" / "takt" / "takt.toml"
    assert tomllib.loads(decoder.read_text()) == tomllib.loads(decoder_toml())


def test_surfers_commands_are_single_words():
    assert "divider_add work:_1_more" in command_file(view(1)).splitlines()


def test_the_drain_is_before_the_view(recorded):
    ((begin, _),) = runs(recorded)
    starts = [time for time, value in recorded.changes("chip.control.start") if value]
    assert starts[-1] == begin - drain_cycles(CONFIG) * PERIOD
