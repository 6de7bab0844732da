"""What is too large is refused by arithmetic: before an array of its size is made, and before anything is compiled."""

import re
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from arch.errors import TaktError
from arch.presets import preset
from compiler import driver
from compiler.expression.functions import exp
from compiler.ir.tensor import MOST_ELEMENTS, join
from compiler.program import Program
from runtime.backend import make_backend
from verif.bits import same_bits
from verif.compiler.expressions import run_golden

SMALL = preset("small")
LARGEST = SMALL.replace(superlanes=20, mem_slices=44, mem_depth=8192)

Build = Callable[[Program], Any]

A_MILLION = 10**6
FITS = "must fit the MEM of small, 1310720 bytes, not need"


def row(program: Program, size: int, dtype: str = "int8") -> Any:
    return program.input("row", (1, size), dtype)


def column(program: Program, size: int, dtype: str = "int8") -> Any:
    return program.input("column", (size, 1), dtype)


def compiled(program: Program, result: Any) -> Any:
    program.output("y", result)
    return program.compile()


CASES: dict[str, tuple[Build, str]] = {
    "input": (lambda p: p.input("x", (A_MILLION, A_MILLION)), f"x {FITS} 1000000000000 .999998689280 too many"),
    "input of more than int64 counts": (
        lambda p: p.input("x", (10**12, 10**12), "float32"),
        f"x {FITS} 4000000000000000000000000 ",
    ),
    "input of thousands of digits": (lambda p: p.input("x", (10**5000,)), f"x {FITS} an integer of 16610 bits "),
    "state": (lambda p: p.state("h", (A_MILLION, 64), "float32"), f"h {FITS} 256000000 .254689280 too many"),
    "repeated constant": (
        lambda p: p.constant("c", np.broadcast_to(np.int8(1), (A_MILLION, A_MILLION))),
        f"c {FITS} 1000000000000 ",
    ),
    "whole input": (lambda p: p.map(exp, p.input("x", (20_000, 20_000), "float32")), f"x {FITS} 1600000000 "),
    "padded view": (
        lambda p: row(p, 100).pad(((0, A_MILLION), (10**4, 0))),
        f"view of row must have at most {MOST_ELEMENTS} elements, not 10100010100, of shape .1000001, 10100.",
    ),
    "windows": (
        lambda p: p.input("x", (20_000, 8)).view().windows((10_000,)),
        f"view of x must have at most {MOST_ELEMENTS} elements, not 800080000, of shape .10001, 10000, 8.",
    ),
    "outer sum": (
        lambda p: p.map(lambda a, b: a + b, row(p, 10**5), column(p, 10**5)),
        f"view of row must have at most {MOST_ELEMENTS} elements, not 10000000000, ",
    ),
    "smaller outer sum": (
        lambda p: p.map(lambda a, b: a + b, row(p, 10**4), column(p, 10**4), dtype="int32"),
        f"map0 {FITS} 400000000 ",
    ),
    "reduction of an outer sum": (
        lambda p: p.reduce((row(p, 10**5), column(p, 10**5)), "max", 0, function=lambda a, b: a + b),
        f"view of row must have at most {MOST_ELEMENTS} elements, not 10000000000, ",
    ),
    "outer product": (
        lambda p: compiled(p, p.matmul(column(p, 10**5), row(p, 10**5))),
        "big must fit the MEM of small, 1310720 bytes, not need 400[0-9]{8} ",
    ),
    "outer product with an epilogue": (
        lambda p: p.matmul(column(p, 10**5), row(p, 10**5), relu=True),
        f"y0 {FITS} 10000000000 ",
    ),
    "product": (
        lambda p: compiled(p, p.matmul(p.input("a", (9000, 9000)), p.input("b", (9000, 9000)))),
        "big must fit the MEM of small, 1310720 bytes, not need 48[0-9]{7} ",
    ),
}


@pytest.fixture
def attempts(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Return a list that grows with every attempt to build an image."""
    found: list[object] = []

    build = driver._build

    def counted(*given: Any) -> Any:
        found.append(given)
        return build(*given)

    monkeypatch.setattr(driver, "_build", counted)
    return found


@pytest.mark.parametrize("case", CASES)
def test_too_large(case: str, attempts: list[object]) -> None:
    build, message = CASES[case]
    program = Program(SMALL, "big")
    tracemalloc.start()
    with pytest.raises(TaktError) as caught:
        build(program)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert re.match(message, str(caught.value)), str(caught.value)
    assert peak < 1 << 24, peak
    assert attempts == []


@pytest.mark.parametrize("dtype", ["int8", "int16", "int32", "float16", "float32"])
def test_numbers_of_bytes_fit_int32(dtype: str) -> None:
    assert MOST_ELEMENTS * np.dtype(dtype).itemsize <= 1 << 31
    assert LARGEST.mem_bytes <= MOST_ELEMENTS


def test_what_just_fits_is_declared() -> None:
    program = Program(SMALL, "fits")
    program.state("h", (SMALL.mem_bytes // 64, 64), "int8")
    with pytest.raises(
        TaktError, match=r"g must fit the MEM of small, 1310720 bytes, not need 1310736 \(16 too many\)"
    ):
        program.state("g", (SMALL.mem_bytes // 16 + 1, 16), "int8")


def test_part_of_a_constant_that_does_not_fit_is_used() -> None:
    rng = np.random.default_rng(3)
    values = rng.integers(-128, 128, (40, 8, 256), dtype=np.int8)
    nano = preset("nano")
    assert values.nbytes > nano.mem_bytes
    program = Program(nano, "a part")
    program.output("y", program.map(lambda a: a + 1, program.constant("c", values)[7]))
    assert program.compile().cycles > 0


# Views with zeros, or with an element twice: the host reads a copy.

VIEWS: dict[str, Callable[[Any], Any]] = {
    "padded": lambda y: y.pad(((0, 1), (0, 0))),
    "one zero": lambda y: y[0:1, 0:1].pad(((0, 1), (0, 0))),
    "zeros alone": lambda y: y.pad(((0, 1), (0, 0)))[4:],
    "a row twice": lambda y: y[np.array([0, 1, 0])],
    "every row twice": lambda y: y[np.repeat(np.arange(4), 2)],
    "a column twice": lambda y: y[:, np.array([3, 1, 3])],
    "windows that overlap": lambda y: y.view().windows((2,)),
}


@pytest.mark.parametrize("case", VIEWS)
def test_views_that_are_outputs(case: str) -> None:
    x = np.random.default_rng(5).integers(-100, 100, (4, 16)).astype(np.float32)
    program = Program(SMALL)
    y = program.map(lambda a: a + 1.0, program.input("x", x.shape, "float32"))
    view = VIEWS[case](y)
    program.output("y", view)
    wanted = np.where(view.elements < 0, np.float32(0), (x + np.float32(1)).reshape(-1)[view.elements])
    same_bits(run_golden(program.compile(), x=x)["y"], wanted)


@pytest.mark.parametrize("name", ["", "a\nb", "\x1b[1m", "n" * 257, "\ud800"])
def test_names_that_no_line_holds(name: str) -> None:
    program = Program(SMALL)
    y = program.map(exp, program.input("x", (4, 16), "float32"))
    for declare in (lambda: program.output(name, y), lambda: program.input(name, (4, 4)), lambda: Program(SMALL, name)):
        with pytest.raises(TaktError, match="must be 1 to 256 printable characters, not "):
            declare()


@pytest.mark.parametrize(
    ("arrange", "message"),
    [
        (lambda x: x.reshape(10**30), "shape must have the 64 elements of x, not .1000000000000000000000000000000,."),
        (lambda x: x.reshape(5, 13), "shape must have the 64 elements of x, not .5, 13."),
        (lambda x: x.transpose(0, 0), "axes must be a permutation of the 2 axes of x, not .0, 0."),
        (lambda x: x.transpose(0, 1, 2), "axes must be a permutation of the 2 axes of x, not .0, 1, 2."),
        (lambda x: x[10**30], "index of x must fit the shape .4, 16.: "),
        (lambda x: x.pad(((1, 1),)), "widths must be .before, after., at least 0, per axis of .4, 16., not "),
        (lambda x: x.pad(((1, 1), (0, -1))), "widths must be .before, after., at least 0, per axis of .4, 16., not "),
        (lambda x: x.view().windows((5,)), "windows must be within .4, 16., at a stride from 1, not .5,. at 1"),
        (lambda x: x.view().windows((1, 1, 1)), "windows must be within .4, 16., at a stride from 1, not "),
        (lambda x: x.view().windows((2,), 0), "windows must be within .4, 16., at a stride from 1, not .2,. at 0"),
        (lambda x: x[0:0], "view of x must have an element, not the shape .0, 16."),
        (lambda x: x[:, 3:3], "view of x must have an element, not the shape .4, 0."),
        (lambda x: x[np.zeros((2, 0), np.int64)], "view of x must have an element, not the shape .2, 0, 16."),
        (lambda x: join([]), "parts must be at least one, not none"),
        (lambda x: join([x, x[:, 1:]]), "parts must differ along axis 0 only, not be of .4, 16., .4, 15."),
        (lambda x: join([x, x], 2), "parts must differ along axis 2 only, not be of "),
    ],
)
def test_views_that_are_none(arrange: Callable[[Any], Any], message: str) -> None:
    with pytest.raises(TaktError, match=message):
        arrange(Program(SMALL).input("x", (4, 16)))


@pytest.mark.parametrize("axis", [0, 1, -1, -2])
def test_parts_that_fit(axis: int) -> None:
    x = Program(SMALL).input("x", (4, 16))
    joined = join([x, x], axis)
    np.testing.assert_array_equal(joined.elements, np.concatenate([x.view().elements] * 2, axis))
    np.testing.assert_array_equal(x.transpose(-1, 0).elements, x.view().elements.T)


def test_scalars_are_vectors_of_one_element() -> None:
    program = Program(SMALL)
    x = program.input("x", (16,), "float32")
    assert program.map(exp, x[3]).shape == (1,)
    y = program.map(lambda a, b: a + b, x, x[3])
    program.output("y", y)
    program.output("first", y[0])
    assert program.compile().outputs[1].shape == ()


def test_results_that_are_over_do_not_count():
    """A chain whose results fill MEM twice over, two of them at a time."""
    config = preset("nano").replace(mem_depth=128)
    program = Program(config, "chain")
    x = program.input("x", (140, 8), "int32")
    y = x
    for _ in range(12):
        y = program.map(lambda y, x: y + x, y, x)
    program.output("y", y)
    assert 1.9 * config.mem_bytes < 14 * 140 * 8 * 4
    values = np.random.default_rng(1).integers(-(10**6), 10**6, (140, 8)).astype(np.int32)
    result = make_backend("golden").run(program.compile(), [{"x": values}])[0]
    same_bits(result.outputs["y"], 13 * values)


def test_what_is_read_later_counts():
    """All of it is alive before the last operation, though each operation by itself would fit."""
    config = preset("nano").replace(mem_depth=128)
    program = Program(config, "sum")
    x = program.input("x", (140, 8), "int32")
    parts = [program.map(lambda x, n=n: x * n, x) for n in range(2, 10)]
    total = parts[0]
    for part in parts[1:]:
        total = program.map(lambda total, part: total + part, total, part)
    program.output("y", total)
    needed = 140 * 8 * 4 * 9
    with pytest.raises(TaktError, match=rf"sum must fit the MEM of nano, 32768 bytes, not need {needed + 8 * 32} "):
        program.compile()
