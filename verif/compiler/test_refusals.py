"""What a kernel author may not write: one clear line each."""

import numpy as np
import pytest

from arch.errors import TaktError
from arch.presets import preset
from compiler.program import Program
from verif.compiler.layers import compile_layer

NANO = preset("nano")


@pytest.fixture
def program():
    return Program(NANO)


def refuses(message):
    return pytest.raises(TaktError, match=message)


@pytest.mark.parametrize("shape", [(0, 4), (4, 0), (), (-1, 4)])
def test_shape(program, shape):
    with refuses("shape of x must have sizes of at least 1, not"):
        program.input("x", shape)


@pytest.mark.parametrize("dtype", ["float64", "complex64", "int128", "bits"])
def test_dtype(program, dtype):
    with refuses(f"dtype of x must be one of int8, int16, int32, float16, float32, not '{dtype}'"):
        program.input("x", (4, 4), dtype)


def test_name_in_use(program):
    program.input("x", (4, 4))
    with refuses("tensor name must be new, not 'x'"):
        program.constant("x", np.zeros((4, 4), np.int8))


def test_inner_dimensions(program):
    with refuses("inner dimensions must be equal, not 5 and 6"):
        program.matmul(program.input("x", (4, 5)), program.input("w", (6, 4)))


def test_type_and_leading_axes_of_operands(program):
    with refuses(r"x must be int8 or float16, with an axis, not int32 of shape \(4, 4\)"):
        program.matmul(program.input("x", (4, 4), "int32"), program.input("w", (4, 4)))
    with refuses(r"w must be int8 or float16, with an axis, not float32 of shape \(4,\)"):
        program.matmul(program.input("a", (4, 4)), program.input("b", (4,), "float32"))
    with refuses(r"leading axes must broadcast to one shape, not \(2,\) and \(3,\)"):
        program.matmul(program.input("c", (2, 4, 4)), program.input("d", (3, 4, 4)))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"bias": np.zeros(3, np.int32)}, r"bias must be int32 of shape \(4,\), not int32 of shape \(3,\)"),
        ({"bias": np.zeros(4, np.int8)}, r"bias must be int32 of shape \(4,\), not int8 of shape \(4,\)"),
        ({"scale": np.ones(4)}, r"scale must be float32 of shape \(4,\), not float64"),
        ({"scale": np.ones(5, np.float32)}, r"scale must be float32 of shape \(4,\), not float32 of shape \(5,\)"),
        ({"scale": 0.0}, "scale must be positive and finite, not 0.0"),
        ({"scale": float("nan")}, "scale must be positive and finite, not nan"),
        ({"scale": "much"}, "scale must be float32, not"),
        ({"zero_point": 3}, "zero_point must be 0 without a scale, not 3"),
        ({"zero_point": 128, "scale": 1.0}, "zero_point must be -128 to 127, not 128"),
        ({"zero_point": 1.5, "scale": 1.0}, "zero_point must be -128 to 127, not 1.5"),
        ({"planes": 0}, "planes must be 1 to 4, not 0"),
        ({"planes": 5}, "planes must be 1 to 4, not 5"),
    ],
)
def test_options(program, options, message):
    with refuses(message):
        program.matmul(program.input("x", (4, 4)), program.input("w", (4, 4)), **options)


def test_roles(program):
    x = program.input("x", (4, 4))
    y = program.matmul(x, program.input("w", (4, 4)), scale=1.0)
    with refuses("output must be a result of this program, not 'x'"):
        program.output("x", x)
    program.output("y", y)
    with refuses("output name must be new, not 'y'"):
        program.output("y", y)
    with refuses("tensor must belong to this program, not 'x'"):
        program.matmul(Program(NANO).input("x", (4, 4)), x)


def test_program_without_output(program):
    with refuses("program must have an output, not none"):
        program.compile()


def test_larger_than_mem():
    needed = 8 * 64 * (512 + 512 + 4 * 512)
    expected = rf"the MEM of nano, 65536 bytes, not need {needed} \({needed - 65536} too many\)"
    with refuses(expected):
        compile_layer(NANO, 512, 512, 512)


def test_no_room_under_the_placement_rules():
    with refuses(r"must find 57600 bytes in slices that it does not use otherwise at the same time: 65536 are free"):
        compile_layer(NANO, 900, 8, 14)


def test_text_that_cannot_come_in_time():
    with refuses(r"queue_depth must be enough for the text of \S+ to come in time, not 16 for \d+ words"):
        compile_layer(NANO.replace(queue_depth=16), 3, 100, 100)


def test_text_that_no_vector_holds():
    config = NANO.replace(queue_depth=16, superlanes=1)
    with refuses(r"program must fit queue_depth 16, not need \d+ words .* multiple of 8, not 4"):
        compile_layer(config, 3, 100, 100)
