"""Programs for which the first place tried does not do: the core mends that where it is, and refuses none of them."""

import numpy as np
import pytest

from arch.geometry import units
from arch.presets import preset
from compiler.expression.functions import cast, multiply, rsqrt, tanh
from compiler.ir.tensor import Tensor, join
from compiler.ir.vector import Operand, Result, identity
from compiler.lower.vxm.plan import pass_plans
from compiler.memory.copies import Template, TensorCopy
from compiler.place import repair
from compiler.place.bytewise import copy_bytewise
from compiler.place.core import Core
from compiler.place.demands import demands_of_pass
from compiler.place.lowering import place_clear
from compiler.place.lowerings import PassLowering
from compiler.place.policy import Policy
from compiler.place.refusal import reason_of
from compiler.place.state import PlacementState
from compiler.place.trial import Choice, Trial
from compiler.program import Program
from compiler.schedule.macro import Action, Macro
from verif.bits import same_bits
from verif.compiler.expressions import run_golden
from verif.compiler.fuzz.campaign import Campaign
from verif.compiler.fuzz.judge import Outcome, judge

NANO = preset("nano", ["mem_depth=2048"])
SMALL = preset("small")


def ints(rng, *shape):
    """Return small whole numbers: their sums are exact in any order."""
    return rng.integers(-9, 10, shape).astype(np.float32)


def test_a_switch_writes_apart_from_what_it_reads(rng):
    """The map lies in slices whose queues would have to read it and to write the result in one cycle."""
    program = Program(NANO)
    x = rng.integers(-99, 99, (6, 9)).astype(np.int32)
    v = program.input("x", x.shape, "int32")
    program.output("all", program.sum(program.reduce(v, "add", -1, in_turn=False)))
    program.output("rotated", program.rotate(v, 2))
    found = run_golden(program.compile(), x=x)
    same_bits(found["all"], x.sum(dtype=np.int32))


def test_a_pass_writes_apart_from_what_it_reads(rng):
    """Three int32 operands leave a fourth of the slices alone."""
    program = Program(NANO)
    x = rng.integers(-99, 99, (1, 29, 9)).astype(np.int32)
    low = program.reduce(program.input("x", x.shape, "int32"), "min", -3, layout=-2)
    which = np.array([4, 0, 8, 8, 3, 1, 7], np.int32)
    program.output("y", program.gather(low.transpose(1, 0), program.constant("which", which)))
    same_bits(run_golden(program.compile(), x=x)["y"], x.min(axis=0).T[which])


@pytest.mark.parametrize("columns", [3, 5, 6, 7])
def test_fewer_vectors_of_a_transposition_than_bytes(columns, rng):
    """The second TRANSPOSE makes less than four vectors of four bytes: they share the slices of one side."""
    program = Program(NANO)
    x = ints(rng, 7, columns)
    transposed = program.transpose2d(program.constant("x", x))
    program.output("y", program.min(transposed, axis=-2))
    same_bits(run_golden(program.compile())["y"], x.min(axis=1))


@pytest.mark.parametrize("shape", [(15, 13), (29, 10), (16, 16)])
@pytest.mark.parametrize("dtype", ["float16", "int8"])
def test_products_are_transposed(shape, dtype, rng):
    """Sixteen vectors of four bytes, read at the same time, come from the VXM and share sixteen slices."""
    program = Program(SMALL)
    x, w = ints(rng, shape[0], 12).astype(dtype), ints(rng, 12, shape[1]).astype(dtype)
    product = program.matmul(program.input("x", x.shape, dtype), w)
    program.output("y", program.transpose2d(product))
    expected = (x.astype(np.float32) @ w.astype(np.float32)).T
    same_bits(run_golden(program.compile(), x=x)["y"], expected.astype(product.dtype))


def test_readers_share_a_switched_result(rng):
    """A copy for each of three readers of four bytes is more than the slices that are left."""
    program = Program(NANO)
    a, b = ints(rng, 7, 10), ints(rng, 7, 15)
    left, right = program.input("a", a.shape, "float32"), program.input("b", b.shape, "float32")
    whole = program.concatenate([left, right, left], axis=1)
    parts = join([whole[:, 28:35], whole[:, 16:27]], 1)
    program.output("whole", whole.reshape(245))
    program.output("y", program.map(lambda e: cast(e, dtype="float16"), parts))
    found = run_golden(program.compile(), a=a, b=b)
    every = np.concatenate([a, b, a], 1)
    same_bits(found["whole"], every.reshape(245))
    same_bits(found["y"], np.concatenate([every[:, 28:35], every[:, 16:27]], 1).astype(np.float16))


def test_a_pass_without_a_place_is_cut(rng, monkeypatch):
    """Smaller passes do the work of one that finds no slices, whatever the reason."""
    attempt, refused = PassLowering.attempt, []

    def attempt_small(self, state, trial, choice):
        if len(trial.op.graph.nodes) > 2:
            refused.append(trial.op)
            return False
        return attempt(self, state, trial, choice)

    monkeypatch.setattr(PassLowering, "attempt", attempt_small)
    program = Program(NANO)
    x, y = ints(rng, 20, 11), ints(rng, 20, 11)
    a, b = program.input("x", x.shape, "float32"), program.input("y", y.shape, "float32")
    c = program.map(lambda e: e + 1.0, b)
    program.output("z", program.map(lambda d, e, f: (d * e + f) - (e * f - d), a, b, c))
    same_bits(run_golden(program.compile(), x=x, y=y)["z"], (x * y + (y + 1)) - (y * (y + 1) - x))
    assert refused


def test_the_best_choice_is_placed_as_it_was_tried(rng):
    """Without the limit it was found under, a pass would start sooner at another pace, and end later."""
    program = Program(NANO)
    x, scale = ints(rng, 3, 1, 13, 13), rng.integers(-9, 9, (3, 1, 13, 1)).astype(np.int16)
    v = program.input("x", x.shape, "float32")
    s = program.constant("scale", scale)
    program.output("y", program.map(lambda a, b, c: multiply(a, b), v, v, s, dtype="float32", layout=-1))
    program.output("which", program.argmax(s, axis=-4, keepdims=True))
    program.output("z", program.map(lambda a: (-tanh(a), rsqrt((a - a) - 0.0) - 0.5), v[..., 1:11], layout=-1, join=-3))
    found = run_golden(program.compile(), x=x)
    same_bits(found["which"].reshape(13), scale.argmax(axis=0).reshape(13).astype(np.int32))
    same_bits(found["y"], x * x)


@pytest.mark.parametrize("name", ["nano", "small"])
def test_a_column_is_spread_over_lanes(name, rng):
    """Every stream of the TRANSPOSE has the same vectors, in the same cycles: each needs a copy of its own."""
    program = Program(preset(name))
    x, y = rng.integers(-9, 10, (50, 5)).astype(np.int32), rng.integers(-9, 10, (50, 66)).astype(np.int32)
    total = program.reduce(program.input("x", x.shape, "int32"), "add", -1, keepdims=True)
    both = program.map(lambda a, b: a + b, total, program.map(lambda a: a * 2, program.input("y", y.shape, "int32")))
    program.output("y", both)
    same_bits(run_golden(program.compile(), x=x, y=y)["y"], x.sum(axis=1, keepdims=True, dtype=np.int32) + y * 2)


def test_a_transposition_for_alus_leaves_what_it_reads(rng):
    """Sixteen vectors are read from eight slices of either side, so neither has sixteen others."""
    program = Program(SMALL)
    x = rng.integers(-99, 99, (66, 37)).astype(np.int8)
    y = program.map(lambda a: a + 1, program.input("x", x.shape, "int8"), dtype="int8")
    program.output("most", program.max(y, axis=-1))
    program.output("more", program.map(lambda a: a + 1, y, dtype="int8"))
    found = run_golden(program.compile(), x=x)
    same_bits(found["most"], (x + 1).max(axis=1))
    same_bits(found["more"], x + 2)


def test_operands_leave_slices_to_a_result(rng):
    """Two operands of four bytes lie in eight slices each, every queue of which has a READ where a WRITE would be."""
    program = Program(NANO)
    x, w = rng.integers(-9, 10, (1, 6, 7)).astype(np.int32), ints(rng, 7, 1).astype(np.float16)
    v, weights = program.input("x", x.shape, "int32"), program.input("w", w.shape, "float16")
    which = program.argmax(program.map(lambda a, b: (b, a), v, v, layout=0, join=-2), axis=0)
    turned = program.map(lambda a: cast(a, dtype="float16"), program.transpose2d(which))
    less = program.matmul(turned.transpose(1, 0), weights, epilogue=lambda a: a < a, dtype="int32")
    program.output("most", program.max(program.input("z", (1, 1, 1), "int32"), axis=(-2, -1)))
    program.output("selected", program.select(weights, weights, 6))
    program.output("which", which)
    program.output("less", less)
    found = run_golden(program.compile(), x=x, w=w, z=np.full((1, 1, 1), 5, np.int32))
    same_bits(found["which"], np.zeros((12, 7), np.int32))
    same_bits(found["less"], np.zeros((12, 1), np.int32))


def test_copies_are_made_byte_by_byte(rng, monkeypatch):
    """Passes over single bytes do the work of one that finds no cycle for all of them together."""
    refused = []
    monkeypatch.setattr(repair, "_copy", lambda state, op, source, target: refused.append(op))
    test_readers_share_a_switched_result(rng)
    assert refused


def test_what_cannot_be_copied_is_named():
    """What is missing is a copy of an operand on one side of the VXM, not room for the result."""
    tensor, vectors = Tensor("x", (30, 8), "int16"), np.arange(30)
    op = identity(NANO, "y", Operand(tensor, None, vectors), Result(Tensor("y", (30, 8), "int16"), vectors))
    state, plan = PlacementState(NANO, lambda tensor: True, [], [], Policy()), pass_plans(op)[0]
    demands = [*demands_of_pass(op, plan)]
    state.declare([op], {op: demands}, [op])
    copy = TensorCopy.empty(2, 30)
    slices = np.stack([vectors % 2, vectors % 2 + 2]).astype(np.int32)
    copy.put(vectors, np.where(vectors < 15, slices, slices + 8), np.zeros_like(slices), np.zeros(30, np.int64))
    state.copies[tensor] = [copy]
    trial = Trial(op, Choice(plan), {demand.key: demand for demand in demands})
    assert "y must find 480 bytes for a copy of x that it can read beside its other operands: 524288" in reason_of(
        state, trial
    )


def test_results_leave_queues_that_read():
    """Where all slices are read, results go away from those that would have to READ and WRITE in one cycle."""
    tensor, vectors = Tensor("x", (4, 8), "int8"), np.arange(4)
    op = identity(NANO, "copy", Operand(tensor, None, vectors), Result(tensor, vectors))
    state = PlacementState(NANO, lambda tensor: True, [], [], Policy())
    state.thorough = True
    trial = Trial(op, Choice(None, loose=True), {})
    barred, tried = [], []

    def results(bar):
        # Slice 5, or the first that is not barred of those that are read in the same cycle.
        barred.append(set(bar))
        tried.append(next((number for number in (3, 4) if number not in bar), 5))
        return True

    def template():
        unit, fields = units(NANO)[tried[-1]], {"addr": 0, "count": 1}
        return Template(Macro("copy", [Action(unit, "READ", 7, fields), Action(unit, "WRITE", 7, fields)]))

    assert place_clear(state, trial, results, lambda: tried[-1] == 5, template)
    assert barred[-1] == {3, 4} and trial.is_stuck
    strict = Trial(op, Choice(None), {})
    assert not place_clear(state, strict, results, lambda: tried[-1] == 5, template)


@pytest.mark.parametrize("moved", [0, 1], ids=["within slices", "between slices"])
def test_copies_within_banks(moved):
    """A bank is read or written in a cycle, whichever slice a byte goes to."""
    tensor, vectors = Tensor("x", (30, 8), "int32"), np.arange(30)
    state = PlacementState(NANO, lambda tensor: True, [], [], Policy())
    source, target = TensorCopy.empty(4, 30), TensorCopy.empty(4, 30)
    slices, addrs = (
        np.repeat(np.arange(4, dtype=np.int32)[:, None], 30, 1),
        np.tile(np.arange(30, dtype=np.int32), (4, 1)),
    )
    source.put(vectors, slices, addrs, np.zeros(30, np.int64))
    target.put(vectors, (slices + moved) % 4, addrs + 30, np.zeros(30, np.int64))
    source.ready += 7
    op = identity(NANO, "copy", Operand(tensor, None, vectors), Result(tensor, vectors))
    trial = copy_bytewise(state, op, source, vectors, target)
    assert trial is not None
    for template, start in trial.started:
        template.settle(start)
    assert trial.end == target.ready.max() > source.last.min() >= 7
    # One byte after another: each takes a cycle per vector.
    assert trial.end > 4 * 30


def fuzzed(seed, operations=(2, 40)):
    """Judge a random program whose repairs no shorter one is known to need."""
    found = judge(Campaign("nano", ("mem_depth=2048",), operations).graph(seed))
    assert found.outcome is Outcome.RIGHT, found.message


@pytest.mark.long
def test_what_the_sxm_left_in_one_slice_is_copied():
    """The second TRANSPOSE reads banks that the first one's results are in; ALUs could not copy its operands."""
    fuzzed(66)


@pytest.mark.long
def test_hosted_operands_keep_clear_of_results_begun_before():
    """A map lies where the second PERMUTE of a result has to write."""
    fuzzed(87)


def test_zeros_of_a_choice_that_is_given_up():
    """Computed weights read zeros beside them; their words went to other weights when that choice was given up."""
    fuzzed(30162)


def test_what_is_lacking_hides_what_clashes():
    """A product lacks a copy of its computed weights, and reads two ports from one slice: both are copied."""
    fuzzed(30111)


@pytest.mark.long
def test_a_long_text_gets_a_segment_of_its_own():
    """READs of a reduction that take turns in one queue: each is a word, where a count of repeated ones had three."""
    fuzzed(30075)


def test_weights_that_a_placed_product_loads_are_not_given_back(rng):
    """Two products load the same words, which were prepared for the second one alone: it may not give them back."""
    program = Program(NANO)
    x, w = program.input("x", (5, 8)), program.input("w", (8, 8))
    products = [program.matmul(x, w), program.matmul(x, w)]
    for number, y in enumerate(products):
        program.output(f"y{number}", y)
    first, second = program.operations
    outputs = [tensor for op in (first, second) for tensor in op.writes()]
    state = PlacementState(NANO, lambda tensor: tensor in outputs, outputs, [], Policy())
    core = Core(state, [first, second])
    assert state.held[first] == state.held[second]
    state.unprepare(first)
    core.place(first)
    known = [copy for _, copy in state.weights[w]]
    assert known and all(any(copy is one for one in known) for copy in state.placed[first].weights.values())
    state.unprepare(second)
    assert all(copy is one for (_, copy), one in zip(state.weights[w], known, strict=True))
    assert all(any(words is copy.map for words in state.maps[w]) for copy in known)
