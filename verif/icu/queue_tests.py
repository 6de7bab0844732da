"""Queue programs, legal and not, against the golden instruction control, cycle by cycle."""

from collections.abc import Callable
from types import SimpleNamespace

import cocotb

from arch.faults import FaultKind
from arch.geometry import Unit, UnitKind, units
from arch.isa.encoding import decode, encode, illegality
from arch.isa.table import instructions_of
from arch.presets import preset
from golden.machine.fault_log import FaultLog
from golden.machine.icu import InstructionControl
from golden.machine.wheel import NEVER
from verif.bench import Bench

CONFIG = preset("nano", ["queue_depth=16"])
LIMIT = 120
FAULTS = {FaultKind.ILLEGAL: "illegal_fault", FaultKind.UNDERRUN: "underrun_fault"}


class Recorder:
    """Stands for a functional unit: notes the cycle and the word of every issue."""

    due = NEVER

    def __init__(self) -> None:
        self.issues: list[tuple[int, int]] = []

    def reset(self) -> None:
        """Nothing outlasts a run."""

    def step(self, cycle: int) -> None:
        """Nothing is ever due."""

    def prepare(self, unit: Unit, mnemonic: str, fields: SimpleNamespace) -> Callable[[int], None]:
        """Return what notes an issue of this word."""
        word = encode(mnemonic, **vars(fields))
        return lambda cycle: self.issues.append((cycle, word))


def expected(unit: Unit, words: list[int]) -> tuple[list[tuple[int, int]], int, tuple[int, FaultKind] | None]:
    """Return what the golden queue does: issues, cycle of END, and the fault with its cycle."""
    recorder, log = Recorder(), FaultLog(CONFIG)
    control = InstructionControl(CONFIG, {unit.id: recorder}, log)
    control.fill({unit.id: words})
    control.start()
    cycle = 0
    while control.due != NEVER and cycle <= LIMIT:
        cycle = control.due
        control.step(cycle)
        if log.found:
            fault = log.error().fault
            return recorder.issues, NEVER, (fault.cycle, fault.kind)
    return recorder.issues, cycle, None


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


async def check_run(bench: Bench, unit: Unit, words: list[int]) -> None:
    issues, end, fault = expected(unit, words)
    issued = dict(issues)
    bench.drive(start=1)
    await bench.tick()
    bench.drive(start=0, run=1)
    last = min(LIMIT, (fault[0] if fault else end + 2))
    for cycle in range(last + 1):
        await bench.settle()
        where = f"cycle {cycle} of {[f'{word:#x}' for word in words]}"
        bench.check(f"issue_valid, {where}", bench.read("issue_valid"), int(cycle in issued))
        if cycle in issued:
            # Bits above the last field mean nothing; the golden model does not keep them.
            row, fields = decode(bench.read("issue_word"))
            bench.check(f"issue_word, {where}", encode(row.mnemonic, **fields), issued[cycle])
        for kind, signal in FAULTS.items():
            bench.check(f"{signal}, {where}", bench.read(signal), int(fault == (cycle, kind)))
        bench.check(f"closed, {where}", bench.read("closed"), int(cycle > end))
        await bench.tick()
    bench.drive(run=0)
    await bench.tick()


def legal_word(bench: Bench, unit: Unit) -> int:
    rows = [row for row in instructions_of(unit.kind) if row.built and row.opcode > 2]
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


def random_program(bench: Bench, unit: Unit) -> list[int]:
    words: list[int] = []
    operations = any(row.built and row.opcode > 2 for row in instructions_of(unit.kind))
    for _ in range(bench.random.randint(1, 15)):
        choice = bench.random.random()
        if choice < 0.25:
            words.append(encode("NOP", count=bench.random.randint(1, 5)))
        elif choice < 0.5 and words:
            words.append(encode("REPEAT", count=bench.random.randint(1, 4), interval=bench.random.randint(1, 4)))
        elif operations and choice < 0.95:
            words.append(legal_word(bench, unit))
        elif choice > 0.97:
            words.append(bench.random.getrandbits(64))
    if bench.random.random() < 0.85:
        words.append(encode("END"))
    return words[:16]


@cocotb.test()
async def programs_issue_as_the_golden_queue_does(dut) -> None:
    bench = await Bench.start(dut)
    unit = the_unit(bench)
    for _ in range(60):
        words = random_program(bench, unit)
        if words:
            await fill(bench, words)
            await check_run(bench, unit, words)
            if bench.random.random() < 0.3:
                await check_run(bench, unit, words)


@cocotb.test()
async def every_word_is_judged_as_the_table_says(dut) -> None:
    bench = await Bench.start(dut)
    unit = the_unit(bench)
    opcodes = list(range(64))
    for opcode in opcodes * 3:
        await judge(bench, unit, bench.random.getrandbits(58) << 6 | opcode)
    for row in instructions_of(unit.kind):
        if row.built and row.opcode > 2:
            for _ in range(20):
                word = legal_word(bench, unit)
                await judge(bench, unit, word ^ (1 << bench.random.randint(6, 63)))


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
    await check_run(bench, unit, words)
