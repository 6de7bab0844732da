"""Lets programs that are longer than their queues stream themselves in."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from arch.config import Config
from arch.errors import TaktError
from arch.geometry import Hemisphere, Unit, UnitKind, units
from arch.isa.encoding import decode, encode
from arch.timing import timing
from compiler.emit.assembler import assemble_queues
from compiler.emit.ifetch.fetch import Fetch, arrival, fetch_macro, words_per_vector
from compiler.emit.ifetch.slots import Slots
from compiler.memory.words import Bank, Words
from compiler.schedule.scheduler import Scheduler

Numbers = npt.NDArray[np.int32]
Text64 = npt.NDArray[np.uint64]

_SPARE = 6
"""Words by which a fetch may come too early in the program: an IFETCH within a NOP makes two words more, within a
REPEAT five."""

_TRIED = 8
"""Most slices of a hemisphere in which room for a fetch is looked for: where these have none in time, others hardly do.

Of each hemisphere, for what is short may be the streams from one of them.
"""


@dataclass
class Text:
    """A program that fits its queues.

    Attributes
    ----------
    queues : dict of int to ndarray of uint64
        Words that the host writes, by queue number.
    slices, addrs : ndarray of int32, shape (n,)
        MEM words of the text.
    content : ndarray of uint8, shape (n, vector_length)
    instructions : int
        Words of all queues, fetched ones included.
    """

    queues: dict[int, Text64]
    slices: Numbers
    addrs: Numbers
    content: npt.NDArray[np.uint8]
    instructions: int


@dataclass
class _Program:
    """One queue."""

    unit: Unit
    slots: Slots
    fetches: list[Fetch] = field(default_factory=list)

    def loaded(self, depth: int) -> int:
        """Words in the queue at the start, and brought by the fetches."""
        return depth + sum(fetch.words for fetch in self.fetches)


class TextStreamer:
    """Finds a slice, a stream and a cycle for every IFETCH, after everything else is placed.

    A fetch comes as soon as its words have room in the queue, so that they are there long before they are needed.

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
        self._timing = timing(config)
        self._units = units(config)
        self._programs: dict[int, _Program] = {}
        # READs that are added later never continue.
        self._continuing: dict[int, bool] = {}

    def fit(self) -> Text:
        """Return the program, in queues that hold it.

        Raises
        ------
        TaktError
            When text cannot be there in time, or MEM has no room for it.
        """
        depth = self._config.queue_depth
        assembled = assemble_queues(self._config, self._scheduler.issues)
        self._programs = {
            queue: _Program(self._units[queue], Slots(words.tolist(), self._timing.barrier))
            for queue, words in assembled.items()
        }
        while True:
            missing = [program for program in self._programs.values() if len(program.slots) > program.loaded(depth)]
            if not missing:
                break
            # MEM queues last: those of other units' text join them.
            program = min(missing, key=lambda one: (one.unit.kind is UnitKind.MEM, one.unit.id))
            self._fetch(program)
        return self._text()

    def _fetch(self, program: _Program) -> None:
        """Place the next IFETCH of a queue."""
        depth, vector = self._config.queue_depth, words_per_vector(self._config)
        if self._config.vector_length % 8:
            raise TaktError(
                f"program must fit queue_depth {depth}, not need {len(program.slots)} words in queue "
                f"{program.unit.name}: text streams in only where vector_length is a multiple of 8, "
                f"not {self._config.vector_length}"
            )
        missing = len(program.slots) - program.loaded(depth) + _SPARE
        vectors = min(-(-missing // vector), max(1, depth // 2 // vector))
        while vectors:
            if self._place(program, vectors):
                return
            vectors //= 2
        raise TaktError(
            f"queue_depth must be enough for the text of {program.unit.name} to come in time, "
            f"not {self._config.queue_depth} for {len(program.slots)} words"
        )

    def _place(self, program: _Program, vectors: int) -> bool:
        earliest, latest = self._window(program, vectors * words_per_vector(self._config))
        if earliest > latest:
            return False
        for bank in self._banks(program.unit):
            if self._words.run(bank, 0) < vectors:
                continue
            mark = self._words.mark()
            taken = self._words.take(1, vectors, [bank], high=True)
            assert taken is not None
            slices, addrs, _ = taken
            source = int(slices[0, 0])
            macro = fetch_macro(self._config, program.unit, source, int(addrs[0, 0]), vectors)
            start = self._scheduler.place(macro, earliest, latest + 1)
            if start is None:
                self._words.rollback(mark)
                continue
            self._scheduler.write()
            words = vectors * words_per_vector(self._config)
            fetch, read = self._scheduler.issues[-2:]
            program.slots.insert(start, encode("IFETCH", **fetch.fields))
            program.fetches.append(Fetch(start, words, source, addrs[0]))
            self._insert_read(source, read.cycle, encode("READ", **read.fields))
            return True
        return False

    def _insert_read(self, queue: int, cycle: int, word: int) -> None:
        program = self._programs.get(queue)
        if program is None:
            program = self._programs[queue] = _Program(self._units[queue], Slots([encode("END")]))
        program.slots.insert_read(cycle, word, self._config.mem_depth)

    def _window(self, program: _Program, words: int) -> tuple[int, int]:
        """Return the first and the last cycle in which an IFETCH of the next `words` words may issue."""
        depth, slots = self._config.queue_depth, program.slots.slots
        first, period = self._timing.fetch_first, self._timing.fetch_period
        loaded = program.loaded(depth)
        # Words come in the order of their fetches.
        earliest, latest = max((fetch.cycle + 1 for fetch in program.fetches), default=0), 1 << 62
        for number in range(words):
            before = loaded + number - depth
            offset = first + number * period
            # The place of the word `depth` before is written two cycles before this one can issue.
            if before < len(slots):
                earliest = max(earliest, slots[before].leave + 3 - offset)
            if loaded - _SPARE + number < len(slots):
                latest = min(latest, slots[loaded - _SPARE + number].need - offset)
        return earliest, latest

    def _banks(self, unit: Unit) -> Iterator[Bank]:
        """Yield banks for text: of slices with short programs first, then near ones.

        Last those whose READs continue from one to the next: a READ between them costs further words.
        """

        def cost(number: int) -> tuple[bool, int, int]:
            program = self._programs.get(number)
            length = len(program.slots) if program is not None else 0
            distance = abs(self._units[number].position - unit.position)
            return self._continues(number), length * 4 // self._config.queue_depth, distance

        left = dict.fromkeys(Hemisphere, _TRIED)
        for number in sorted((n for n in range(self._config.slices) if n != unit.id), key=cost):
            side = Hemisphere(number // self._config.mem_slices)
            if not left[side]:
                continue
            left[side] -= 1
            for bank in (1, 0):
                yield Bank(number, bank)

    def _continues(self, queue: int) -> bool:
        """Return whether READs of a MEM queue continue from one to the next."""
        if queue not in self._continuing:
            program = self._programs.get(queue)
            decoded = (decode(slot.word) for slot in (program.slots.slots if program is not None else ()))
            self._continuing[queue] = any(row.mnemonic == "READ" and fields["cont"] for row, fields in decoded)
        return self._continuing[queue]

    def _text(self) -> Text:
        config, depth = self._config, self._config.queue_depth
        queues: dict[int, Text64] = {}
        slices: list[Numbers] = []
        addrs: list[Numbers] = []
        content: list[npt.NDArray[np.uint8]] = []
        for queue, program in sorted(self._programs.items()):
            words = np.array(program.slots.words, np.uint64)
            self._check(program)
            queues[queue] = words[:depth]
            first = depth
            for fetch in program.fetches:
                part = np.zeros(fetch.words, np.uint64)
                mine = words[first : first + fetch.words]
                part[: len(mine)] = mine
                slices.append(np.full(len(fetch.addrs), fetch.slice, np.int32))
                addrs.append(fetch.addrs)
                content.append(part.astype("<u8").view(np.uint8).reshape(-1, config.vector_length))
                first += fetch.words
        return Text(
            queues,
            np.concatenate([np.zeros(0, np.int32), *slices]),
            np.concatenate([np.zeros(0, np.int32), *addrs]),
            np.concatenate([np.zeros((0, config.vector_length), np.uint8), *content]),
            sum(len(program.slots) for program in self._programs.values()),
        )

    def _check(self, program: _Program) -> None:
        """Every fetched word must be there when it is needed: later insertions move words to earlier fetches."""
        slots = program.slots.slots
        number = self._config.queue_depth
        for fetch in program.fetches:
            for index in range(min(fetch.words, len(slots) - number)):
                if arrival(self._config, fetch.cycle, index) > slots[number + index].need:
                    raise TaktError(
                        f"queue_depth must be enough for the text of {program.unit.name} to come in time, "
                        f"not {self._config.queue_depth} for {len(slots)} words"
                    )
            number += fetch.words
