"""Reservations and the first-fit scheduler."""

import pytest

from arch.geometry import Direction, positions, units
from arch.presets import preset
from compiler.emit.ifetch.fetch import Burst, fetch_macro, read_cycle
from compiler.memory.words import Bank
from compiler.schedule.flow import Flow
from compiler.schedule.footprint import Need, meetings
from compiler.schedule.macro import Action, Macro
from compiler.schedule.pattern import Pattern
from compiler.schedule.reservations import Reservations
from compiler.schedule.scheduler import Scheduler

NANO = preset("nano")


def taken_by(pattern):
    return {
        pattern.start + block * pattern.every + cycle * pattern.interval
        for block in range(pattern.count)
        for cycle in range(pattern.length)
    }


def random_pattern(rng):
    length, interval = int(rng.integers(1, 6)), int(rng.choice([1, 1, 2, 3]))
    every = (length - 1) * interval + 1 + int(rng.integers(4))
    return Pattern(int(rng.integers(60)), int(rng.integers(1, 5)), every, length, interval)


def test_claims_are_refused_exactly_when_they_overlap(rng):
    table = Reservations(NANO)
    taken: set[int] = set()
    for _ in range(400):
        pattern = random_pattern(rng)
        cycles = taken_by(pattern)
        assert pattern.last == max(cycles)
        need = Need("unit", pattern.start, pattern.bits, [pattern])
        expected = [not taken.isdisjoint(taken_by(pattern.shifted(by))) for by in range(40)]
        assert need.taken(table, 0, 40) == sum(1 << by for by, meets in enumerate(expected) if meets)
        assert table.is_free("unit", pattern.start, pattern.bits) == (not expected[0])
        assert table.row("unit", -3, 80).tolist() == [cycle in taken for cycle in range(-3, 77)]
        mark = table.mark()
        free = table.claim("unit", pattern)
        assert free == taken.isdisjoint(cycles)
        if free and rng.integers(2):
            table.rollback(mark)
        elif free:
            taken |= cycles
            assert table.last >= max(cycles)


def test_reservations_survive_growth():
    table = Reservations(NANO)
    start = table.mark()
    assert table.claim("unit", Pattern(3))
    assert table.claim("unit", Pattern(100_000, 3, 7, 2))
    assert not table.claim("unit", Pattern(3))
    table.rollback(start)
    assert table.last == -1
    assert table.claim("unit", Pattern(3)) and table.claim("unit", Pattern(100_000))


@pytest.mark.parametrize("direction", Direction)
def test_values_on_one_stream_never_meet_on_their_way(direction, rng):
    table = Reservations(NANO)
    registers: set[tuple[int, int]] = set()
    for _ in range(300):
        source, way = int(rng.integers(8)), int(rng.integers(6))
        if direction is Direction.WEST:
            source = 14 - source
        start = int(rng.integers(20))
        flow = Flow("flow", direction, 1)
        flow.carry(0, source, source + direction.step * way, random_pattern(rng).shifted(start))
        wanted = {
            (source + direction.step * hop, cycle + hop)
            for hop in range(way + 1)
            for cycle in taken_by(flow.segments[0].cycles)
        }
        ways = flow.ways(positions(NANO))
        assert ways is not None
        free = table.take_way(direction, 0, *ways[0])
        assert free == registers.isdisjoint(wanted)
        registers |= wanted if free else set()


def macro(key="flow", count=4, cycle=0, number=0, interval=1, config=NANO):
    unit = units(config)[number]
    flow = Flow(key, Direction.EAST, 1)
    flow.carry(0, unit.position, unit.position + 3, Pattern(cycle + 3, 1, 1, count, interval))
    fields = {"dir": 0, "addr": 0, "stride": 1, "count": count}
    return Macro("read", [Action(unit, "READ", cycle, fields, {"stream": (flow, 0)}, interval=interval)], [flow])


def test_macros_are_placed_as_early_as_they_fit():
    scheduler = Scheduler(NANO)
    assert scheduler.place(macro(count=4), 0) == 0
    assert scheduler.place(macro(count=4), 0) == 4
    assert scheduler.place(macro(count=2), 20) == 20
    assert scheduler.place(macro(count=12), 0) == 8
    assert scheduler.place(macro(count=1, cycle=-5), 0) == 27
    scheduler.write()
    assert len({issue.fields["stream"] for issue in scheduler.issues}) == 1


def test_flows_of_one_key_are_aligned_to_their_own_width():
    scheduler = Scheduler(NANO)
    for width in (1, 2, 4, 1):
        wide = macro()
        wide.flows[0].width = width
        scheduler.place(wide, 0)
        scheduler.write()
        assert scheduler.issues[-1].fields["stream"] % width == 0
        assert scheduler.issues[-1].fields["stream"] + width <= NANO.streams


def test_bursts_with_pauses_share_a_stream_but_not_an_engine():
    scheduler = Scheduler(NANO)
    assert scheduler.place(macro(count=4, interval=2), 0) == 0
    assert scheduler.place(macro(count=4, interval=2, number=1), 0) == 0
    assert scheduler.place(macro(count=4, interval=2), 0) == 7
    scheduler.write()
    assert [issue.fields["interval"] for issue in scheduler.issues] == [2, 2, 2]
    assert len({issue.fields["stream"] for issue in scheduler.issues}) == 2


def test_streams_are_free_between_the_words_of_a_burst():
    config = NANO.replace(streams=4, slices_per_hop=8)
    scheduler = Scheduler(config)
    macros = [macro(number, count=4, number=number, interval=2, config=config) for number in range(8)]
    starts = [scheduler.place(item, 0) for item in macros]
    assert starts == [0] * 4 + [1] * 4


def test_a_macro_in_its_own_way():
    twice = macro()
    twice.actions *= 2
    assert Scheduler(NANO).place(twice, 0) is None
    assert meetings(NANO, twice) == {("issue", 0), ("engine", 0, "READ"), ("bank", 0, 0)}
    assert not meetings(NANO, macro())


def test_what_is_taken_back_leaves_nothing():
    scheduler = Scheduler(NANO)
    assert scheduler.place(macro(count=4), 0) == 0
    before, mark = scheduler.retired, scheduler.mark()
    assert scheduler.place(macro(count=40), 0) == 4
    assert scheduler.retired > before
    scheduler.rollback(mark)
    assert scheduler.retired == before
    assert scheduler.place(macro(count=4), 0) == 4
    scheduler.write()
    assert len(scheduler.issues) == 2


def test_the_limit_is_the_first_cycle_that_will_not_do():
    scheduler = Scheduler(NANO)
    scheduler.place(macro(count=10), 0)
    assert scheduler.place(macro(count=4), 0, 10) is None
    assert scheduler.place(macro(count=4), 0, 11) == 10


def test_text_does_not_wait_for_text():
    """What is too long for its queue waits until its text can have come; the IFETCH that brings it must come before."""
    config = NANO.replace(queue_depth=16)
    scheduler = Scheduler(config)
    starts = [scheduler.place(macro(count=1, config=config), 3 * number) for number in range(40)]
    assert None not in starts
    assert starts[-1] > 3 * 39
    scheduler.synchronise()
    unit, source = units(config)[:2]
    burst = Burst(Bank(source.id, 0), 0, 0, 1, read_cycle(config, unit, source))
    assert scheduler.place(fetch_macro(config, unit, [burst]), 8) == 8
