"""Queue programs, legal and not, against the golden instruction control, cycle by cycle."""

from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace

import cocotb

from arch.faults import FaultKind
from arch.geometry import Unit, UnitKind, units
from arch.isa.encoding import decode, encode, illegality
from arch.isa.instruction import Instruction
from arch.isa.table import BY_MNEMONIC, instructions_of
from arch.isa.timeline import queue_words
from arch.presets import preset
from arch.timing import timing
from golden.machine.event_queue import NEVER
from golden.machine.fault_log import FaultLog
from golden.machine.icu import InstructionControl
from verif.bench import Bench

CONFIG = preset("nano", ["queue_depth=16"])
LIMIT = 120
BARRIER = timing(CONFIG).barrier
FAULTS = {
    FaultKind.ILLEGAL: "illegal_fault",
    FaultKind.UNDERRUN: "underrun_fault",
    FaultKind.OVERRUN: "overrun_fault",
}


@dataclass
class Stimulus:
    """What happens to a queue in a run.

    Attributes
    ----------
    words : list of int
        The host's.
    fetched : dict of int to int
        Words that are written during the run, by cycle.
    releases : set of int
        Cycles in which a parked queue goes on.
    """

    words: list[int]
    fetched: dict[int, int] = field(default_factory=dict)
    releases: set[int] = field(default_factory=set)


@dataclass
class Expected:
    """What the golden queue does: issues, their lanes and IFETCHes by cycle, cycle of END, and the fault."""

    issues: dict[int, int]
    lanes: dict[int, int]
    fetches: dict[int, int]
    end: int = NEVER
    fault: tuple[int, FaultKind] | None = None


class Recorder:
    """Stands for a functional unit or the fetch ports: notes cycle, word and lanes of every issue."""

    due = NEVER

    def __init__(self) -> None:
        self.issues: dict[int, int] = {}
        self.lanes: dict[int, int] = {}

    def reset(self) -> None:
        """Nothing outlasts a run."""

    def step(self, cycle: int) -> None:
        """Nothing is ever due."""

    def prepare(self, unit: Unit, mnemonic: str, fields: SimpleNamespace) -> Callable[[int], None]:
        """Return what notes an issue of this word."""
        lanes = fields.on
        del fields.on
        word = encode(mnemonic, **vars(fields))

        def issue(cycle: int) -> None:
            self.issues[cycle] = word
            self.lanes[cycle] = lanes

        return issue


class Model:
    """The golden instruction control with the queue under test, and one that notifies."""

    def __init__(self, unit: Unit) -> None:
        self._unit = unit
        self._recorder, self._ports, self._log = Recorder(), Recorder(), FaultLog(CONFIG)
        self._control = InstructionControl(CONFIG, {unit.id: self._recorder}, self._log)
        self._control.attach(self._ports)
        self.words: list[int] = []

    def fill(self, words: list[int]) -> None:
        """Give the queue the host's words."""
        self.words = list(words)

    def run(self, stimulus: Stimulus) -> Expected:
        """Return what the queue does; its words stay as fetched ones leave them."""
        notifier = next(unit for unit in units(CONFIG) if unit.kind is UnitKind.C2C and unit.id != self._unit.id)
        notify = [(cycle - BARRIER, encode("NOTIFY")) for cycle in stimulus.releases]
        self._recorder.issues, self._recorder.lanes, self._ports.issues = {}, {}, {}
        self._control.fill({self._unit.id: self.words, notifier.id: queue_words(notify)})
        self._control.start()
        expected = Expected(self._recorder.issues, self._recorder.lanes, self._ports.issues)
        for cycle in range(LIMIT + 1):
            if self._control.due == cycle:
                self._control.step(cycle)
            if cycle in stimulus.fetched:
                self._control.append(cycle, self._unit.id, stimulus.fetched[cycle])
            if self._log.found:
                fault = self._log.error().fault
                expected.fault = fault.cycle, fault.kind
                break
            if self._control.closed(self._unit.id):
                expected.end = min(expected.end, cycle)
        return expected


def the_unit(bench: Bench) -> Unit:
    kind = UnitKind[bench.parameters["kind"]]
    return next(u for u in units(CONFIG) if u.kind is kind and u.index >= bench.parameters["column"])


async def fill(bench: Bench, words: list[int]) -> None:
    bench.drive(clear=1)
    await bench.tick()
    bench.drive(clear=0, push=1)
    for word in words:
        bench.drive(push_word=word)
        await bench.tick()
    bench.drive(push=0)


async def check_run(bench: Bench, model: Model, stimulus: Stimulus) -> Expected:
    expected = model.run(stimulus)
    bench.drive(start=1)
    await bench.tick()
    bench.drive(start=0, run=1)
    # Text that comes after the END still takes its places, for the next run.
    end = max(expected.end + 2, *stimulus.fetched, 0) if expected.end < LIMIT else LIMIT
    last = min(LIMIT, expected.fault[0] if expected.fault else end)
    releases = set(stimulus.releases)
    for cycle in range(last + 1):
        word = stimulus.fetched.get(cycle)
        bench.drive(fetch=word is not None, push_word=word or 0, release=cycle + 1 in releases)
        await bench.settle()
        where = f"cycle {cycle} of {stimulus}"
        for valid, table in (("issue_valid", expected.issues), ("fetch_valid", expected.fetches)):
            bench.check(f"{valid}, {where}", bench.read(valid), int(cycle in table))
            if cycle in table:
                # Bits above the last field mean nothing; the golden model does not keep them.
                row, fields = decode(bench.read("issue_word"))
                bench.check(f"issue_word, {where}", encode(row.mnemonic, **fields), table[cycle])
        if cycle in expected.lanes:
            bench.check(f"issue_span, {where}", bench.read("issue_span") * CONFIG.lanes, expected.lanes[cycle])
        for kind, signal in FAULTS.items():
            if expected.fault and expected.fault[0] == cycle and kind > expected.fault[1]:
                continue  # the lowest code counts
            bench.check(f"{signal}, {where}", bench.read(signal), int(expected.fault == (cycle, kind)))
        bench.check(f"closed, {where}", bench.read("closed"), int(cycle > expected.end))
        if bench.read("notify"):
            releases.add(cycle + BARRIER)
        await bench.tick()
    bench.drive(run=0, fetch=0, release=0)
    await bench.tick()
    return expected


IFETCH = BY_MNEMONIC["IFETCH"].opcode
OPERATION = 8
"""Lowest opcode of a unit's instruction."""


def operations(unit: Unit) -> list[Instruction]:
    return [row for row in instructions_of(unit.kind) if row.built and row.opcode >= OPERATION]


def legal_word(bench: Bench, unit: Unit) -> int:
    rows = operations(unit)
    while True:
        row = bench.random.choice(rows)
        fields = {name: bench.random.randint(f.minimum, f.maximum) for name, (_, f) in row.offsets.items()}
        for name in fields:
            if name.endswith("dtype"):
                fields[name] = bench.random.choice((0, 1, 2, 4))
            elif name in ("stream", "a_index", "b_index", "dst", "addr", "count") and bench.random.random() < 0.8:
                fields[name] = bench.random.choice((0, 4, 8, 1))
        word = encode(row.mnemonic, **fields)
        if illegality(CONFIG, unit, word) is None:
            return word


def random_words(bench: Bench, unit: Unit, count: int) -> list[int]:
    random = bench.random
    words: list[int] = []
    for _ in range(count):
        choice = random.random()
        if choice < 0.2:
            words.append(encode("NOP", count=random.randint(1, 5)))
        elif choice < 0.4 and words:
            words.append(encode("REPEAT", count=random.randint(1, 4), interval=random.randint(1, 4)))
        elif choice < 0.46:
            words.append(encode("SYNC"))
        elif choice < 0.5:
            words.append(encode("NOTIFY"))
        elif choice < 0.6:
            words.append(encode("IFETCH", dir=random.randrange(2), stream=random.randrange(16), count=3))
        elif choice < 0.68:
            words.append(encode("CONFIG", superlanes=random.randint(1, CONFIG.superlanes)))
        elif operations(unit) and choice < 0.97:
            words.append(legal_word(bench, unit))
        elif choice > 0.985:
            words.append(random.getrandbits(64))
    return words


def random_stimulus(bench: Bench, unit: Unit, text: bool) -> Stimulus:
    """A program, releases for its SYNCs, and perhaps text that comes while it runs, sometimes late or too fast."""
    random = bench.random
    words = random_words(bench, unit, random.randint(1, 15))
    releases = set(random.sample(range(BARRIER, LIMIT), random.randint(0, 6)))
    if not text:
        return Stimulus([*words, encode("END")][:16] if random.random() < 0.85 else words, {}, releases)
    # With an IFETCH in it, the golden queue knows that words may come.
    words.insert(0, encode("IFETCH", count=1))
    more = [*random_words(bench, unit, random.randint(1, 40)), encode("END")]
    if random.random() < 0.3:  # text goes on behind the END
        more.insert(random.randrange(len(more)), encode("END"))
    cycle, fetched = random.randint(1, 8), {}
    for word in more:
        fetched[cycle] = word
        cycle += random.choice((1, 1, 1, 2, 2, 5)) + 3 * (len(fetched) > 14 and random.random() < 0.7)
    return Stimulus(words[:16], fetched, releases)


async def check_program(bench: Bench, unit: Unit, stimulus: Stimulus) -> Expected:
    """Run a program, and once more with the words that the first run left."""
    model = Model(unit)
    model.fill(stimulus.words)
    await fill(bench, stimulus.words)
    expected = await check_run(bench, model, stimulus)
    # Without an IFETCH in it, the golden queue would not take words.
    again = not stimulus.fetched or any(word & 63 == IFETCH for word in model.words)
    if expected.fault is None and again and bench.random.random() < 0.5:
        await check_run(bench, model, stimulus)
    return expected


@cocotb.test()
async def programs_issue_as_the_golden_queue_does(dut) -> None:
    bench = await Bench.start(dut)
    unit = the_unit(bench)
    for _ in range(60):
        stimulus = random_stimulus(bench, unit, text=False)
        if stimulus.words:
            await check_program(bench, unit, stimulus)


@cocotb.test()
async def text_that_comes_during_the_run(dut) -> None:
    """Words that come just in time, too late, and to a full queue."""
    bench = await Bench.start(dut)
    unit = the_unit(bench)
    seen = {(await check_program(bench, unit, random_stimulus(bench, unit, text=True))).fault for _ in range(120)}
    kinds = {fault[1] if fault else None for fault in seen}
    assert {None, FaultKind.UNDERRUN, FaultKind.OVERRUN, FaultKind.ILLEGAL} <= kinds, f"{kinds}, seed {bench.seed}"


@cocotb.test()
async def words_around_the_ring(dut) -> None:
    """Twenty times as many words as the queue has places, each written two cycles before its issue."""
    bench = await Bench.start(dut)
    unit = the_unit(bench)
    body = [encode("NOP", count=1) if number % 3 else encode("NOTIFY") for number in range(20 * CONFIG.queue_depth)]
    fetched = {1 + number: word for number, word in enumerate([*body[2:], encode("END")])}
    words = [encode("IFETCH", count=1), *body[:2]]
    await fill(bench, words)
    model = Model(unit)
    model.fill(words)
    bench.drive(start=1)
    await bench.tick()
    bench.drive(start=0, run=1)
    for cycle in range(len(fetched) + 4):
        bench.drive(fetch=cycle in fetched, push_word=fetched.get(cycle, 0))
        await bench.settle()
        place = cycle - 1
        bench.check("notify", bench.read("notify"), int(0 <= place < len(body) and place % 3 == 0))
        bench.check("faults", sum(bench.read(name) for name in FAULTS.values()), 0)
        await bench.tick()
    bench.check("closed", bench.read("closed"), 1)


@cocotb.test()
async def every_word_is_judged_as_the_table_says(dut) -> None:
    bench = await Bench.start(dut)
    unit = the_unit(bench)
    for opcode in [*range(64)] * 3:
        await judge(bench, unit, bench.random.getrandbits(58) << 6 | opcode)
    for _ in range(20):
        fetch = encode("IFETCH", stream=bench.random.randrange(CONFIG.streams), count=bench.random.randint(1, 3))
        await judge(bench, unit, fetch ^ (1 << bench.random.randint(6, 63)))
        for _ in operations(unit):
            await judge(bench, unit, legal_word(bench, unit) ^ (1 << bench.random.randint(6, 63)))
    for superlanes in range(32):
        await judge(bench, unit, encode("CONFIG", superlanes=superlanes))


async def judge(bench: Bench, unit: Unit, word: int) -> None:
    """Check that a word in the middle of a program raises ILLEGAL if and only if the table refuses it."""
    word = word & ~0xFFFFFF00 | 0x100 if word & 63 in (0, 1) else word
    words = [encode("NOP", count=2), word, encode("NOP", count=1), encode("END")]
    await fill(bench, words)
    bench.drive(start=1)
    await bench.tick()
    bench.drive(start=0, run=1)
    await bench.ticks(2)
    await bench.settle()
    illegal = illegality(CONFIG, unit, word) is not None or word & 63 == 1
    bench.check(f"illegal_fault of {word:#x}", bench.read("illegal_fault"), int(illegal))
    bench.drive(run=0)
    await bench.tick()


@cocotb.test()
async def a_full_queue_refuses_words(dut) -> None:
    bench = await Bench.start(dut)
    unit = the_unit(bench)
    words = [encode("NOP", count=1)] * 15 + [encode("END")]
    await fill(bench, words)
    bench.drive(push=1, push_word=encode("NOP", count=3))
    await bench.settle()
    bench.check("overrun_fault", bench.read("overrun_fault"), 1)
    await bench.tick()
    bench.drive(push=0)
    await bench.settle()
    bench.check("overrun_fault", bench.read("overrun_fault"), 0)
    model = Model(unit)
    model.fill(words)
    await check_run(bench, model, Stimulus(words))
