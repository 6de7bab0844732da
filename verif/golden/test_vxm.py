"""The VXM's operands, results and chaining; what the operations compute is tested by test_alu_*."""

import numpy as np
import pytest

from arch.faults import FaultKind
from arch.formats import DType
from arch.geometry import Direction
from arch.isa.codes import Source
from arch.presets import preset
from verif.golden.program import Program, numbers

NANO = preset("nano")
INT8, INT16, INT32, FP32 = DType.INT8, DType.INT16, DType.INT32, DType.FP32
STREAM, MESH, SELF, ZERO = Source
EAST, WEST = Direction


def random(rng, dtype):
    return rng.integers(0, 256, (NANO.vector_length, dtype.size)).astype(np.uint8).view(dtype.numpy)[:, 0]


@pytest.mark.parametrize("dtype,out_dtype", [(a, b) for a in (INT8, INT16, INT32) for b in (INT8, INT16, INT32)])
def test_streams_in_and_out(rng, dtype, out_dtype):
    program = Program(NANO)
    a, b = random(rng, dtype), random(rng, dtype)
    program.inject_numbers(11, "VXM_0", EAST, 4, a)
    program.inject_numbers(11, "VXM_0", WEST, 8, b)
    fields = {"a_dir": EAST, "a_index": 4, "b_dir": WEST, "b_index": 8, "drive": 1, "dst_dir": WEST, "dst": 12}
    program.at(10, "VXM_6", "ADD", dtype=dtype, out_dtype=out_dtype, **fields)
    held = program.watch("VXM_0")
    expected = (a.astype(np.int64) + b).astype(out_dtype.numpy)
    # d_func: two cycles after the chain's three.
    assert (numbers(held, 10 + 5, WEST, 12, out_dtype.numpy) == expected).all()
    assert held.written[15, WEST].sum() == out_dtype.size
    assert (program.machine.held(6) == expected.astype(np.int64).astype(np.uint32)).all()


def test_cycle_count():
    program = Program(NANO)
    program.at(7, "VXM_3", "PASS", a_src=ZERO, b_src=ZERO)
    assert program.run() == 7 + 5 + NANO.superlanes


def test_nothing_is_driven_unless_asked():
    program = Program(NANO)
    program.at(0, "VXM_3", "PASS", a_src=ZERO, b_src=ZERO)
    assert not program.watch("VXM_0").written.any()


def test_a_chain_around_the_ring(rng):
    """Bias, conversion, scale, conversion: columns 2, 3, 0, 1, and another row on the way."""
    program = Program(NANO)
    sums, bias = random(rng, INT32) // 1000, random(rng, INT32) // 1000
    scale = rng.random(NANO.vector_length).astype(np.float32) / 10000
    program.inject_numbers(5, "VXM_0", WEST, 0, sums)
    program.inject_numbers(5, "VXM_0", WEST, 4, bias)
    program.inject_numbers(11, "VXM_0", EAST, 8, scale)
    streams = {"a_dir": WEST, "a_index": 0, "b_dir": WEST, "b_index": 4}
    program.at(4, "VXM_2", "ADD", dtype=INT32, out_dtype=INT32, **streams)
    program.at(7, "VXM_15", "CVT", dtype=INT32, out_dtype=FP32, a_src=MESH, a_index=0, b_src=ZERO)
    from_row_3 = {"a_src": MESH, "a_index": 3}
    program.at(10, "VXM_4", "MUL", dtype=FP32, out_dtype=FP32, b_dir=EAST, b_index=8, **from_row_3)
    out = {"drive": 1, "dst_dir": EAST, "dst": 3}
    program.at(13, "VXM_1", "CVT", dtype=FP32, out_dtype=INT8, a_src=MESH, a_index=1, b_src=ZERO, **out)
    held = program.watch("VXM_0")
    expected = np.rint((sums + bias).astype(np.float32) * scale).clip(-128, 127)
    assert (numbers(held, 13 + 5, EAST, 3, np.int8) == expected).all()


def test_mesh_operands_are_taken_in_the_readers_format(rng):
    program = Program(NANO)
    value = random(rng, INT32)
    program.inject_numbers(1, "VXM_0", EAST, 0, value)
    program.at(0, "VXM_0", "PASS", dtype=INT32, out_dtype=INT32, b_src=ZERO)
    program.at(3, "VXM_1", "PASS", dtype=INT8, out_dtype=INT32, a_src=MESH, b_src=ZERO)
    program.run()
    assert (program.machine.held(1).view(np.int32) == value.astype(np.int8)).all()


@pytest.mark.parametrize("operand", "ab")
@pytest.mark.parametrize("cycle", [2, 4, 30])
def test_a_mesh_operand_that_is_not_there(operand, cycle):
    program = Program(NANO)
    program.at(0, "VXM_0", "PASS", a_src=ZERO, b_src=ZERO)
    sources = {"a_src": ZERO, "b_src": ZERO, f"{operand}_src": MESH}
    program.at(cycle, "VXM_1", "PASS", **sources)
    program.fails(cycle + 1, "VXM_1", FaultKind.OPERAND_MISSED)


def test_a_mesh_operand_of_an_earlier_run_is_not_there():
    program = Program(NANO)
    program.at(0, "VXM_0", "PASS", a_src=ZERO, b_src=ZERO)
    program.run()
    program.clear()
    program.at(0, "VXM_1", "PASS", a_src=MESH, b_src=ZERO)
    program.fails(1, "VXM_1", FaultKind.OPERAND_MISSED)


def test_the_second_operand_of_a_unary_operation_is_checked():
    program = Program(NANO)
    program.at(4, "VXM_1", "PASS", a_src=ZERO, b_src=STREAM, b_index=5)
    program.fails(5, "VXM_1", FaultKind.UNWRITTEN)


def test_a_mask_is_checked_where_it_is_used():
    for mnemonic, fails in (("SEL", True), ("AND", False)):
        for source, kind in ((MESH, FaultKind.OPERAND_MISSED), (STREAM, FaultKind.UNWRITTEN)):
            program = Program(NANO)
            program.at(4, "VXM_1", mnemonic, a_src=ZERO, b_src=ZERO, c_src=source, c_index=1)
            if fails:
                program.fails(5, "VXM_1", kind)
            else:
                program.run()


def test_a_mask_is_one_byte_wherever_it_comes_from(rng):
    """MESH, SELF and STREAM in turn, of int32 results and of the last stream of a group."""
    program = Program(NANO)
    a, b = random(rng, INT32), random(rng, INT32)
    mask = rng.choice(np.array([0, 1, 0x80, 0x100, 0x1000000, -1], np.int32), NANO.vector_length)
    mask[:2] = 0xFF, 0x7F000000
    for cycle in range(1, 20):
        program.inject_numbers(cycle, "VXM_0", EAST, 0, a)
        program.inject_numbers(cycle, "VXM_0", EAST, 4, b)
        program.inject_numbers(cycle, "VXM_0", WEST, 8, mask)
    into = {"dtype": INT32, "out_dtype": INT32}
    pair = into | {"a_index": 0, "b_index": 4, "drive": 1, "dst_dir": EAST, "dst": 12}
    for alu in ("VXM_0", "VXM_1"):
        program.at(0, alu, "PASS", a_dir=WEST, a_index=8, b_src=ZERO, **into)
    program.at(3, "VXM_1", "SEL", c_src=SELF, **pair)
    program.at(4, "VXM_2", "SEL", c_src=STREAM, c_dir=WEST, c_index=11, **pair)
    program.at(3, "VXM_5", "SEL", c_src=MESH, **pair | {"dst_dir": WEST})
    program.at(5, "VXM_5", "SEL", c_src=ZERO, **pair)
    held = program.watch("VXM_0")
    low = np.where(mask & 0xFF, a, b)
    assert (numbers(held, 8, EAST, 12, np.int32) == low).all()
    assert (numbers(held, 8, WEST, 12, np.int32) == low).all()
    assert (numbers(held, 9, EAST, 12, np.int32) == np.where(mask >> 24, a, b)).all()
    assert (numbers(held, 10, EAST, 12, np.int32) == b).all()


def test_fp16_is_two_streams_and_zero_extended(rng):
    program = Program(NANO)
    value = (rng.random(NANO.vector_length) * -100).astype(np.float32)
    program.inject_numbers(1, "VXM_0", EAST, 4, value)
    half = {"drive": 1, "dst_dir": WEST, "dst": 6, "b_src": ZERO}
    program.at(0, "VXM_0", "CVT", dtype=FP32, out_dtype=DType.FP16, a_index=4, **half)
    program.at(3, "VXM_1", "CVT", dtype=DType.FP16, out_dtype=INT16, a_src=MESH, **half)
    held = program.watch("VXM_0")
    expected = value.astype(np.float16)
    assert held.written[5, WEST].sum() == 2
    assert (numbers(held, 5, WEST, 6, np.float16) == expected).all()
    assert (program.machine.held(0) == expected.view(np.uint16)).all()
    assert (numbers(held, 8, WEST, 6, np.int16) == np.rint(expected)).all()


def test_self_is_the_last_result_that_is_old_enough():
    """A sum over time: 1 is added to what was there three issues before."""
    program = Program(NANO)
    for cycle in range(10):
        program.inject(cycle + 1, "VXM_0", EAST, 0, np.ones((1, NANO.vector_length), np.uint8))
    fields = {"dtype": INT8, "out_dtype": INT8, "a_src": STREAM, "b_src": SELF, "drive": 1, "dst": 1}
    for cycle in (0, 1, 2, 3, 4, 5, 6, 9):
        program.at(cycle, "VXM_1", "ADD", **fields)
    held = program.watch("VXM_0")
    out = [int(held.values[cycle + 5, EAST, 1, 0]) for cycle in (0, 1, 2, 3, 4, 5, 6, 9)]
    assert out == [1, 1, 1, 2, 2, 2, 3, 4]


def test_self_survives_from_run_to_run(rng):
    program = Program(NANO)
    value = random(rng, INT16)
    program.inject_numbers(1, "VXM_0", EAST, 0, value)
    program.at(0, "VXM_9", "PASS", dtype=INT16, out_dtype=INT32, b_src=ZERO)
    program.run()
    program.clear()
    program.at(0, "VXM_9", "ADD", dtype=INT32, out_dtype=INT32, a_src=SELF, b_src=SELF)
    program.at(1, "VXM_9", "ADD", dtype=INT32, out_dtype=INT32, a_src=SELF, b_src=ZERO)
    program.run()
    assert (program.machine.held(9).view(np.int32) == value).all()


def test_self_is_zero_at_power_up():
    program = Program(NANO)
    program.at(0, "VXM_9", "ADD", dtype=INT32, out_dtype=INT32, a_src=SELF, b_src=SELF)
    program.run()
    assert not program.machine.held(9).any()


def test_saturation_bit(rng):
    program = Program(NANO)
    value = np.full(NANO.vector_length, 1000, np.int32)
    program.inject_numbers(1, "VXM_0", EAST, 0, value)
    for alu, saturate in ((0, 0), (1, 1)):
        program.at(0, f"VXM_{alu}", "PASS", dtype=INT32, out_dtype=INT8, saturate=saturate, b_src=ZERO)
    program.run()
    assert (program.machine.held(0).view(np.int32) == np.array(1000).astype(np.int8)).all()
    assert (program.machine.held(1) == 127).all()


def test_a_chain_runs_again():
    program = Program(NANO)
    program.at(0, "VXM_0", "PASS", a_src=ZERO, b_src=ZERO)
    program.at(3, "VXM_1", "PASS", a_src=MESH, b_src=ZERO)
    assert program.run() == program.run()
