"""Lets programs that are longer than their queues stream themselves in."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from arch.config import Config
from arch.errors import TaktError
from arch.geometry import Direction, Unit, UnitKind, units
from arch.isa.encoding import encode
from arch.timing import timing
from compiler.emit.assembler import assemble_queues
from compiler.emit.ifetch.fetch import Burst, Fetch, direction_of, fetch_macro, spacing_of, words_per_vector
from compiler.emit.ifetch.fetched import FetchedQueue, Portion
from compiler.emit.ifetch.slots import Slots, continues
from compiler.emit.ifetch.sources import TextSources
from compiler.emit.ifetch.text import Text, TextError
from compiler.memory.words import Bank, Words
from compiler.schedule.scheduler import Scheduler

_TRIED = 12
"""Banks on each side of a queue that bring a text at first: where these have no time, others hardly do."""

_PARTS = 8
"""Parts of a queue, and of a bank: of two slices the one with fewer words in these, by so much, comes first."""

_SKIPPED = 64
"""Cycles that are tried at last, of those that were passed over."""

_SPARED = 4
"""Part of a bank that text leaves free if it can."""


class TextStreamer:
    """Finds a slice, a stream and a cycle for every IFETCH, after everything else is placed.

    A fetch comes as soon as its words have room in the queue, so that they are there long before they are needed; the
    queue whose next word is needed first comes first. Equal portions of a queue are expected to stay equal and get the
    same words of MEM (see `FetchedQueue`); whether they have is seen at the end.

    Parameters
    ----------
    config : Config
    scheduler : Scheduler
        Holds all issues; gets those of IFETCH and of the READs of text.
    words : Words
        Gives MEM for the text.
    """

    def __init__(self, config: Config, scheduler: Scheduler, words: Words) -> None:
        self._config = config
        self._scheduler = scheduler
        self._words = words
        self._units = units(config)
        self._programs: dict[int, FetchedQueue] = {}
        # READs that are added later never continue.
        self._continuing: set[int] = set()
        self._layers = 1
        self._taken: set[tuple[Bank, int]] = set()
        """First words of what was taken for a burst and has no content yet."""

    def fit(self) -> Text:
        """Return the program, in queues that hold it.

        Raises
        ------
        TextError
            When text cannot be there in time.
        TaktError
            When MEM has no room for it.
        """
        wait = timing(self._config).barrier
        for queue, words in assemble_queues(self._config, self._scheduler.issues).items():
            self._programs[queue] = FetchedQueue(self._config, self._units[queue], Slots(words.tolist(), wait))
            if continues(self._programs[queue].slots.words):
                self._continuing.add(queue)
        self._layers = self._common_layers()
        while (program := self._next()) is not None:
            self._fetch(program)
        return self._text()

    def _common_layers(self) -> int:
        """Return how many layers the portions of all queues are to be of.

        The same for all: so what one queue's fetches leave free for another's is the same in all portions too.
        """
        most = max(1, self._config.queue_depth // 2)
        periods = [program.period() for program in self._programs.values() if program.missing and self._can_fetch]
        return max(1, most // max((period for period in periods if period is not None), default=most))

    @property
    def _can_fetch(self) -> bool:
        return self._config.vector_length % 8 == 0

    def _next(self) -> FetchedQueue | None:
        """Return the queue whose next fetch is to be placed."""
        missing = [program for program in self._programs.values() if program.missing]
        others = [program for program in missing if program.unit.kind is not UnitKind.MEM]
        if others:
            return min(others, key=lambda one: one.deadline)
        # MEM queues last and one after another: READs of other units' text come between their words.
        return min(missing, key=lambda one: (not one.fetches, -len(one.slots), one.unit.id), default=None)

    def _fetch(self, program: FetchedQueue) -> None:
        """Place the next IFETCH of a queue."""
        if not self._can_fetch:
            raise TaktError(
                f"program must fit queue_depth {self._config.queue_depth}, not need {len(program.slots)} words in "
                f"queue {program.unit.name}: text streams in only where vector_length is a multiple of 8, "
                f"not {self._config.vector_length}"
            )
        while not self._place(program, program.portion(self._layers)):
            if not program.halve():
                raise self._late(program)

    def _late(self, program: FetchedQueue) -> TextError:
        return TextError(
            f"queue_depth must be enough for the text of {program.unit.name} to come in time, "
            f"not {self._config.queue_depth} for {len(program.slots)} words"
        )

    def _place(self, program: FetchedQueue, portion: Portion) -> bool:
        """Place an IFETCH that brings a portion; return whether that is possible."""
        vectors = portion.vectors
        earliest, latest = program.window(vectors * words_per_vector(self._config))
        if self._repeat(program, portion, earliest, latest):
            return True
        for banks, whole in self._banks(program.unit, vectors):
            sources = TextSources(self._config, self._scheduler, program.unit, banks)
            for start in self._spread(sources.starts(vectors, earliest, latest, whole)):
                bursts = sources.bursts(start, vectors)
                if whole and len(bursts) > 1:
                    continue
                if self._commit(program, portion, start, self._addressed(portion, bursts)):
                    return True
        return False

    def _spread(self, starts: Iterator[int]) -> Iterator[int]:
        """Yield starts, those apart first: where streams are not free in one, they hardly are in the next."""
        skipped: list[int] = []
        after, step = 0, 1
        for start in starts:
            if start >= after:
                yield start
                after, step = start + step, step + 1
            elif len(skipped) < _SKIPPED:
                skipped.append(start)
        yield from skipped

    def _repeat(self, program: FetchedQueue, portion: Portion, earliest: int, latest: int) -> bool:
        """Place an IFETCH as that of an equal portion before; return whether that is possible."""
        twin, start = portion.twin, portion.start
        if twin is None or start is None or not earliest <= start <= latest:
            return False
        # Text that comes from a full bank has to be what it was expected to be: no risk as long as others have room.
        least = portion.vectors + self._config.mem_depth // _SPARED
        every = [Bank(number, bank) for number in range(self._config.slices) for bank in (0, 1)]
        roomy = {bank for bank in every if self._words.run(bank, 0) >= least}
        if {burst.bank for burst in twin.bursts} - roomy and len(roomy) >= len(every) // _SPARED:
            return False
        return self._commit(program, portion, start, twin.bursts)

    def _addressed(self, portion: Portion, bursts: tuple[Burst, ...]) -> tuple[Burst, ...]:
        """Return bursts with addresses: those of the twin if it has the same ones, otherwise words of their own."""
        twin = portion.twin.bursts if portion.twin is not None else ()
        known = {(burst.bank, burst.first, burst.count): burst.addr for burst in twin}
        return tuple(
            burst.at(known[key] if (key := (burst.bank, burst.first, burst.count)) in known else -1) for burst in bursts
        )

    def _commit(self, program: FetchedQueue, portion: Portion, start: int, bursts: tuple[Burst, ...]) -> bool:
        """Place an IFETCH in one cycle; return whether streams have room for it, and all queues time."""
        scheduler, depth = self._scheduler, self._config.mem_depth
        reads: dict[int, list[int]] = {}
        for burst in bursts:
            reads.setdefault(burst.bank.slice, []).append(start + burst.cycle)
        mark, taken, before = scheduler.mark(), self._words.mark(), self._taken.copy()
        bursts = tuple(self._placed(burst) for burst in bursts)
        if (
            scheduler.place(fetch_macro(self._config, program.unit, bursts), start, start + 1) is None
            # Further words in a queue are so many less that its own fetches bring in time.
            or not program.bears("IFETCH", [start])
            or not all(self._program(source).bears("READ", cycles) for source, cycles in reads.items())
        ):
            scheduler.rollback(mark)
            self._words.rollback(taken)
            self._taken = before
            return False
        scheduler.write()
        issue, *others = scheduler.issues[-1 - len(bursts) :]
        for read in others:
            self._program(read.queue).slots.insert_read(read.cycle, encode("READ", **read.fields), depth)
        words = portion.vectors * words_per_vector(self._config)
        program.add(Fetch(start, words, bursts), encode("IFETCH", **issue.fields), portion)
        return True

    def _placed(self, burst: Burst) -> Burst:
        """Return a burst from words of its own, if there is room, or if no earlier one is expected to bring the same.

        What turns out to be the same gives its words back; what does not would have to find some in the end.
        """
        spared = self._words.run(burst.bank, 0) - burst.count >= self._config.mem_depth // _SPARED
        return burst.at(self._take(burst)) if spared or burst.addr < 0 else burst

    def _take(self, burst: Burst) -> int:
        """Take words for what a READ brings; return the address of the first."""
        taken = self._words.take(1, burst.count, [burst.bank], high=True)
        assert taken is not None
        addr = int(taken[1][0, 0])
        self._taken.add((burst.bank, addr))
        return addr

    def _program(self, queue: int) -> FetchedQueue:
        if queue not in self._programs:
            self._programs[queue] = FetchedQueue(self._config, self._units[queue], Slots([encode("END")]))
        return self._programs[queue]

    def _banks(self, unit: Unit, vectors: int) -> Iterator[tuple[list[Bank], bool]]:
        """Yield the banks for text on each side of a unit: of slices with short programs first, then near ones.

        Only where these do not suffice those whose READs continue from one to the next, since a READ between them costs
        further words, those that fetch text themselves, and those that are nearly full. Of these one that brings all
        first, as said beside the banks: each slice more that takes its turn needs words in its own queue.
        """
        config = self._config

        def is_busy(bank: Bank) -> bool:
            # Room is left for text that turns out not to be what an earlier one was.
            full = self._words.run(bank, 0) < vectors + config.mem_depth // _SPARED
            return full or bank.slice in self._continuing or len(self._program(bank.slice).slots) > config.queue_depth

        def cost(bank: Bank) -> tuple[bool, int, int, int]:
            words, room = len(self._program(bank.slice).slots), self._words.run(bank, 0)
            distance = abs(self._units[bank.slice].position - unit.position)
            full = _PARTS - room * _PARTS // config.mem_depth
            return is_busy(bank), words * _PARTS // config.queue_depth, full, distance

        every = [Bank(number, bank) for number in range(config.slices) if number != unit.id for bank in (1, 0)]
        roomy = sorted((bank for bank in every if self._words.run(bank, 0) >= vectors), key=cost)
        quiet = [bank for bank in roomy if not is_busy(bank)]
        # All of them only where none of the first is free: a portion that is too long fails in every one.
        ways = (quiet, _TRIED, False), (roomy, None, True), (roomy, _TRIED, False), (roomy, None, False)
        for offered, most, whole in ways:
            sides = [
                [bank for bank in offered if direction_of(unit, self._units[bank.slice]) is direction][:most]
                for direction in Direction
            ]
            # The emptier one first.
            for banks in sorted(sides, key=lambda banks: -sum(self._words.run(bank, 0) for bank in banks)):
                yield banks, whole

    def _text(self) -> Text:
        for program in self._programs.values():
            if not program.in_time():
                raise self._late(program)
        content = self._share()
        places = [(bank.slice, addr + n) for (bank, addr), text in content.items() for n in range(len(text))]
        slices, addrs = np.array(places, np.int32).reshape(-1, 2).T
        depth, size = self._config.queue_depth, self._config.vector_length
        return Text(
            {
                queue: np.array(program.slots.words[:depth], np.uint64)
                for queue, program in sorted(self._programs.items())
            },
            slices,
            addrs,
            np.concatenate([np.zeros((0, size), np.uint8), *content.values()]),
            sum(len(program.slots) for program in self._programs.values()),
        )

    def _share(self) -> dict[tuple[Bank, int], npt.NDArray[np.uint8]]:
        """Return what is at each place: each text once in every bank from which it is fetched."""
        every = [(first, fetch, program) for program in self._programs.values() for first, fetch in program.portions()]
        # The last ones first: a READ of text, whose address is settled here, is a word of an earlier portion.
        every.sort(key=lambda one: -one[2].slots.needs[min(one[0], len(one[2].slots) - 1)])
        places: dict[tuple[Bank, bytes], int] = {}
        content: dict[tuple[Bank, int], npt.NDArray[np.uint8]] = {}
        for first, fetch, program in every:
            words = np.zeros(fetch.words, "<u8")
            brought = program.slots.words[first : first + fetch.words]
            words[: len(brought)] = brought
            vectors = words.view(np.uint8).reshape(-1, self._config.vector_length)
            for burst in fetch.bursts:
                part = vectors[burst.first : burst.first + burst.count]
                key, place = (burst.bank, part.tobytes()), (burst.bank, burst.addr)
                addr = places.get(key, burst.addr)
                if key not in places:
                    # Not what it was expected to be, it needs words of its own.
                    addr = addr if place in self._taken else self._take_more(fetch, burst, program)
                    content[burst.bank, addr] = part
                    if addr // self._config.mem_depth == burst.bank.bank:
                        places[key] = addr
                elif place in self._taken:
                    numbers = burst.addr + np.arange(burst.count, dtype=np.int32)
                    self._words.return_unused(np.full(burst.count, burst.bank.slice, np.int32), numbers)
                self._taken.discard(place)
                if addr != burst.addr:
                    self._program(burst.bank.slice).slots.readdress(fetch.cycle + burst.cycle, addr)
        return content

    def _take_more(self, fetch: Fetch, burst: Burst, program: FetchedQueue) -> int:
        """Take words for a burst whose cycles are settled: of its bank, or of the slice's other one if that is idle."""
        access, spacing = timing(self._config).mem_access, spacing_of(self._config)
        other = Bank(burst.bank.slice, 1 - burst.bank.bank)
        busy = self._scheduler.taken(("bank", *other), fetch.cycle + burst.cycle + access, burst.count * spacing)
        for bank in [burst.bank, *([] if busy[::spacing].any() else [other])]:
            if self._words.run(bank, 0) >= burst.count:
                return self._take(replace(burst, bank=bank))
        raise TextError(f"text of {program.unit.name} must fit the MEM of {self._config.name} that is left for it")
