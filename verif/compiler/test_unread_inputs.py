"""Inputs that no operation reads, as exporters leave them: accepted at run time, and not needed."""

import numpy as np
import pytest

from arch.errors import TaktError
from arch.image import Image
from arch.presets import preset
from compiler.program import Program
from golden.machine.machine import Machine
from runtime.backend import GoldenBackend, make_backend
from runtime.run import Tensors
from verif.bits import same_bits
from verif.runtime.command_line import refusal, takt

CONFIG = preset("nano")
X = np.arange(-12, 12, dtype=np.int8).reshape(3, 8)
MASK = np.ones((2, 5), np.float32)
UNREAD = {"int8 matrix": ("int8", (3, 4)), "float32 vector": ("float32", (70,)), "float16 cube": ("float16", (2, 3, 4))}


def program(dtype: str = "float32", shape: tuple[int, ...] = (2, 5)) -> Image:
    made = Program(CONFIG, "with a rest")
    x = made.input("x", X.shape, "int8")
    made.input("mask", shape, dtype)
    made.output("y", made.map(lambda a: a + 1, x))
    return made.compile()


@pytest.mark.parametrize("dtype,shape", UNREAD.values(), ids=UNREAD)
def test_given_or_left_out(dtype, shape):
    image = program(dtype, shape)
    for inputs in ({"x": X}, {"x": X, "mask": np.ones(shape, dtype)}):
        (result,) = GoldenBackend().run(image, [inputs])
        same_bits(result.outputs["y"], X + np.int8(1))
        same_bits(Machine(CONFIG).run_image(image, inputs).outputs["y"], X + np.int8(1))


def test_given_in_some_runs():
    results = GoldenBackend().run(program(), [{"x": X, "mask": MASK}, {"x": -X}, {"x": X, "mask": MASK}])
    for result, sign in zip(results, (1, -1, 1), strict=True):
        same_bits(result.outputs["y"], np.int8(sign) * X + np.int8(1))


def test_on_rtl():
    inputs: list[Tensors] = [{"x": X}, {"x": X, "mask": MASK}]
    for result in make_backend("icarus").run(program(), inputs):
        same_bits(result.outputs["y"], X + np.int8(1))


def test_cycles_and_mem_stay_what_they_are():
    without = Program(CONFIG, "with a rest")
    without.output("y", without.map(lambda a: a + 1, without.input("x", X.shape, "int8")))
    bare, image = without.compile(), program()
    assert image.cycles == bare.cycles
    assert [tensor.name for tensor in image.inputs] == ["x", "mask"]
    assert image.inputs[1].slices.size == 0


def test_names_shapes_and_formats_are_checked():
    image = program()
    cases: list[tuple[Tensors, str]] = [
        ({"x": X, "mask": MASK.T}, r"input mask must be float32 of shape \(2, 5\), not float32 of shape \(5, 2\)"),
        ({"x": X, "mask": MASK.astype(np.float16)}, "input mask must be float32"),
        ({"x": X, "masks": MASK}, "input must be one of x, mask, not 'masks'"),
        ({"mask": MASK}, "input 'x' is missing"),
    ]
    for inputs, message in cases:
        with pytest.raises(TaktError, match=message):
            GoldenBackend().run(image, [inputs])
    with pytest.raises(TaktError, match=r"inputs must be \['mask', 'x'\], not \['mask'\]"):
        Machine(CONFIG).run_image(image, {"mask": MASK})


def test_a_saved_image_knows_them(tmp_path):
    file = tmp_path / "rest.takt"
    program().save(file)
    np.save(tmp_path / "x.npy", X)
    np.save(tmp_path / "mask.npy", MASK)
    x, mask, y = f"x={tmp_path}/x.npy", f"mask={tmp_path}/mask.npy", tmp_path / "y.npy"
    for given in ((), ("--in", mask)):
        assert takt("run", file, "--in", x, *given, "--out", f"y={y}").exit_code == 0
        same_bits(np.load(y), X + np.int8(1))
    assert "input mask: float32 (2, 5)" in takt("disasm", file).stdout
    assert refusal("run", file, "--in", x, "--in", f"mask={tmp_path}/x.npy").startswith("mask must be float32")
