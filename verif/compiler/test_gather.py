"""Rows of tables against NumPy, bit for bit on the golden machine."""

import numpy as np
import pytest

from arch.errors import TaktError
from arch.presets import preset
from compiler.lower.mem.share import shares
from compiler.program import Program
from verif.bits import same_bits
from verif.compiler.test_switch import MACHINES, dtypes, machines, outputs, values_for


@machines
@dtypes
@pytest.mark.parametrize("shape", [(1, 1, 1), (11, 37, 6), (30, 70, 19)])
def test_rows(config, dtype, shape, rng):
    v, n, m = shape
    table, indices = values_for(rng, dtype, v, n), rng.integers(0, v, m).astype(np.int32)
    program = Program(config)
    program.output("y", program.gather(program.input("t", table.shape, dtype), program.input("i", (m,), "int32")))
    same_bits(outputs(program, t=table, i=indices)["y"], table[indices])


@machines
def test_gathered_rows_are_operands(config, rng):
    table, indices = values_for(rng, "float32", 9, 20), rng.integers(0, 9, 7).astype(np.int32)
    program = Program(config)
    y = program.gather(table, program.input("i", (7,), "int32"))
    program.output("z", program.map(lambda a: a + 1.0, y))
    program.output("s", program.shift(y, 1))
    found = outputs(program, i=indices)
    same_bits(found["z"], table[indices] + np.float32(1))
    same_bits(found["s"][:, 1 : min(20, config.vector_length)], table[indices][:, : min(20, config.vector_length) - 1])


def test_many_indices(rng):
    config = MACHINES["small"]
    table, indices = values_for(rng, "int8", 1000, 5), rng.integers(0, 1000, 700).astype(np.int32)
    program = Program(config)
    program.output("y", program.gather(table, program.input("i", (700,), "int32")))
    same_bits(outputs(program, i=indices)["y"], table[indices])


@machines
@pytest.mark.parametrize("m", [1, 9, 40])
def test_long_rows_are_operands(config, m, rng):
    """What slices share is read by the VXM and by the SXM."""
    table, indices = values_for(rng, "float16", 9, 50), rng.integers(0, 9, m).astype(np.int32)
    program = Program(config)
    y = program.gather(table, program.input("i", (m,), "int32"))
    program.output("z", program.map(lambda a: a + 1.0, y))
    program.output("s", program.shift(y, 1))
    found = outputs(program, i=indices)
    rows = table[indices]
    same_bits(found["z"], rows + np.float32(1))
    end = min(50, config.vector_length)
    same_bits(found["s"][:, 1:end], rows[:, : end - 1])


def test_two_tables(rng):
    config = preset("nano", ["mem_depth=256"])
    tables = [values_for(rng, dtype, 60, 30) for dtype in ("float16", "int8")]
    indices = [rng.integers(0, 60, m).astype(np.int32) for m in (21, 34)]
    program = Program(config)
    for number, (table, its) in enumerate(zip(tables, indices, strict=True)):
        program.output(f"y{number}", program.gather(table, its))
    found = outputs(program)
    for number, (table, its) in enumerate(zip(tables, indices, strict=True)):
        same_bits(found[f"y{number}"], table[its])


def cycles_of(config, v: int, m: int, n: int) -> int:
    program = Program(config)
    table = program.input("t", (v, n), "int8")
    program.output("y", program.gather(table, program.input("i", (m,), "int32")))
    return program.compile().cycles


def test_slices_share_the_work_where_there_is_room():
    """8 parts in 14 slices; a table as large as a bank leaves the first copies room only."""
    config = preset("nano", ["mem_depth=256"])
    shared, alone = cycles_of(config, 20, 60, 64), cycles_of(config, 256, 60, 64)
    assert shared < 0.75 * 60 * config.lanes < 60 * config.lanes < alone < 61 * config.lanes + 20


@machines
@pytest.mark.parametrize("parts", [1, 7, 13, 16, 40])
@pytest.mark.parametrize("m", [1, 5, 64])
def test_shares(config, parts, m):
    """Each index is gathered once for each part, by slices of their own; fewer copies from one share to the next."""
    works = []
    for share in shares(config, m, parts, 14):
        works.append(share.work)
        counts = np.zeros((parts, m), np.int64)
        for stint in share.stints:
            counts[stint.part, share.turns[stint.turn].ways[stint.way]] += 1
        assert (counts == 1).all()
        assert all(sum(stint.turn == turn for stint in share.stints) <= 14 for turn in range(len(share.turns)))
        assert all(len(turn.ways) <= config.lanes for turn in share.turns)
    assert works[-1] == parts
    assert works == sorted(works, reverse=True)


def test_refusals():
    program = Program(MACHINES["nano"])
    x = program.input("x", (300, 8))
    i = program.input("i", (3,), "int32")
    for call, reason in (
        (lambda: program.gather(x[0], i), "table must be a matrix"),
        (lambda: program.gather(x[:9], x[:, 0]), "indices must be int32 or int16 of shape"),
    ):
        with pytest.raises(TaktError, match=reason):
            call()
