"""Views of results in any arrangement, as operands, parts of others, values of states, and outputs; bits stay."""

import numpy as np
import pytest

from arch.presets import preset
from compiler.declare.moving import cheapest_move
from compiler.program import Program
from runtime.backend import make_backend
from verif.bits import same_bits
from verif.compiler.expressions import apply, run_golden

MACHINES = {"nano": preset("nano", ["mem_depth=2048"]), "small": preset("small"), "base": preset("base")}
machines = pytest.mark.parametrize("config", MACHINES.values(), ids=MACHINES)

VIEWS = {
    "from the second on": lambda a: a[..., 1:],
    "last first": lambda a: a[..., ::-1],
    "every third": lambda a: a[..., ::3],
    "as a column": lambda a: a.reshape(-1, 1),
    "padded in front": lambda a: a.pad(((0, 0), (2, 1))) if hasattr(a, "pad") else np.pad(a, ((0, 0), (2, 1))),
    "turned": lambda a: a.transpose(1, 0),
    "elements": lambda a: a[np.array([2, 0, 2, 1]), np.array([1, 0, 0, 0])],
}


@machines
@pytest.mark.parametrize("name", VIEWS)
@pytest.mark.parametrize("over", [-1, 0, 1, None])
def test_views_are_operands(config, name, over, rng):
    """Widths around a vector, lanes along the last axis and padded once more."""
    width = config.vector_length + over if over is not None else 2 * config.vector_length + 3
    values = rng.integers(-9, 9, (3, width)).astype(np.int16)
    program = Program(config, name)
    view = VIEWS[name](program.map(lambda a: a + 1, program.input("x", values.shape, "int16")))
    before = [(0, 0)] * (len(view.shape) - 1)
    program.output("y", program.map(lambda a: a + 1, view.pad((*before, (1, 0))), layout="rows"))
    wanted = VIEWS[name](values + np.int16(1))
    same_bits(run_golden(program.compile(), x=values)["y"], np.pad(wanted, (*before, (1, 0))) + np.int16(1))


@machines
def test_floats_keep_their_bits(config, rng):
    """NaN of any payload, signs of zeros and subnormals: the ALU would make one NaN of them."""
    shape = 2, config.vector_length
    values = rng.integers(0, 1 << 16, shape, dtype=np.uint16).view(np.float16)
    values[0, :2] = np.array([0x7C01, 0xFFFF], np.uint16).view(np.float16)
    program = Program(config)
    made = program.shift(program.input("x", shape, "float16"), 0)
    view = program.concatenate([made[:, ::-1].pad(((0, 0), (1, 0))), program.constant("c", values)], 1)
    program.output("y", view)
    found = run_golden(program.compile(), x=values)["y"]
    wanted = np.concatenate([np.pad(values[:, ::-1], ((0, 0), (1, 0))), values], 1)
    same_bits(found.view(np.uint16), wanted.view(np.uint16))


@machines
@pytest.mark.parametrize("dtype", ["int8", "int16"])
@pytest.mark.parametrize("layout", [-1, -2, -3])
def test_any_axis_becomes_the_lane_axis(config, dtype, layout, rng):
    values = rng.integers(-100, 100, (2, 3, 5)).astype(dtype)
    program = Program(config)
    made = program.map(lambda a: a + 1, program.input("x", values.shape, dtype))
    program.output("y", program.map(lambda a: a - 2, made, layout=layout))
    same_bits(run_golden(program.compile(), x=values)["y"], values - np.asarray(1, dtype))


@machines
def test_one_is_made_once_and_again_after_a_scatter(config, rng):
    """The same view is rearranged once; of a state whose rows have changed, once more."""
    width = config.vector_length + 1
    initial, row = rng.integers(-9, 9, (4, width)).astype(np.int8), rng.integers(-9, 9, (1, width)).astype(np.int8)
    program = Program(config)
    state = program.state("s", initial.shape, "int8", initial)
    a = program.map(lambda a: a + 1, state[:, 1:])
    before = len(program.operations)
    b = program.map(lambda a: a + 2, state[:, 1:])
    assert len(program.operations) == before + 1
    program.scatter(state, np.array([2], np.int32), program.constant("row", row))
    c = program.map(lambda a: a + 3, state[:, 1:])
    assert len(program.operations) > before + 3
    for name, made in {"a": a, "b": b, "c": c}.items():
        program.output(name, made)
    found = run_golden(program.compile())
    same_bits(found["a"], initial[:, 1:] + np.int8(1))
    same_bits(found["b"], initial[:, 1:] + np.int8(2))
    initial[2] = row
    same_bits(found["c"], initial[:, 1:] + np.int8(3))


@machines
def test_states_take_values_in_other_lanes(config, rng):
    x = rng.integers(-9, 9, (config.vector_length + 1, 3)).astype(np.int16)
    program = Program(config)
    state = program.state("s", (3, config.vector_length + 1), "int16")
    program.output("y", program.map(lambda a: a + 1, state))
    program.update(state, program.map(lambda a: a + 2, program.input("x", x.shape, "int16"), layout="rows").transpose())
    first, second = make_backend("golden").run(program.compile(), [{"x": x}, {"x": x}])
    same_bits(first.outputs["y"], np.ones_like(x.T))
    same_bits(second.outputs["y"], x.T + np.int16(3))


@machines
@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("count", [2, 5])
def test_parts_of_several_tensors(config, axis, count, rng):
    """Results, inputs and constants side by side: parts that begin a vector, and parts that do not."""
    vector = config.vector_length
    for dtype in ("int8", "float16"):
        arrays = []
        for size in [vector, vector - 1, 2, vector + 1, 1][:count]:
            shape = [3, 3]
            shape[axis] = size
            arrays.append(rng.integers(-9, 9, shape).astype(dtype))
        program = Program(config)
        inputs = [program.input(f"x{number}", array.shape, dtype) for number, array in enumerate(arrays)]
        made = program.concatenate([program.map(lambda a: a * 2, inputs[0], dtype=dtype), *inputs[1:]], axis)
        program.output("y", made)
        first, *_ = program.split(made, [arrays[0].shape[axis]], axis)
        program.output("z", program.map(lambda a: a * 2, first, dtype=dtype))
        found = run_golden(program.compile(), **{f"x{number}": array for number, array in enumerate(arrays)})
        double = arrays[0] * arrays[0].dtype.type(2)
        same_bits(found["y"], np.concatenate([double, *arrays[1:]], axis))
        same_bits(found["z"], double * double.dtype.type(2))


@machines
def test_what_else_a_vector_holds_stays_out(config, rng):
    """Elements that a part leaves out, and padding that is not zero, beside elements that stay in their lanes."""
    width = config.vector_length - 2
    x, y = (rng.integers(-9, 9, (3, width)).astype(np.int8) for _ in range(2))
    program = Program(config)
    a, b = (program.map(lambda a: a + 1, program.input(name, x.shape)) for name in "xy")
    program.output("cut", program.concatenate([a[:, :2], b[:, 2:]], 1))
    program.output("padded", program.concatenate([a, b], 1))
    found = run_golden(program.compile(), x=x, y=y)
    x, y = x + np.int8(1), y + np.int8(1)
    same_bits(found["cut"], np.concatenate([x[:, :2], y[:, 2:]], 1))
    same_bits(found["padded"], np.concatenate([x, y], 1))


@machines
@pytest.mark.parametrize("shape", [(1, 5), (3, 1), (3, 5)])
def test_broadcasting_along_every_axis(config, shape, rng):
    x, y = (rng.integers(-9, 9, size).astype(np.int16) for size in (shape, (2, 3, 5)))
    program = Program(config)
    a = program.map(lambda a: a + 1, program.input("x", shape, "int16"))
    b = program.map(lambda a: a + 1, program.input("y", y.shape, "int16"))
    program.output("z", program.map(lambda a, b: a - b, program.broadcast_to(a, y.shape), b))
    same_bits(run_golden(program.compile(), x=x, y=y)["z"], x - y)


def test_superlanes_are_exchanged():
    """A transposition of a result moves every element twice between superlanes, and not once per superlane."""
    config = MACHINES["base"]
    x = np.arange(64 * 64, dtype=np.int16).reshape(64, 64).view(np.float16)
    program = Program(config)
    made = program.shift(program.input("x", x.shape, "float16"), 0)
    program.output("y", program.transpose2d(made))
    image = program.compile()
    assert image.cycles < 500  # 685 with a PERMUTE and a SELECT per superlane
    same_bits(run_golden(image, x=x)["y"].view(np.uint16), x.T.view(np.uint16))


@machines
def test_the_cheapest_way_is_taken(config):
    """A square is transposed; of a few rows, each element is moved by itself; whole vectors stay where they are."""
    vector = config.vector_length
    program = Program(config)
    made = program.map(lambda a: a + 1, program.input("x", (vector, 4 * vector), "int8")).view()
    assert cheapest_move(config, made, -1).cost == 0
    assert cheapest_move(config, made.reshape(2 * vector, 2, vector)[:, 1], -1).cost == 0
    few = made[:1, :2]
    assert cheapest_move(config, few, -2) == cheapest_move(config, few, -2)._replace(source=-2)
    if vector > 8:
        assert cheapest_move(config, made, -2).source == -1


@pytest.mark.parametrize("name", ["shift", "parts", "turned"])
def test_on_rtl(name, rng):
    config = preset("nano")
    x = rng.integers(-9, 9, (3, 9)).astype(np.int8)
    program = Program(config, name)
    made = program.map(lambda a: a + 1, program.input("x", x.shape))
    y = x + np.int8(1)
    view, wanted = {
        "shift": (made[:, 2:], y[:, 2:]),
        "parts": (program.concatenate([made, program.constant("c", x)], 1), np.concatenate([y, x], 1)),
        "turned": (made.transpose(1, 0), y.T),
    }[name]
    program.output("y", program.map(lambda a: a + 1, view, layout="rows"))
    image = program.compile()
    (found,) = make_backend("icarus").run(image, [{"x": x}])
    assert found.cycles == image.cycles
    same_bits(found.outputs["y"], apply(lambda a: a + 1, wanted))


def test_a_transpose_that_moves_no_axis_has_its_lanes_along_the_last(rng):
    """SXM operations work on whole vectors: theirs must be the ones that the last axis has."""
    program = Program(preset("small"))
    x = rng.integers(-99, 99, (29, 3)).astype(np.int8)
    y = program.map(lambda a: a + 1, program.input("x", x.shape, "int8"), dtype="int8", layout=-1)
    turned = program.transpose(y.transpose(1, 0), (0, 1))
    program.output("y", program.shift(turned, 0))
    same_bits(run_golden(program.compile(), x=x)["y"][:, :29], (x + 1).T)
