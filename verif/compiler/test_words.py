"""Words of MEM, sweeps over them, and where images have them."""

import numpy as np
import pytest

from arch.presets import preset
from compiler.memory.words import Bank, Words
from compiler.program import Program
from compiler.schedule.pattern import Pattern
from compiler.schedule.sweeps import sweeps
from verif.compiler.layers import compile_layer, random_int8

NANO = preset("nano")


BANKS = [Bank(number, bank) for number in (2, 3, 5) for bank in (0, 1)]


def take(words, *given, **named):
    found = words.take(*given, **named)
    assert found is not None
    return found


def test_rows_stand_in_different_slices():
    words = Words(NANO)
    slices, addrs, free = take(words, 2, 300, BANKS)
    assert (slices[0] != slices[1]).all()
    assert len({*zip(slices.flat, addrs.flat, strict=True)}) == 600
    assert not free.any()
    before = words.room(0)
    assert words.take(1, 2_000, BANKS) is None
    assert words.room(0) == before


def test_words_of_zeros_are_undone_with_others():
    """Otherwise whoever takes the word next writes where others read zeros."""
    words = Words(NANO)
    kept = words.zero(2)
    mark = words.mark()
    undone = words.zero(3)
    assert words.zero(3) == undone
    words.rollback(mark)
    slices, addrs, _ = take(words, 1, 1, [Bank(3, 1)], high=True)
    assert addrs[0, 0] == undone != words.zero(3)
    assert words.zero(2) == kept
    assert [*zip(*(places.tolist() for places in words.zeros), strict=True)] == [(2, kept), (3, words.zero(3))]
    assert not set(words.zeros[1][words.zeros[0] == 3]) & set(addrs[slices == 3])


def test_what_is_undone_can_be_taken_again():
    words = Words(NANO)
    mark = words.mark()
    first = take(words, 1, 10, [Bank(0, 0)])
    words.rollback(mark)
    for one, other in zip(first, take(words, 1, 10, [Bank(0, 0)]), strict=True):
        np.testing.assert_array_equal(one, other)


def test_words_are_free_after_their_last_read():
    words = Words(NANO)
    every = NANO.mem_depth
    slices, addrs, _ = take(words, 1, every, [Bank(0, 0)])
    assert words.take(1, 1, [Bank(0, 0)], when=10**9) is None
    words.release(slices, addrs, np.arange(every, dtype=np.int64) + 5)
    # What the host writes needs a word that nothing has used before.
    assert words.take(1, 1, [Bank(0, 0)]) is None
    assert words.run(Bank(0, 0), 14) == 10
    assert words.next_release(5) == 6
    _, again, free = take(words, 1, 10, [Bank(0, 0)], when=14)
    np.testing.assert_array_equal(again, addrs[:, :10])
    np.testing.assert_array_equal(free, np.arange(10) + 5)


def test_random_words_never_overlap(rng):
    """Whatever is taken, given back and undone: no word has two owners at the same time."""
    words = Words(NANO)
    owners: list[tuple[np.ndarray, np.ndarray]] = []
    for clock in range(1, 301):
        banks = [Bank(int(number), int(bank)) for number in rng.permutation(6) for bank in rng.permutation(2)]
        rows, width = int(rng.integers(1, 120)), int(rng.integers(1, 4))
        mark = words.mark()
        if rng.integers(2):
            taken = words.take(width, rows, banks, when=clock, high=bool(rng.integers(2)))
        else:
            stripes = (np.arange(rows) // int(rng.integers(1, 9))).astype(np.int32)
            taken = words.take_striped(width, stripes, banks, int(rng.integers(1, 3)), when=clock)
        if taken is not None and rng.integers(4) == 0:
            words.rollback(mark)
            taken = None
        if taken is not None:
            slices, addrs, free = taken
            assert (free <= clock).all()
            assert all(len(set(column)) == width for column in slices.T.tolist())
            owners.append((slices, addrs))
        if owners and (taken is None or rng.integers(2)):
            slices, addrs = owners.pop(int(rng.integers(len(owners))))
            words.release(slices, addrs, np.full(slices.shape[1], clock, np.int64))
        held = [place for pair in owners for place in zip(*(part.flat for part in pair), strict=True)]
        assert len(set(held)) == len(held)


def test_sweeps_cover_every_word_once_and_keep_to_a_bank(rng):
    for _ in range(150):
        count = int(rng.integers(1, 60))
        slices = np.repeat(rng.integers(0, 3, count), rng.integers(1, 9, count))
        strides = rng.choice([1, 0, -1, 3], count)[rng.integers(0, count, len(slices))]
        addrs = np.cumsum(np.where(rng.integers(0, 9, len(slices)) > 0, strides[0], strides)) + NANO.mem_depth
        cycles = np.cumsum(rng.choice([1, 1, 2, 4][rng.integers(4) :], len(slices)))
        found = []
        for sweep in sweeps(slices, addrs, cycles, NANO.mem_depth):
            words = words_of(sweep)
            assert len({addr // NANO.mem_depth for _, addr, _ in words}) == 1
            assert words[-1][2] == sweep.cycles.last
            found += words
        assert found == list(zip(slices.tolist(), addrs.tolist(), cycles.tolist(), strict=True))


def words_of(sweep):
    """Return slice, address and cycle of every word."""
    at = sweep.cycles
    return [
        (
            sweep.slice,
            sweep.addr + burst * sweep.advance + word * sweep.stride,
            at.start + burst * at.every + word * at.interval,
        )
        for burst in range(at.count)
        for word in range(at.length)
    ]


@pytest.mark.parametrize("stride", [1, 0, -1, 7, -1023])
@pytest.mark.parametrize("interval", [1, 2, 9, 4095])
def test_regular_words_are_one_sweep(stride, interval):
    """Of one burst, or of several that continue: one word and a REPEAT in either case."""
    place = 8192 if stride >= 0 else 16383
    addrs = place + stride * np.arange(8, dtype=np.int32)
    slices = np.zeros(8, np.int32)
    (lone,) = sweeps(slices, addrs, 5 + interval * np.arange(8, dtype=np.int64), 8192)
    assert lone.cycles.count * lone.cycles.length == 8
    assert lone.stride == stride and (lone.cycles.count == 1 or lone.advance == stride)
    assert interval == 1 or lone.cycles.length == 1, "pauses leave the engine free"
    (burst,) = sweeps(slices, addrs, 5 + interval * np.arange(8, dtype=np.int64), 8192, interval)
    assert burst.cycles == Pattern(5, 1, 1, 8, interval)
    rows = (40_000 * np.arange(3)[:, None] + interval * np.arange(8)).reshape(-1)
    (blocks,) = sweeps(np.zeros(24, np.int32), np.tile(addrs, 3), rows, 8192)
    assert (blocks.advance, blocks.stride) == (0, stride)
    assert blocks.cycles == Pattern(0, 3, 40_000, 8, interval)


def test_a_word_out_of_step_does_not_break_up_the_burst_after_it():
    cycles = np.array([0, 3, 4, 5, 6, 11, 13, 15])
    found = list(sweeps(np.zeros(8, np.int32), np.arange(8, dtype=np.int32), cycles, 8192))
    assert [sweep.cycles for sweep in found] == [Pattern(0), Pattern(3, 1, 1, 4), Pattern(11, 3, 2)]


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
    words = {tensor.name: len(tensor.slices) for tensor in program.compile().inputs}
    assert words.pop("unused") == 0 and words.keys() == {"x", "w"} and all(words.values())
