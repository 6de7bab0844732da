"""Controllers and tiles against the golden machine, cycle by cycle."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import cocotb
import numpy as np

from arch.config import Config
from arch.faults import Fault, FaultError, FaultKind
from arch.formats import DType
from arch.geometry import Direction, vxm_position
from arch.isa.codes import Source
from arch.isa.encoding import encode
from arch.isa.timeline import queue_words
from arch.timing import timing
from golden.machine.ecc import Flips
from golden.machine.machine import Machine
from golden.machine.recording import Recording
from golden.reference.requantise import requantise
from hdl.ecc.reader import REPORT_DELAY
from verif.bench import Bench
from verif.coded_streams import packed_streams
from verif.vxm.programs import Program, random_program, vxm_units
from verif.vxm.vectors import FLOAT_CORNERS, INTEGER_CORNERS

Injection = tuple[int, Direction, int, np.ndarray, Mapping[int, Flips]]
"""Cycle on the VXM's registers, direction, first stream, bytes of shape (streams, vector_length), and their flips."""


class Column:
    """The unit under test beside the golden machine.

    The golden machine runs a program first; then its recording of the VXM's registers is what the unit reads, each
    superlane one cycle after the one below, and what the unit drives must be what the recording holds a cycle later.
    """

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.config = Config.from_dict(bench.parameters["config"])
        self.machine = Machine(self.config)
        self.position = vxm_position(self.config)
        self.machine.watch(self.position)

    def golden(self, program: Program, injections: list[Injection]) -> Recording:
        """Run `program` on the golden machine; a fault stays in its `fault`."""
        self.machine.clear_injections()
        for cycle, direction, first, vectors, flips in injections:
            # One hop before: a result of the VXM replaces it, rather than meet it.
            if cycle > 0:
                self.machine.inject(cycle - 1, self.position - direction.step, direction, first, vectors, flips)
        queues = {unit.id: queue_words(program.timeline(alu)) for alu, unit in enumerate(vxm_units(self.config))}
        self.machine.set_queues(queues)
        try:
            self.machine.run(cycles=program.cycles + self.config.superlanes)
        except FaultError:
            assert self.machine.fault is not None
        return self.machine.recording(self.position)

    async def check(self, program: Program, recording: Recording) -> None:
        """Run `program` on the unit and compare every driver in every cycle."""
        config, bench = self.config, self.bench
        reads = program.touched(reads=True)
        drives = [program.touched(False, superlane) for superlane in range(config.superlanes)]
        last = min(program.cycles, len(recording.values) - 1)
        bench.drive(start=1, issue_valid=0)
        await bench.tick()
        bench.drive(start=0)
        begin = bench.cycle
        late = REPORT_DELAY if config.ecc else 0
        for cycle in range(last + config.superlanes + late):
            self._issue(program, cycle)
            for direction in Direction:
                bench.drive(**{direction.name.lower(): self._registers(recording, cycle, direction)})
            await bench.settle()
            assert bench.cycle == begin + cycle
            if cycle <= last:
                self._check_controllers(program, cycle, reads, drives[0])
            self._check_drivers(recording, drives, cycle, last)
            if config.ecc and late <= cycle <= last + late:
                self._check_reports(cycle - late)
            await bench.tick()
        bench.drive(issue_valid=0)

    def _issue(self, program: Program, cycle: int) -> None:
        words, valid, spans = 0, 0, 0
        for alu in range(self.config.alus):
            word = program.issues.get((cycle, alu))
            if word is not None:
                valid |= 1 << alu
                words |= word << 64 * alu
            spans |= program.superlanes(cycle, alu) << self.config.superlanes.bit_length() * alu
        self.bench.drive(issue_valid=valid, issue_word=words, issue_span=spans)

    def _registers(self, recording: Recording, cycle: int, direction: Direction) -> int:
        config, packed = self.config, 0
        for superlane in range(config.superlanes):
            now = cycle - superlane
            if 0 <= now < len(recording.values):
                flips = {stream: bits for (side, stream), bits in recording.flips[now].items() if side == direction}
                found = packed_streams(config, recording.values[now, direction], superlane, flips)
                packed |= found << superlane * config.streams * config.stream_bits
        return packed

    def _check_controllers(self, program: Program, cycle: int, reads: Any, drives: Any) -> None:
        config, bench = self.config, self.bench
        width = 2 * config.streams
        mask = (1 << width) - 1
        read, driven = bench.read("reads"), bench.read("drives")
        element, valid = bench.read("element"), bench.read("result_valid")
        chain = timing(config).chain
        for alu in range(config.alus):
            bench.check(f"ALU {alu} element", element >> alu & 1, int((cycle, alu) in program.issues))
            bench.check(f"ALU {alu} result", valid >> alu & 1, int((cycle - 1 - chain, alu) in program.issues))
            bench.check(f"ALU {alu} reads", read >> width * alu & mask, reads.get((cycle, alu), 0))
            bench.check(f"ALU {alu} drives", driven >> width * alu & mask, drives.get((cycle + 1, alu), 0))
        fault = self.machine.fault
        missed = fault is not None and fault.kind is FaultKind.OPERAND_MISSED and fault.cycle == cycle
        got = bench.read("missed")
        bench.check("OPERAND_MISSED", int(got != 0), int(missed))
        if fault is not None and missed:
            first = (got & -got).bit_length() - 1
            bench.check("ALU at fault", vxm_units(config)[first].id, fault.unit)

    def _check_reports(self, cycle: int) -> None:
        """Compare what every ALU found in its operands of `cycle`, in every superlane."""
        config, bench, fault = self.config, self.bench, self.machine.fault
        corrected, uncorrectable = bench.read("corrected"), bench.read("uncorrectable")
        for alu, unit in enumerate(vxm_units(config)):
            bits = [superlane * config.alus + alu for superlane in range(config.superlanes)]
            for superlane, bit in enumerate(bits):
                want = (cycle, unit.id, superlane) in self.machine.corrected
                bench.check(f"ALU {alu} superlane {superlane} corrected in {cycle}", corrected >> bit & 1, int(want))
            if fault is None or cycle < fault.cycle or unit.id <= fault.unit:
                found = any(uncorrectable >> bit & 1 for bit in bits)
                bench.check(f"ALU {alu} UNCORRECTABLE in {cycle}", int(found), int(_is(fault, cycle, unit.id)))

    def _check_drivers(self, recording: Recording, drives: Any, cycle: int, last: int) -> None:
        """Every driver of every superlane, against the registers one cycle later."""
        config, bench = self.config, self.bench
        groups = max(1, (config.streams // 4 - 1).bit_length())
        size = 4 * config.lanes * 8
        masks, directions = bench.read("mask"), bench.read("direction")
        group_bits, data = bench.read("group"), None
        for superlane in range(config.superlanes):
            due = cycle - superlane + 1
            if due < 1 or due > last:
                continue
            for alu in range(config.alus):
                at = superlane * config.alus + alu
                mask, direction = masks >> 4 * at & 15, directions >> at & 1
                first = (group_bits >> groups * at & (1 << groups) - 1) * 4
                what = f"ALU {alu} superlane {superlane} (tile-0 cycle {due - 1})"
                got = mask << first + config.streams * direction if mask else 0
                bench.check(f"{what} drives", got, drives[superlane].get((due, alu), 0))
                if not mask:
                    continue
                data = bench.read("data") if data is None else data
                streams = (data >> size * at & (1 << size) - 1).to_bytes(size // 8, "little")
                lanes = slice(superlane * config.lanes, (superlane + 1) * config.lanes)
                for k in range(4):
                    if mask >> k & 1:
                        expected = recording.values[due, direction, first + k, lanes]
                        value = np.frombuffer(streams[k * config.lanes :][: config.lanes], np.uint8)
                        bench.check(f"{what} stream {first + k}", value, expected)


def _is(fault: Fault | None, cycle: int, unit: int) -> bool:
    return fault is not None and fault.key == (cycle, unit, FaultKind.UNCORRECTABLE)


def _vectors(bench: Bench, config: Config, streams: int) -> np.ndarray:
    """Bytes of `streams` streams: any numbers, among them corners of both kinds."""
    shape = (streams // 4, config.vector_length)
    numbers = bench.rng.integers(0, 1 << 32, shape, dtype=np.uint32)
    kind = bench.rng.integers(0, 4, shape)
    numbers = np.where(kind == 0, bench.rng.choice(FLOAT_CORNERS, shape), numbers)
    numbers = np.where(kind == 1, bench.rng.choice(INTEGER_CORNERS, shape), numbers).astype("<u4")
    return numbers.view(np.uint8).reshape(*shape, 4).transpose(0, 2, 1).reshape(streams, config.vector_length)


def _everywhere(bench: Bench, config: Config, cycles: int, doubles: float = 0) -> list[Injection]:
    """Something on every stream in every cycle; with ECC one word in twenty has a flipped bit, `doubles` have two."""
    return [
        (cycle, direction, 0, _vectors(bench, config, config.streams), _flips(bench, config, doubles))
        for cycle in range(1, cycles)
        for direction in Direction
    ]


def _flips(bench: Bench, config: Config, doubles: float) -> Mapping[int, Flips]:
    """Flipped bits of one cycle and direction, by stream."""
    rng = bench.random
    found: dict[int, dict[int, int]] = defaultdict(dict)
    for place in range(config.streams * config.superlanes if config.ecc else 0):
        if (draw := rng.random()) < max(doubles, 0.05):
            stream, superlane = divmod(place, config.superlanes)
            bits = rng.sample(range(config.stream_bits), 2 if draw < doubles else 1)
            found[stream][superlane] = sum(1 << bit for bit in bits)
    return found


@cocotb.test()
async def requantises(dut: Any) -> None:
    """The chain of quantised inference: add a bias, to fp32, scale, to int8, RELU; a vector per cycle."""
    bench = await Bench.start(dut)
    column = Column(bench)
    config, rows = column.config, 12
    chain = timing(config).chain
    sums = bench.rng.integers(-40_000, 40_000, (rows, config.vector_length)).astype(np.int32)
    sums[0, :4] = np.iinfo(np.int32).min, np.iinfo(np.int32).max, 0, -1
    bias = bench.rng.integers(-500, 500, (rows, config.vector_length)).astype(np.int32)
    scale = bench.rng.uniform(1e-3, 1e-2, (rows, config.vector_length)).astype(np.float32)
    i8, i32, f32 = DType.INT8, DType.INT32, DType.FP32
    steps = (
        ("ADD", i32, i32, {"a_index": 4, "b_src": Source.STREAM, "b_index": 8}),
        ("CVT", i32, f32, {}),
        ("MUL", f32, f32, {"b_src": Source.STREAM, "b_dir": Direction.WEST, "b_index": 12}),
        ("CVT", f32, i8, {}),
        ("RELU", i8, i8, {}),
    )[: config.alus]
    # Round the ring from column 0, so that the product falls to an even column; a further row for every turn.
    last = {"drive": 1, "dst": 3, "dst_dir": Direction.WEST}
    issues: dict[tuple[int, int], int] = {}
    injections: list[Injection] = []
    for row in range(rows):
        for step, (mnemonic, dtype, out_dtype, more) in enumerate(steps):
            source = (
                {"a_src": Source.MESH, "a_index": (step - 1) // config.alu_cols} if step else {"a_src": Source.STREAM}
            )
            fields = {"b_src": Source.ZERO, **source, **more, **(last if step == len(steps) - 1 else {})}
            issues[2 + row + step * chain, step] = encode(mnemonic, dtype=dtype, out_dtype=out_dtype, **fields)
        at = 2 + row + 1
        for direction, first, numbers, step in (
            (Direction.EAST, 4, sums, 0),
            (Direction.EAST, 8, bias, 0),
            (Direction.WEST, 12, scale, 2),
        ):
            injections.append((at + step * chain, direction, first, _streams(numbers[row]), {}))
    program = Program(config, issues, 2 + rows + len(steps) * chain + 6)
    recording = column.golden(program, injections)
    assert column.machine.fault is None, column.machine.fault
    done = 2 + (len(steps) - 1) * chain + (timing(config)[steps[-1][0]].d_func or 0)
    got = recording.values[done : done + rows, Direction.WEST, 3].view(np.int8)
    bench.check("requantised", got, requantise(sums + bias, scale, relu=len(steps) == 5))
    await column.check(program, recording)


def _streams(numbers: np.ndarray) -> np.ndarray:
    return numbers.view(np.uint8).reshape(-1, 4).T


@cocotb.test()
async def random_programs(dut: Any) -> None:
    """Every ALU busy with anything; results survive from one program to the next."""
    bench = await Bench.start(dut)
    column = Column(bench)
    for busy in (0.9, 0.3):
        program = random_program(column.config, bench.random, bench.parameters["cycles"], busy)
        recording = column.golden(program, _everywhere(bench, column.config, program.cycles + 1))
        assert column.machine.fault is None, f"{column.machine.fault} (seed {bench.seed})"
        await column.check(program, recording)


@cocotb.test()
async def missed_operands(dut: Any) -> None:
    """A mesh operand that is not there in its only cycle."""
    bench = await Bench.start(dut)
    found = 0
    for _ in range(bench.parameters["faults"]):
        column = Column(bench)
        program = random_program(column.config, bench.random, 12, 0.6)
        produced = sorted(program.issues)
        for cycle, alu in bench.random.sample(produced, 3):
            # Late, or not at all: whoever waits for it misses it.
            word = program.issues.pop((cycle, alu))
            if bench.random.random() < 0.5:
                program.issues.setdefault((cycle + 1, alu), word)
                program.limits.pop((cycle + 1, alu), None)
        recording = column.golden(program, _everywhere(bench, column.config, program.cycles + 1))
        fault = column.machine.fault
        if fault is None or fault.kind is FaultKind.OPERAND_MISSED:
            found += fault is not None
            await column.check(program, recording)
        # What a faulty program leaves behind is undefined.
        await bench.ticks(column.config.superlanes + timing(column.config)["PASS"].retire)
        await bench.reset()
    assert found


@cocotb.test()
async def uncorrectable_operands(dut: Any) -> None:
    """The first operand with two flipped bits; none without ECC."""
    bench = await Bench.start(dut)
    ecc, found = Column(bench).config.ecc, 0
    for _ in range(bench.parameters["faults"] if ecc else 0):
        column = Column(bench)
        program = random_program(column.config, bench.random, 12, 0.6)
        recording = column.golden(program, _everywhere(bench, column.config, program.cycles + 1, doubles=0.02))
        fault = column.machine.fault
        # Nobody minds the superlanes that are off.
        assert fault is None or fault.kind is FaultKind.UNCORRECTABLE, f"{fault} (seed {bench.seed})"
        found += fault is not None
        await column.check(program, recording)
        await bench.ticks(column.config.superlanes + timing(column.config)["PASS"].retire)
        await bench.reset()
    assert found or not ecc


@cocotb.test()
async def start_forgets(dut: Any) -> None:
    """A start drops what the controllers have under way."""
    bench = await Bench.start(dut)
    config = Config.from_dict(bench.parameters["config"])
    word = encode("PASS", a_src=Source.ZERO, b_src=Source.ZERO, drive=1)
    bench.drive(issue_span=1)
    for age in range(1, timing(config).chain + 2):
        bench.drive(issue_valid=1, issue_word=word)
        await bench.ticks(1)
        bench.drive(issue_valid=0)
        await bench.ticks(age - 1)
        bench.drive(start=1)
        await bench.ticks(1)
        bench.drive(start=0)
        for _ in range(timing(config).chain + 1):
            await bench.settle()
            bench.check("results", bench.read("result_valid"), 0)
            bench.check("drives", bench.read("drives"), 0)
            await bench.ticks(1)
