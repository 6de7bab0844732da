"""Allocator, layouts and the rules of placement."""

import numpy as np
import pytest

from arch.presets import preset
from compiler.placement.allocator import Allocator, Bank, OutOfMemory
from compiler.placement.layout import sweeps
from compiler.program import Program
from verif.compiler.layers import compile_layer, random_int8

NANO = preset("nano")


def test_rows_stand_in_different_slices():
    allocator = Allocator(NANO)
    banks = [Bank(number, bank) for number in (2, 3, 5) for bank in (0, 1)]
    slices, addrs = allocator.take("x", 2, 300, banks)
    assert (slices[0] != slices[1]).all()
    assert len({*zip(slices.flat, addrs.flat, strict=True)}) == 600
    with pytest.raises(
        OutOfMemory, match=r"y must fit the MEM of nano that is left for it, not exceed it by \d+ bytes"
    ):
        allocator.take("y", 1, 2_000, banks)


def test_what_is_given_back_can_be_taken_again():
    allocator = Allocator(NANO)
    before = allocator.save()
    first = allocator.take("x", 1, 10, [Bank(0, 0)])
    allocator.restore(before)
    np.testing.assert_array_equal(first, allocator.take("x", 1, 10, [Bank(0, 0)]))


def test_sweeps_cover_every_word_once_and_keep_to_a_bank(rng):
    for _ in range(50):
        count = int(rng.integers(1, 60))
        slices = np.repeat(rng.integers(0, 3, count), rng.integers(1, 9, count))
        addrs = np.cumsum(rng.choice([1, 1, 1, 5], len(slices))) + NANO.mem_depth - 40
        cycles = np.cumsum(rng.choice([1, 1, 1, 4], len(slices)))
        found = []
        for sweep in sweeps(slices, addrs, cycles, NANO.mem_depth):
            words = sweep.cycles.count * sweep.cycles.length
            assert sweep.addr // NANO.mem_depth == (sweep.addr + words - 1) // NANO.mem_depth
            for word in range(words):
                burst, element = divmod(word, sweep.cycles.length)
                cycle = sweep.cycles.start + burst * sweep.cycles.every + element
                found.append((sweep.slice, sweep.addr + word, cycle))
        assert found == list(zip(slices.tolist(), addrs.tolist(), cycles.tolist(), strict=True))


@pytest.mark.parametrize("planes", [1, 4])
def test_maps_hold_every_byte(planes, rng):
    image = compile_layer(NANO, 11, 21, 19, planes=planes)
    places = [(tensor, place) for tensor in image.inputs for place in zip(tensor.slices, tensor.addrs, strict=True)]
    assert len({place for _, place in places}) == len(places)
    for tensor in (*image.inputs, *image.outputs):
        assert set(np.unique(tensor.index)) >= set(range(tensor.nbytes))
    x = next(tensor for tensor in image.inputs if tensor.name == "x")
    values = random_int8(rng, 11, 21)
    np.testing.assert_array_equal(x.unpack(x.pack(values)), values)


def test_constants_belong_to_the_image(rng):
    program = Program(NANO, "constants")
    w = random_int8(rng, 20, 9)
    program.output("y", program.matmul(program.input("x", (3, 20)), w, bias=np.arange(9, dtype=np.int32)))
    image = program.compile()
    assert [tensor.name for tensor in image.inputs] == ["x"]
    assert set(w.view(np.uint8).flat) <= set(image.constant_words.flat)
    assert image.constant_words.shape == (len(image.constant_slices), NANO.vector_length)


def test_unused_tensors_take_no_room():
    program = Program(NANO, "unused")
    program.input("unused", (5, 5))
    program.output("y", program.matmul(program.input("x", (2, 2)), program.input("w", (2, 2))))
    assert {tensor.name for tensor in program.compile().inputs} == {"x", "w"}
