"""What words hold when they are read: each kind of mistake that a compiler can make there is noticed."""

from dataclasses import replace

import numpy as np
import pytest

import compiler.verifier.verify as verifier
from arch.presets import preset
from compiler.memory.accesses import Meant
from compiler.memory.words import Words
from compiler.program import Program
from compiler.verifier.contents import check_contents

NANO = preset("nano")


def program_with_states():
    """Return a product, passes, a state that a copy updates, and a state into which rows are scattered."""
    rng = np.random.default_rng(0)
    program = Program(NANO)
    x, i = program.input("x", (6, 8)), program.input("i", (2,), "int32")
    y = program.matmul(x, rng.integers(-9, 9, (8, 8), dtype=np.int8), scale=0.1)
    old = program.state("old", (6, 8), "int8")
    program.output("z", program.map(lambda a, b: a - b, y, old))
    rows = program.state("rows", (9, 8), "int8")
    program.output("before", program.map(lambda a: a + 1, rows))
    program.scatter(rows, i, y[:2])
    program.output("after", program.map(lambda a: a - 1, rows))
    program.update(old, x)
    return program


@pytest.fixture(name="found")
def _found(monkeypatch):
    """Return what the verifier is asked to check for that program: machine, queues, contents."""
    asked = []
    monkeypatch.setattr(verifier, "check_contents", lambda *arguments: asked.append(arguments))
    program_with_states().compile()
    return asked[0]


def changed(contents, name, change):
    """Return contents in which the first accesses of a tensor, READs or WRITEs, are changed; None drops them."""
    kind, tensor = name
    placed = [(Meant([*meant.reads], [*meant.writes]), start) for meant, start in contents.placed]
    for meant, _ in placed:
        accesses = getattr(meant, kind)
        for number, one in enumerate(accesses):
            if (one.tensor.name if one.tensor is not None else None) == tensor:
                accesses[number : number + 1] = [] if change is None else [change(one)]
                return replace(contents, placed=placed)
    raise AssertionError(f"{kind} of {tensor} must be among those of the program")


def later(one):
    return replace(one, cycles=one.cycles + 1)


def next_vector(one):
    return replace(one, vectors=np.roll(one.vectors, 1))


def test_what_operations_mean_is_what_happens(found):
    check_contents(*found)


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        (("reads", None), later, "what the host wrote must have its READ, of MEM_.* in cycle"),
        (("writes", "map1"), later, "vector . of map1 must have its WRITE, of MEM_.* in cycle"),
        (("writes", "map1"), None, "WRITE of MEM_.* in cycle .* must be some operation's"),
        (("writes", "map1"), next_vector, "MEM_.* must hold vector . of map1 in the end, not vector . of map1"),
        (("reads", "rows"), next_vector, "READ of MEM_.* must find vector . of rows, not vector . of rows"),
        (("writes", "y0"), next_vector, "READ of MEM_.* must find vector . of y0, not vector . of y0"),
    ],
)
def test_accesses_that_are_not_as_meant(found, name, change, message):
    config, walks, contents = found
    with pytest.raises(AssertionError, match=message):
        check_contents(config, walks, changed(contents, name, change))


def test_words_that_the_host_does_not_write(found):
    config, walks, contents = found
    for number, places in enumerate(contents.hosted):
        if len(places[0]):
            less = replace(contents, hosted=contents.hosted[:number] + contents.hosted[number + 1 :], final=[])
            with pytest.raises(AssertionError, match=r"must find what the host wrote, not nothing"):
                check_contents(config, walks, less)


def test_words_that_the_host_writes_twice(found):
    config, walks, contents = found
    with pytest.raises(AssertionError, match="must be written by the host once"):
        check_contents(config, walks, replace(contents, hosted=[*contents.hosted, contents.hosted[0]]))


def test_a_scatter_counts_for_those_who_read_after_it(found):
    config, walks, contents = found
    scatter = next(n for n, (meant, _) in enumerate(contents.placed) if any(one.in_place for one in meant.writes))
    first = [contents.placed[scatter], *contents.placed[:scatter], *contents.placed[scatter + 1 :]]
    with pytest.raises(AssertionError, match=r"must find vector . of rows, 1, not vector . of rows$"):
        check_contents(config, walks, replace(contents, placed=first))


def test_a_state_that_keeps_its_value(found):
    config, walks, contents = found
    final = [one for one in contents.final if [tensor.name for tensor in one.tensors] == ["old"]]
    assert final
    kept = [(meant, start) for meant, start in contents.placed if all(w.tensor.name != "old" for w in meant.writes)]
    with pytest.raises(AssertionError, match="WRITE of MEM_.* must be some operation's"):
        check_contents(config, walks, replace(contents, placed=kept))
    other = [replace(one, tensors=(contents.placed[0][0].writes[0].tensor,)) for one in final]
    with pytest.raises(
        AssertionError, match="must hold vector 0 of y0 in the end, not vector 0 of old for the next run"
    ):
        check_contents(config, walks, replace(contents, final=other))


def test_words_that_are_given_back_too_soon(monkeypatch):
    """A compiler that forgets the last reads of what is over gives words to others while they are needed."""
    release = Words.release
    monkeypatch.setattr(
        Words, "release", lambda self, slices, addrs, cycles: release(self, slices, addrs, 0 * cycles + 1)
    )
    rng = np.random.default_rng(1)
    program = Program(NANO.replace(mem_depth=32))
    # The second chain is placed after the first one, and runs beside it.
    for chain in ("first", "second"):
        y = program.input(chain, (24, 8))
        for _ in range(10):
            y = program.map(
                lambda a: a * 3 + 1, program.matmul(y, rng.integers(-9, 9, (8, 8), dtype=np.int8), scale=0.1)
            )
        program.output(f"{chain}_end", y)
    with pytest.raises(AssertionError, match=r"READ of MEM_.* in cycle .* must find vector"):
        program.compile()
