"""Programs in segments: their text comes while the segment before it runs, or in a pause after it."""

import numpy as np
import pytest

from arch.geometry import UnitKind, units
from arch.isa.encoding import decode
from arch.isa.timeline import NOP_LIMIT
from arch.presets import preset
from compiler.emit.assembler import assemble_queues
from compiler.emit.ifetch.segments import SegmentedText, longest_segment, pause
from compiler.memory.words import Bank, Words
from compiler.program import Program
from compiler.schedule.footprint import footprint
from compiler.schedule.macro import Action, Macro
from compiler.schedule.scheduler import Scheduler
from runtime.backend import GoldenBackend
from runtime.measure import run_checked
from runtime.rtl_backend import RtlBackend
from verif.bits import same_bits

CONFIG = preset("nano", ["queue_depth=128"])
ROWS = 8


def looked_up(barrier=False, layers=1):
    """Return an image with a sum, word by word, for each of 24 rows: more text than can come beside it."""
    program = Program(CONFIG, "segments")
    table, index = program.input("table", (ROWS, 32), "int8"), program.input("index", (24,), "int32")
    if barrier:
        index = program.map(lambda a: a + 1, index)
        program.barrier()
        index = program.map(lambda a: a - 1, index)
    # A chain of many short operations, beside which the sums run.
    chain = program.input("x", (3, 8), "int32")
    for _ in range(layers):
        chain = program.map(lambda a: a * 3 + 1, chain)
    program.output("y", program.gather(table, program.map(lambda a: a + 0, index)))
    program.output("chain", chain)
    return program.compile()


def check(image, backend, layers=1):
    rng = np.random.default_rng(1)
    table, x = rng.integers(-128, 128, (ROWS, 32)).astype(np.int8), rng.integers(-99, 99, (3, 8)).astype(np.int32)
    index = rng.integers(0, ROWS, 24).astype(np.int32)
    expected = x
    for _ in range(layers):
        expected = expected * np.int32(3) + np.int32(1)
    # Twice: the text overwrites the queues, which are filled anew.
    for result in run_checked(backend, image, [{"table": table, "index": index, "x": x}] * 2):
        assert result.cycles == image.cycles
        same_bits(result.outputs["y"], table[index])
        same_bits(result.outputs["chain"], expected)


def issued(words):
    return {decode(word)[0].mnemonic for word in words.tolist()}


@pytest.mark.parametrize(
    "backend", [GoldenBackend(), pytest.param(RtlBackend("icarus"), marks=pytest.mark.long)], ids=["golden", "icarus"]
)
def test_right_values(backend):
    image = looked_up()
    # Queues whose text comes word by word are full at first.
    fetching = [words for words in image.queues.values() if "IFETCH" in issued(words)]
    assert fetching
    assert max(len(words) for words in fetching) < CONFIG.queue_depth
    check(image, backend)


def test_barriers_and_further_operations():
    image = looked_up(barrier=True, layers=12)
    assert {"SYNC", "NOTIFY", "IFETCH"} <= set().union(*map(issued, image.queues.values()))
    check(image, GoldenBackend(), layers=12)


def test_text_in_pieces():
    """MEM that is free in short pieces only."""
    scheduler = Scheduler(CONFIG, longest_segment(CONFIG) // 2)
    shifter = next(unit for unit in units(CONFIG) if unit.kind is UnitKind.SXM_SHIFT)
    for step in range(300):
        macro = Macro("step", [Action(shifter, "SHIFT", 0, {"amount": step % 8, "dst": step % 7, "dst_dir": 1})])
        assert scheduler.place(macro, 2 * step) is not None
    scheduler.synchronise()
    words = Words(CONFIG)
    for number in range(CONFIG.slices):
        for bank in (0, 1):
            taken = words.take(1, CONFIG.mem_depth, [Bank(number, bank)])
            assert taken is not None
            addrs = taken[1][0][np.arange(CONFIG.mem_depth) % 32 > 15]
            words.release(np.full((1, len(addrs)), number, np.int32), addrs[None], np.zeros(len(addrs), np.int64))
    text = SegmentedText(CONFIG, scheduler, words).fit()
    runs = np.split(text.addrs, np.flatnonzero((np.diff(text.addrs) != 1) | (np.diff(text.slices) != 0)) + 1)
    assert max(len(run) for run in runs) <= 16
    assert text.paused > 0
    assert len(text.content) > 100


@pytest.mark.parametrize("seed", range(20))
def test_pauses_fill_vectors(seed):
    rng = np.random.default_rng(seed)
    multiple, after = int(rng.integers(1, 40)), int(rng.integers(100))
    cycles = multiple + int(rng.integers(4 * NOP_LIMIT))
    words = pause(cycles, multiple, after)
    assert {decode(word)[0].mnemonic for word in words} == {"NOP"}
    assert sum(decode(word)[1]["count"] for word in words) == cycles
    assert (len(words) + after) % multiple == 0


def test_text_of_one_segment_in_two_fetches():
    """More words than one IFETCH brings."""
    config = preset("nano", ["queue_depth=4096", "mem_depth=8192"])
    scheduler = Scheduler(config, 3000)
    shifter = next(unit for unit in units(config) if unit.kind is UnitKind.SXM_SHIFT)
    for step in range(4500):
        macro = Macro("step", [Action(shifter, "SHIFT", 0, {"amount": step % 8, "dst": step % 7, "dst_dir": 1})])
        assert scheduler.place(macro, step) is not None
    scheduler.synchronise()
    text = SegmentedText(config, scheduler, Words(config)).fit()
    held = [decode(word) for word in text.queues[shifter.id].tolist()]
    fetched = [fields["count"] for row, fields in held if row.mnemonic == "IFETCH"]
    assert max(fetched) <= 1023
    assert sum(fetched) > 1023


@pytest.mark.parametrize("seed", range(20))
def test_counted_words(seed):
    """The count of the text of a macro-operation by itself is never below its words, nor far above."""
    rng = np.random.default_rng(seed)
    slice_ = next(unit for unit in units(CONFIG) if unit.kind is UnitKind.MEM)
    issues, parts = int(rng.integers(2, 60)), int(rng.integers(1, 5))
    every = parts + int(rng.integers(0, 2))
    advance = int(rng.choice([0, 1, 3]))
    fields = {"addr": 0, "count": 1, "stride": 1, "dir": 0}
    actions = [
        Action(slice_, "READ", part, fields | {"addr": 64 * part}, issues=issues, every=every, advance=advance)
        for part in range(parts)
    ]
    macro = Macro("reads", actions)
    found = footprint(CONFIG, macro)
    assert found is not None
    scheduler = Scheduler(CONFIG)
    assert scheduler.place(macro, 0) is not None
    scheduler.write()
    words = len(assemble_queues(CONFIG, scheduler.issues)[slice_.id]) - 1
    counted = sum(count for queue, _, count in found.text if queue == slice_.id)
    assert words <= counted <= 3 * words + 2 * parts
