import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from verif.arch.images import refusal, rewritten

Arrays = dict[str, Any]
Change = Callable[[Arrays], Any]


def put(name: str, place: tuple[int, ...], value: int) -> Change:
    def change(arrays: Arrays) -> None:
        arrays[name] = arrays[name].copy()
        arrays[name][place] = value

    return change


CASES: list[tuple[Change, str]] = [
    (lambda a: a.pop("queue_7"), "image must hold the array 'queue_7', which is missing"),
    (lambda a: a.pop("constant_words"), "image must hold the array 'constant_words', which is missing"),
    (lambda a: a.update(queue_9=a["queue_7"]), "arrays must be those that the header names, not 'queue_9'"),
    (lambda a: a.update(queue_7=a["queue_7"].astype(float)), "dtype of queue_7 must be uint64, not 'float64'"),
    (lambda a: a.update(queue_7=a["queue_7"].astype(">u8")), "dtype of queue_7 must be uint64, not '>u8'"),
    (lambda a: a.update(constant_addrs=np.array([1, 2])), "dtype of constant_addrs must be int32, not 'int64'"),
    (lambda a: a.update(queue_7=np.zeros((2, 2), np.uint64)), r"shape of queue_7 must be \(n,\) with .*, not \(2, 2\)"),
    (lambda a: a.update(queue_7=np.zeros((), np.uint64)), r"shape of queue_7 must be .*, not \(\)"),
    (lambda a: a.update(queue_7=np.zeros(2049, np.uint64)), r"shape of queue_7 must be .* at most 2048, not \(2049,\)"),
    (
        lambda a: a.update(constant_words=np.zeros((2, 9), np.uint8)),
        r"shape of constant_words must be \(n, 8\) with n at most 8192, not \(2, 9\)",
    ),
    (lambda a: a.update(constant_addrs=np.zeros(1, np.int32)), "rows of constant_addrs must be 2, .*, not 1"),
    (lambda a: a.update(input_0_slices=np.zeros(1, np.int32)), "rows of input_0_addrs must be 1, .*, not 2"),
    (put("constant_slices", (0,), 16), "constant_slices must be 0 to 15, not 16"),
    (put("constant_addrs", (1,), -1), "constant_addrs must be 0 to 511, not -1"),
    (put("input_0_slices", (1,), -7), "input_0_slices must be 0 to 15, not -7"),
    (put("output_1_addrs", (0,), 512), "output_1_addrs must be 0 to 511, not 512"),
    (put("input_0_index", (0, 0), -7), "index of input a must be -1 to 14, not -7"),
    (put("input_0_index", (0, 0), 15), "index of input a must be -1 to 14, not 15"),
    (put("output_0_index", (0, 2), 24), "index of output c must be -1 to 23, not 24"),
    (put("output_0_index", (2, 7), 0), "every byte of output c must be in MEM, not all but byte 23"),
    (put("output_1_index", (0, 1), -1), "every byte of output d must be in MEM, not all but byte 1"),
    (put("input_0_addrs", (1,), 0), "constants and inputs must have words of their own, not both word 0 of slice 0"),
    (
        lambda a: a.update(input_0_slices=a["constant_slices"], input_0_addrs=a["constant_addrs"]),
        "constants and inputs must have words of their own, not both word 10 of slice 1",
    ),
]


@pytest.mark.parametrize(("change", "message"), CASES, ids=[message[:40] for _, message in CASES])
def test_wrong_arrays(saved: Path, change: Change, message: str) -> None:
    rewritten(saved, lambda header, arrays: change(arrays))
    found = refusal(saved)
    assert found is not None
    assert re.match(f"{message}, in '.*program.takt'$", found), found


@pytest.mark.parametrize(
    ("role", "shape", "message"),
    [
        ("inputs", [3, 4], "index of input a must be -1 to 11, not 12"),
        ("outputs", [1, 3], "index of output c must be -1 to 11, not 12"),
        ("outputs", [2, 4], "every byte of output c must be in MEM, not all but byte 24"),
        ("outputs", [1 << 28], "every byte of output c must be in MEM, not all but byte 24"),
    ],
)
def test_shape_that_is_not_the_map_s(saved: Path, role: str, shape: list[int], message: str) -> None:
    rewritten(saved, lambda header, arrays: header[role][0].update(shape=shape))
    assert (refusal(saved) or "").startswith(message)


def test_an_input_of_which_a_part_is_read(saved: Path) -> None:
    rewritten(saved, lambda header, arrays: header["inputs"][0].update(shape=[30, 5]))
    assert refusal(saved) is None
