import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from arch.errors import TaktError
from arch.image import Image
from arch.image_file import digest_of, write_arrays
from arch.image_header import HEADER_BYTES
from verif.arch.images import refusal, rewritten, sample

Change = Callable[[dict[str, Any]], Any]

CASES: list[tuple[Change, str]] = [
    (lambda h: h.pop("config"), "header must have the key 'config', not only 'cycles', 'fingerprint', "),
    (lambda h: h.pop("notes"), "header must have the key 'notes', not only "),
    (lambda h: h.update(extra=1), "keys of the header must be among format, version, .*, not 'extra'"),
    (lambda h: h.update(config=7), "config must be an object of parameters, not 7"),
    (lambda h: h["config"].update(lanes=5), "lanes must be 4, 8 or 16, not 5"),
    (lambda h: h["config"].update(lanes=True), "lanes must be of type int, not True"),
    (lambda h: h["config"].update(ecc=0), "ecc must be of type bool, not 0"),
    (lambda h: h["config"].update(mem_depth=10**400), "mem_depth must be .*, not an integer of 1329 bits"),
    (lambda h: h["config"].update(clock_hz=1e300), "clock_hz must be 1e3 to 1e11, not 1e[+]300"),
    (
        lambda h: h["config"].update(name="a\nb"),
        r"name of the machine must be 1 to 256 printable characters, not 'a\\nb'",
    ),
    (lambda h: h["config"].pop("streams"), "parameters must include 'streams'"),
    (lambda h: h["config"].update(superlanes=3), "image must be of a version of Takt whose machine .*, not '"),
    (lambda h: h.update(fingerprint=12), "image must be of a version of Takt whose machine .*, not 12"),
    (lambda h: h.update(cycles="many"), "cycles must be an integer from 0 to 281474976710655, not 'many'"),
    (lambda h: h.update(cycles=-5), "cycles must be .*, not -5"),
    (lambda h: h.update(cycles=True), "cycles must be .*, not True"),
    (lambda h: h.update(cycles=42.0), "cycles must be .*, not 42.0"),
    (lambda h: h.update(cycles=1 << 48), "cycles must be .*, not 281474976710656"),
    (lambda h: h.update(queues=[0, 999]), "queue must be an integer from 0 to 57, not 999"),
    (lambda h: h.update(queues=[0, -1]), "queue must be .*, not -1"),
    (lambda h: h.update(queues=[0, False]), "queue must be .*, not False"),
    (lambda h: h.update(queues=[0, 7, 7]), "queues must be named once, not 7 again"),
    (lambda h: h.update(queues={"0": 7}), "queues must be a list, not {'0': 7}"),
    (lambda h: h.update(notes=[]), r"notes must be an object, not \[\]"),
    (lambda h: h["notes"].update(colour=1), "notes must be among work, macs, .*, not 'colour'"),
    (lambda h: h["notes"].update(work=5), "work must be 1 to 256 printable characters, not 5"),
    (lambda h: h["notes"].update(work="\x1b[2J"), r"work must be .*, not '\\x1b\[2J'"),
    (lambda h: h["notes"].update(macs=-1), "macs must be an integer from 0 to .*, not -1"),
    (lambda h: h["notes"].update(planes=[0]), r"planes must be an integer .*, not \[0\]"),
    (lambda h: h.update(inputs=None), "inputs must be a list, not None"),
    (lambda h: h["inputs"].append("b"), "input must be an object of name, dtype, shape, not 'b'"),
    (lambda h: h["inputs"][0].pop("dtype"), "input must have the key 'dtype', not only 'name', 'shape'"),
    (lambda h: h["inputs"][0].update(lanes=1), "keys of the input must be among name, dtype, shape, not 'lanes'"),
    (lambda h: h["inputs"][0].update(name=3), "name of an input must be 1 to 256 printable characters, not 3"),
    (lambda h: h["inputs"][0].update(name=""), "name of an input must be .*, not ''"),
    (lambda h: h["inputs"][0].update(name="\ud800"), r"name of an input must be .*, not '\\ud800'"),
    (lambda h: h["inputs"][0].update(name="n" * 9999), "name of an input must be .*, not 'nnnnn"),
    (lambda h: h["outputs"][1].update(name="c"), "name of an output must be new, not 'c'"),
    (
        lambda h: h["inputs"][0].update(dtype="float64"),
        "dtype of input a must be one of uint8, int8, .*, not 'float64'",
    ),
    (lambda h: h["inputs"][0].update(dtype="object"), "dtype of input a must be one of .*, not 'object'"),
    (lambda h: h["inputs"][0].update(dtype=["int8"]), r"dtype of input a must be one of .*, not \['int8'\]"),
    (lambda h: h["inputs"][0].update(shape=15), "shape of input a must be a list, not 15"),
    (lambda h: h["inputs"][0].update(shape=[3, 0]), "size of input a must be an integer from 1 to .*, not 0"),
    (lambda h: h["inputs"][0].update(shape=[3, "5"]), "size of input a must be .*, not '5'"),
    (
        lambda h: h["inputs"][0].update(shape=[3, 10**30]),
        "size of input a must be .*, not 1000000000000000000000000000000",
    ),
    (lambda h: h["inputs"][0].update(shape=[1] * 33), "rank of input a must be at most 32, not 33"),
    (
        lambda h: h["inputs"][0].update(shape=[1 << 20] * 9),
        r"shape of input a must be of at most .*, not \[1048576, .*\]",
    ),
]


@pytest.mark.parametrize(("change", "message"), CASES, ids=[message[:40] for _, message in CASES])
def test_wrong_header(saved: Path, change: Change, message: str) -> None:
    rewritten(saved, lambda header, arrays: change(header))
    found = refusal(saved)
    assert found is not None
    assert re.match(f"{message}.*, in '.*program.takt'$", found), found
    assert "\n" not in found
    assert len(found) < 1000


def test_cases_begin_with_a_right_header(saved: Path) -> None:
    rewritten(saved)
    assert refusal(saved) is None


@pytest.mark.parametrize(
    "change",
    [
        lambda text: b"",
        lambda text: text[:-1],
        lambda text: b"[" + text + b"]",
        lambda text: b"null",
        lambda text: b"{}",
        lambda text: b"[" * 100_000,
        lambda text: text.replace(b'"cycles": 42', b'"cycles": NaN'),
        lambda text: text.replace(b'"cycles": 42', b'"cycles": Infinity'),
        lambda text: text.replace(b'"cycles": 42', b'"cycles": 1e999'),
        lambda text: text.replace(b'"cycles": 42', b'"cycles": 42, "cycles": 42'),
        lambda text: text.replace(b'"cycles": 42', b'"cycles": ' + b"4" * 5000),
        lambda text: text.decode().encode("utf-16"),
        lambda text: text.replace(b'"a"', b'"\xff"'),
        lambda text: text + b" " * HEADER_BYTES,
    ],
)
def test_what_is_not_the_json_of_an_image(saved: Path, change: Callable[[bytes], bytes]) -> None:
    with np.load(saved) as file:
        arrays = {name: file[name] for name in file.files if name != "digest"}
    text = arrays["header"].tobytes()
    assert change(text) != text
    arrays["header"] = np.frombuffer(change(text), np.uint8)
    write_arrays(saved, arrays | {"digest": np.frombuffer(digest_of(arrays), np.uint8)})
    assert (refusal(saved) or "").endswith("is not a Takt image, or is damaged")


@pytest.mark.parametrize("change", [{"cycles": -1}, {"notes": {"work": "a\nb"}}, {"queues": {58: []}}])
def test_what_could_not_be_read_again_is_not_written(tmp_path: Path, change: dict[str, Any]) -> None:
    with pytest.raises(TaktError, match="must be"):
        Image(**{**vars(sample()), **change}).save(tmp_path / "program.takt")
    assert not [*tmp_path.iterdir()]
