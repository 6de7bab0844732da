"""Short words that issue what was asked for."""

import numpy as np

from arch.geometry import units
from arch.isa.encoding import decode, encode
from arch.presets import preset
from compiler.emit.assembler import assemble_queues
from compiler.schedule.issue import Issue
from compiler.verifier.walks import Walks
from verif.compiler.timetables import image_of

NANO = preset("nano")
READ = {"dir": 0, "stream": 0, "addr": 0, "stride": 1, "count": 2, "interval": 1}


def issues_of(queue, words):
    """Return (cycle, mnemonic, address, count) of everything that the words of a MEM queue issue."""
    walk = Walks(image_of(NANO, {queue: words})).by_queue[queue]
    assert walk.fault is None
    found = []
    kept: dict[str, int] = {}
    for item in walk.issued:
        for cycle in item.cycles.tolist():
            addr = kept[item.mnemonic] if item.fields["cont"] else item.fields["addr"]
            kept[item.mnemonic] = (addr + item.count * item.fields["stride"]) % (2 * NANO.mem_depth)
            found.append((cycle, item.mnemonic, addr, item.count))
    return found


def wanted(issues):
    return sorted(
        (cycle, issue.mnemonic, issue.fields["addr"] + number * issue.advance, issue.fields["count"])
        for issue in issues
        for number, cycle in enumerate(issue.cycles.tolist())
    )


def test_random_issues_come_back(rng):
    for _ in range(60):
        free = 0
        issues = []
        for _ in range(int(rng.integers(1, 8))):
            count, number = int(rng.integers(1, 4)), int(rng.integers(1, 6))
            every = count + int(rng.integers(4))
            fields = {**READ, "addr": int(rng.integers(3)) * 2, "count": count, "stride": int(rng.integers(2))}
            start = free + int(rng.choice([0, 0, 3, 70_000]))
            mnemonic = str(rng.choice(["READ", "WRITE"]))
            issues.append(Issue(0, mnemonic, start, fields, number, every, count * fields["stride"]))
            free = start + number * every
        words = assemble_queues(NANO, issues)[0]
        assert issues_of(0, words) == wanted(issues)


def test_equal_tiles_are_three_words():
    issues = [Issue(5, "READ", 10 + 8 * tile, {**READ, "addr": 2 * tile}) for tile in range(100)]
    words = assemble_queues(NANO, issues)[5]
    names = [decode(int(word))[0].mnemonic for word in words]
    assert names == ["NOP", "READ", "NOP", "READ", "REPEAT", "END"]
    assert issues_of(5, words) == wanted(issues)


def test_more_repeats_than_one_word_counts():
    alu = next(unit.id for unit in units(NANO) if unit.name == "VXM_0")
    words = assemble_queues(NANO, [Issue(alu, "PASS", 0, {"a_src": 3, "b_src": 3}, 150_000)])[alu]
    names = [decode(int(word))[0].mnemonic for word in words]
    assert names == ["PASS", "REPEAT", "REPEAT", "REPEAT", "END"]
    walk = Walks(image_of(NANO, {alu: words})).by_queue[alu]
    assert walk.closed == 150_001
    np.testing.assert_array_equal(walk.issued[0].cycles, np.arange(150_000))


def test_words_are_those_of_the_table():
    words = assemble_queues(NANO, [Issue(0, "READ", 2, READ)])[0]
    assert words.tolist() == [encode("NOP", count=2), encode("READ", **READ), encode("END")]
