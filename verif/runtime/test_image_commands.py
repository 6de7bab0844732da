import json
import re

import numpy as np
import pytest

from arch.image import Image
from arch.isa.encoding import assemble
from arch.presets import preset
from runtime.timetable.trace import trace_events
from verif.bits import same_bits
from verif.runtime.command_line import refusal, takt
from verif.runtime.hand_made import ROWS, endless_image, relu_image

CONFIG = preset("nano")


@pytest.fixture
def image(tmp_path):
    path = tmp_path / "relu.takt"
    relu_image(CONFIG).save(path)
    return path


@pytest.fixture
def x(tmp_path):
    values = np.random.default_rng(3).integers(-128, 128, (ROWS, CONFIG.vector_length), dtype=np.int8)
    np.save(tmp_path / "x.npy", values)
    return values


def test_disassembly_assembles_to_the_same_words(image):
    text = takt("disasm", image).stdout
    found = [assemble(line.partition(";")[0]) for line in text.splitlines() if line.startswith("  ")]
    queues = Image.load(image).queues
    assert found == [int(word) for queue in sorted(queues) for word in queues[queue]]
    assert "MEM_W0:" in text
    assert "MEM_E0:" not in takt("disasm", image, "--unit", "MEM_W0").stdout
    assert refusal("disasm", image, "--unit", "MEM").endswith("not 'MEM'")


def test_run_computes_and_writes(image, x, tmp_path):
    result = takt("run", image, "--in", f"x={tmp_path}/x.npy", "--out", f"y={tmp_path}/y.npy")
    assert result.exit_code == 0, result.stderr
    same_bits(np.load(tmp_path / "y.npy"), np.maximum(x, 0))
    cycles = Image.load(image).cycles
    assert result.stdout == f"{cycles} cycles, {cycles} predicted\n"


def test_run_fails_when_the_prediction_is_wrong(x, tmp_path):
    right = relu_image(CONFIG)
    wrong = Image(**{**vars(right), "cycles": right.cycles + 1})
    wrong.save(tmp_path / "wrong.takt")
    assert takt("run", tmp_path / "wrong.takt", "--in", f"x={tmp_path}/x.npy").exit_code == 1


def test_a_program_without_end_is_given_up(tmp_path):
    endless = endless_image(CONFIG)
    endless.save(tmp_path / "endless.takt")
    assert refusal("run", tmp_path / "endless.takt") == "program must end within 10150 cycles, not run on"
    assert takt("timetable", tmp_path / "endless.takt", "-o", tmp_path / "t.json").exit_code == 0
    spans = [event for event in json.loads((tmp_path / "t.json").read_text())["traceEvents"] if event["ph"] == "X"]
    starts = [event["ts"] for event in spans if event["name"] == "IFETCH"]
    assert len(starts) > 40
    assert max(starts) <= endless.limit


@pytest.mark.parametrize("work", ["a $x^$ b", "<b>&amp;", "50 % \N{LATIN SMALL LETTER E WITH ACUTE}", "%s {0}"])
def test_any_name_can_be_drawn(work, tmp_path):
    Image(**{**vars(relu_image(CONFIG)), "notes": {"work": work}}).save(tmp_path / "named.takt")
    assert takt("timetable", tmp_path / "named.takt", "-o", tmp_path / "named.svg").exit_code == 0
    assert takt("disasm", tmp_path / "named.takt").stdout.startswith(f"; {work}\n")


def test_run_refuses_wrong_tensors(image, x, tmp_path):
    file = tmp_path / "x.npy"
    assert refusal("run", image, "--in", f"z={file}").endswith("not 'z'")
    assert refusal("run", image, "--in", file).startswith("--in must be NAME=FILE.npy")
    assert refusal("run", image).startswith("input 'x' is missing: int8 of shape")
    assert refusal("run", image, "--in", f"x={file}", "--out", f"z={file}").endswith("not 'z'")
    assert "no folder" in refusal("run", image, "--in", f"x={file}", "--out", f"y={tmp_path}/no/y.npy")
    np.save(file, x[1:])
    assert refusal("run", image, "--in", f"x={file}").startswith(f"input x must be int8 of shape {x.shape}, not int8")
    np.save(file, x.astype(np.int16))
    assert "must be int8, not int16" in refusal("run", image, "--in", f"x={file}")


@pytest.mark.parametrize("command", ["disasm", "run", "timetable"])
def test_wrong_images_are_refused(command, image, tmp_path):
    more = ["-o", tmp_path / "out.svg"] if command == "timetable" else []
    assert "nano" in refusal(command, image, "--preset", "small", *more)
    assert "cannot read image" in refusal(command, tmp_path / "none.takt", *more)
    content = image.read_bytes()
    image.write_bytes(content[: len(content) // 2])
    assert "damaged" in refusal(command, image, *more)
    image.write_bytes(b"")
    assert "damaged" in refusal(command, image, *more)
    damaged = bytearray(content)
    for place in range(len(content) // 2, len(content) // 2 + 9):
        damaged[place] ^= 1
    image.write_bytes(damaged)
    assert "damaged" in refusal(command, image, *more)


def test_timetable_pictures(image, tmp_path):
    svg = tmp_path / "relu.svg"
    assert takt("timetable", image, "-o", svg).exit_code == 0
    text = svg.read_text()
    assert all(name in text for name in ("MEM_W0", "VXM_0", "MEM_E0", "RELU"))
    assert "MEM_W1" not in text
    takt("timetable", image, "-o", tmp_path / "again.svg")
    assert (tmp_path / "again.svg").read_text() == text
    takt("timetable", image, "-o", tmp_path / "relu.png")
    assert (tmp_path / "relu.png").read_bytes().startswith(b"\x89PNG")
    assert ".svg or .png or .json" in refusal("timetable", image, "-o", tmp_path / "relu.pdf")


def test_trace_events_carry_every_cycle(image, tmp_path):
    takt("timetable", image, "-o", tmp_path / "relu.json")
    trace = json.loads((tmp_path / "relu.json").read_text())
    assert trace == json.loads(json.dumps(trace_events(Image.load(image))))
    spans = [event for event in trace["traceEvents"] if event["ph"] == "X"]
    names = {event["tid"]: event["args"]["name"] for event in trace["traceEvents"] if event["name"] == "thread_name"}
    assert [(names[event["tid"]], event["name"], event["dur"]) for event in spans] == [
        ("MEM_W0", "READ", ROWS),
        ("MEM_E0", "WRITE", ROWS),
        ("VXM_0", "RELU", ROWS),
    ]


def test_picture_of_the_chip(tmp_path):
    assert takt("picture", "--preset", "groqchip", "-o", tmp_path / "chip.svg").exit_code == 0
    text = (tmp_path / "chip.svg").read_text()
    assert "144 queues" in text
    assert len(re.findall(r">MEM<", text)) == 22
