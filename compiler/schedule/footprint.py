"""Footprint of a macro-operation: all that it takes, put together per resource."""

from collections.abc import Iterator
from dataclasses import dataclass

from arch.config import Config
from arch.geometry import positions
from arch.timing import timing
from compiler.schedule.flow import Flow
from compiler.schedule.macro import Key, Macro
from compiler.schedule.pattern import Bits, Pattern, any_of, merged
from compiler.schedule.reservations import Reservations


@dataclass(frozen=True, slots=True)
class Need:
    """Cycles of one resource.

    Attributes
    ----------
    key : hashable
    first : int
        First one, relative to the macro-operation.
    bits : int
        All of them, from `first` on.
    patterns : list of Pattern
        The same, one for each action or hold.
    """

    key: Key
    first: int
    bits: Bits
    patterns: list[Pattern]

    @property
    def queue(self) -> int | None:
        """Queue whose issue slot it is; None for any other resource."""
        return self.key[1] if isinstance(self.key, tuple) and self.key[0] == "issue" else None

    def taken(self, table: Reservations, start: int, count: int) -> Bits:
        """Return for each of `count` starts, the first `start`, whether any of the cycles is taken, as bits."""
        row = table.part(self.key, self.first + start, self.bits.bit_length() + count - 1)
        if not row:
            return 0
        found = 0
        for cycles in self.patterns:
            # Regular cycles are looked at all together, and there are few patterns where there are many cycles.
            blocks = any_of(row >> cycles.start - self.first, cycles.length, cycles.interval)
            found |= any_of(blocks, cycles.count, cycles.every)
        return found & ((1 << count) - 1)


@dataclass(frozen=True)
class Footprint:
    """All that a macro-operation takes.

    Attributes
    ----------
    needs : list of Need
        One per resource, streams apart. Their order is that in which they are looked at, and changes.
    ways : list of (Flow, dict of int to (int, int))
        Flows, and of each member what it takes of its stream, as `Flow.ways` gives it.
    text : list of (int, int, int)
        Queue, its position and about how many words the actions take there, if nothing else issues in between.
    issued, retired : int
        First relative cycles after the last issue, and after all that the actions do.
    """

    needs: list[Need]
    ways: list[tuple[Flow, dict[int, tuple[int, Bits]]]]
    text: list[tuple[int, int, int]]
    issued: int
    retired: int


_BROKEN = 3
"""Words for each time that a repeated word is interrupted: a pause, and both parts of the repetition."""


def interleaved(need: Need, words: int, taken: Bits) -> int:
    """Return about how many words of text issues take, with those that come of others between them.

    A word that is issued again and again is one only as long as nothing else of its queue comes between.

    Parameters
    ----------
    need : Need
        Of an issue slot.
    words : int
        What they take if nothing comes between.
    taken : int
        Cycles in which anything issues, as bits from `need.first` on.
    """
    for cycles in need.patterns:
        if cycles.count > 1:
            span = taken >> cycles.start - need.first & (1 << cycles.last - cycles.start + 1) - 1
            words += _BROKEN * min(cycles.count - 1, span.bit_count() - cycles.count)
    # At worst each issue is a word after a pause.
    return min(words, 2 * need.bits.bit_count())


def footprint(config: Config, macro: Macro) -> Footprint | None:
    """Return the footprint of a macro-operation; None when it is in its own way, whatever the start."""
    needs = _needs(config, macro)
    ways = [flow.ways(positions(config)) for flow in macro.flows]
    if needs is None or None in ways:
        return None
    table = timing(config)
    words: dict[int, int] = {}
    places: dict[int, int] = {}
    issued = retired = -(1 << 62)
    for action in macro.actions:
        unit = action.unit
        words[unit.id] = words.get(unit.id, 0) + action.text
        places[unit.id] = unit.position
        issued = max(issued, action.cycle + action.every * (action.issues - 1) + 1)
        retired = max(retired, action.work.last + table.retire(action.mnemonic, action.fields))
    for need in needs:
        # What an action takes by itself is known; several of one queue are in each other's way.
        if need.queue is not None and len(need.patterns) > 1:
            words[need.queue] = interleaved(need, words[need.queue], need.bits)
    return Footprint(
        needs,
        [(flow, way) for flow, way in zip(macro.flows, ways, strict=True) if way is not None],
        [(queue, places[queue], count) for queue, count in words.items()],
        issued,
        retired,
    )


def meetings(config: Config, macro: Macro) -> set[Key]:
    """Return the resources that a macro-operation would take twice in one cycle, streams apart."""
    found: dict[Key, tuple[int, Bits]] = {}
    met = set()
    for key, cycles in _claims(config, macro):
        both = merged(found.get(key, (0, 0)), (cycles.start, cycles.bits))
        if both is None:
            met.add(key)
        else:
            found[key] = both
    return met


def _needs(config: Config, macro: Macro) -> list[Need] | None:
    found: dict[Key, tuple[tuple[int, Bits], list[Pattern]]] = {}
    for key, cycles in _claims(config, macro):
        own = (cycles.start, cycles.bits)
        if not own[1]:
            continue
        if key not in found:
            found[key] = own, [cycles]
            continue
        both = merged(found[key][0], own)
        if both is None:
            return None
        found[key][1].append(cycles)
        found[key] = both, found[key][1]
    return [Need(key, *taken, patterns) for key, (taken, patterns) in found.items()]


def _claims(config: Config, macro: Macro) -> Iterator[tuple[Key, Pattern]]:
    yield from macro.holds
    for action in macro.actions:
        yield from action.needs(config)
