"""Whatever an image with a right digest says: one line, a fault, or the right result, from every command."""

import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from arch.errors import TaktError
from arch.image import Image
from runtime.images import load_image
from verif.bench import default_seed
from verif.runtime.command_line import takt
from verif.runtime.mutated_images import Contents, mutated, originals

QUICK, MANY = 80, 5_000
FAULT = re.compile(r"takt: error: [A-Z_]+ at unit \S+, cycle \d+(: .*)?\n")
PROGRESS = re.compile(r"(running|drawing) [\d,]+ cycles[^\n]*\n")
LINE = re.compile(r"takt: error: [^\n]+\n")


def lines(*arguments: object) -> tuple[int, str]:
    """Return the exit code of a command, and what it says about it; at most one line if it failed."""
    result = takt(*arguments)
    said = PROGRESS.sub("", result.stderr)
    if result.exit_code == 2:
        assert LINE.fullmatch(said), said
    else:
        assert result.exit_code in (0, 1) and not said, (result.exit_code, said)
    return result.exit_code, said


def loaded(path: Path) -> tuple[Image | None, str]:
    """Return an image, or why it is refused."""
    try:
        return load_image(path, None), ""
    except TaktError as error:
        return None, str(error)


def inputs_of(image: Image, folder: Path) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(5)
    arrays = {}
    for number, tensor in enumerate(image.inputs):
        arrays[tensor.name] = rng.integers(0, 5, tensor.shape).astype(tensor.dtype)
        np.save(folder / f"in{number}.npy", arrays[tensor.name])
    return arrays


def run(path: Path, image: Image, folder: Path) -> tuple[int, str, list[bytes]]:
    """Return exit code, complaint and outputs of ``takt run``."""
    given = [text for n, tensor in enumerate(image.inputs) for text in ("--in", f"{tensor.name}={folder}/in{n}.npy")]
    for number, tensor in enumerate(image.outputs):
        given += ["--out", f"{tensor.name}={folder}/out{number}.npy"]
    for file in folder.glob("out*"):
        file.unlink()
    code, said = lines("run", path, *given)
    return code, said, [(folder / f"out{n}.npy").read_bytes() for n in range(len(image.outputs)) if code != 2]


def same_program(first: Contents, second: Contents) -> bool:
    """Whether only what a run does not depend on was changed."""
    kept = ("config", "inputs", "outputs", "queues", "cycles")
    return (
        isinstance(first.header, dict)
        and all(first.header.get(key) == second.header.get(key) for key in kept)
        and all(
            name in first.arrays and np.array_equal(first.arrays[name], value) for name, value in second.arrays.items()
        )
    )


def judge(seed: int, folder: Path) -> str:
    """Make an image of a seed, give it to every command, and return what became of it."""
    contents, original, changes = mutated(np.random.default_rng(seed))
    path = folder / "image.takt"
    contents.write(path)
    print(f"seed {seed}: {', '.join(changes)}")
    image, reason = loaded(path)
    if image is None:
        for arguments in (["disasm", path], ["run", path], ["timetable", path, "-o", folder / "t.json"]):
            assert lines(*arguments) == (2, f"takt: error: {reason}\n")
        return "refused"
    assert lines("disasm", path)[0] == 0
    assert lines("timetable", path, "-o", folder / "t.json")[0] == 0
    json.loads((folder / "t.json").read_text())
    if seed % 16 == 0:
        assert lines("timetable", path, "-o", folder / "t.svg") in (
            (0, ""),
            (2, "takt: error: timetable must have an instruction to draw, not an empty program\n"),
        )
    if any(np.prod(tensor.shape) > 1 << 20 for tensor in image.inputs):
        return "too large to try"
    inputs_of(image, folder)
    code, said, outputs = run(path, image, folder)
    if same_program(contents, original):
        original.write(path)
        assert (code, said, outputs) == run(path, image, folder)
        return "right"
    return "fault" if FAULT.fullmatch(said) else "given up" if said else ["ran", "other cycles"][code]


def judge_all(seeds: range, folder: Path) -> Counter[str]:
    found = Counter(judge(seed, folder) for seed in seeds)
    print(dict(found))
    return found


def test_originals_are_right(tmp_path: Path) -> None:
    for original in originals():
        original.write(tmp_path / "image.takt")
        image = load_image(tmp_path / "image.takt", None)
        inputs_of(image, tmp_path)
        assert run(tmp_path / "image.takt", image, tmp_path)[:2] == (0, "")


def test_images_of_strangers(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    first = default_seed(request.node.nodeid)
    found = judge_all(range(first, first + QUICK), tmp_path)
    assert found["refused"] > QUICK / 4


@pytest.mark.long
def test_many_images_of_strangers(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    first = default_seed(request.node.nodeid)
    found = judge_all(range(first, first + MANY), tmp_path)
    assert all(found[kind] > MANY / 200 for kind in ("refused", "fault", "right", "ran"))


@pytest.mark.long
def test_commands_of_their_own_say_the_same(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    first = default_seed(request.node.nodeid)
    for seed in range(first, first + 8):
        mutated(np.random.default_rng(seed))[0].write(tmp_path / "image.takt")
        for arguments in (["disasm"], ["run"], ["timetable", "-o", str(tmp_path / "t.json")]):
            command = [sys.executable, "-m", "runtime", arguments[0], str(tmp_path / "image.takt"), *arguments[1:]]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            expected = takt(arguments[0], tmp_path / "image.takt", *arguments[1:])
            said = PROGRESS.sub("", done.stderr)
            assert (done.returncode, said) == (expected.exit_code, PROGRESS.sub("", expected.stderr)), seed
