"""The MEM slices of one position against the golden machine, in the simulator."""

from typing import Any

import cocotb
import numpy as np

from arch.config import Config
from arch.faults import FaultKind
from arch.geometry import Direction, Unit, units
from arch.isa.encoding import encode
from arch.isa.mem_rows import gather_accesses, scatter_accesses
from arch.timing import timing
from verif.bench import Bench
from verif.mem.programs import bursts, indexed_program, mixed_bursts, random_program, slices_of_position
from verif.position_bench import PositionBench
from verif.superlanes import limit_superlanes


async def _start(dut: Any) -> tuple[PositionBench, Config, list[Unit]]:
    """Start with empty memories: they outlast the tests before this one."""
    bench = await Bench.start(dut)
    config = Config.from_dict(bench.parameters["config"])
    slices = slices_of_position(config, units(config)[bench.parameters["slice"]])
    await _clear(bench, config, slices)
    unit = PositionBench(
        bench,
        config,
        queues={s.id: f"queues__{index}" for index, s in enumerate(slices)},
        inputs={Direction.EAST: "east", Direction.WEST: "west"},
        drivers={f"driver{index}": 1 for index in range(len(slices))},
    )
    return unit, config, slices


@cocotb.test()
async def random_programs(dut: Any) -> None:
    """What one program writes, the next ones read."""
    unit, config, slices = await _start(dut)
    for _ in range(unit.bench.parameters["programs"]):
        program = random_program(config, unit.bench.random, slices, 40)
        assert await unit.run(limit_superlanes(config, unit.bench.random, program)) is None


@cocotb.test()
async def both_engines_every_cycle(dut: Any) -> None:
    """A read of one bank and a write of the other in every cycle, then the banks swap."""
    unit, config, slices = await _start(dut)
    depth = config.mem_depth
    whole = {"count": depth, "interval": 1, "stride": 1}
    for swap in (0, 1, 0):
        program = {
            s.id: [
                (1, encode("READ", dir=index % 2, stream=index, addr=swap * depth, **whole)),
                (2, encode("WRITE", dir=1, stream=index, addr=(1 - swap) * depth, **whole)),
                (depth + 1, encode("READ", dir=0, stream=index, addr=swap * depth + depth - 1, count=1, interval=1)),
            ]
            for index, s in enumerate(slices)
        }
        assert await unit.run(program) is None


@cocotb.test()
async def a_continued_burst_follows_the_last_one(dut: Any) -> None:
    """Read and write engine keep addresses of their own, which start at 0."""
    unit, _config, slices = await _start(dut)
    fields = {"cont": 1, "interval": 2}
    program = {
        slices[0].id: [
            (1, encode("WRITE", stream=1, stride=3, addr=9, count=2, **fields)),
            (2, encode("READ", stream=2, stride=-2, addr=5, count=3, **fields)),
            (5, encode("WRITE", stream=3, stride=-1, addr=9, count=3, **fields)),
            (8, encode("READ", stream=2, stride=1, addr=5, count=4, **fields)),
            (11, encode("WRITE", stream=3, stride=-1, addr=6, count=1, interval=1)),
            (13, encode("WRITE", stream=3, stride=-5, addr=9, count=2, **fields)),
            (16, encode("READ", stream=0, stride=1, addr=0, count=8, interval=2)),
        ]
    }
    for _ in range(2):
        assert await unit.run(program) is None


@cocotb.test()
async def busy(dut: Any) -> None:
    """The last cycle in which an engine is still busy, and the first in which it is free."""
    unit, _config, slices = await _start(dut)
    for number, mnemonic in enumerate(("READ", "WRITE")):
        first = encode(mnemonic, stream=1, addr=2, count=3, interval=4)
        second = encode(mnemonic, stream=1, addr=7, count=1, interval=1)
        assert await unit.run({slices[number].id: [(2, first), (11, second)]}) is None
        fault = await unit.run({slices[number].id: [(2, first), (10, second)]})
        assert fault == (10, slices[number].id, FaultKind.BUSY)


@cocotb.test()
async def bank_conflict(dut: Any) -> None:
    unit, config, slices = await _start(dut)
    depth = config.mem_depth
    read = encode("READ", stream=1, addr=depth - 2, stride=1, count=4, interval=1)
    write = encode("WRITE", stream=1, addr=depth + 3, count=1, interval=1)
    assert await unit.run({slices[1].id: [(1, read), (2, write)]}) is None
    assert await unit.run({slices[1].id: [(1, read), (3, write)]}) == (4, slices[1].id, FaultKind.BANK_CONFLICT)


@cocotb.test()
async def random_faults(dut: Any) -> None:
    """Engines that take no care of each other."""
    unit, config, slices = await _start(dut)
    rng = unit.bench.random
    kinds = set()
    for _ in range(unit.bench.parameters["programs"]):
        program = {}
        for index, s in enumerate(slices):
            mine = range(index, config.streams, len(slices))
            issues = sorted(rng.sample(range(40), 8))
            timeline = dict(bursts(config, rng, "READ", issues[::2], mine, 1, 12))
            for issue, word in bursts(config, rng, "WRITE", issues[1::2], mine, 1, 12):
                timeline.setdefault(max(issue - rng.randrange(3), 0), word)
            program[s.id] = sorted(timeline.items())
        fault = await unit.run(program)
        if fault is None:
            continue
        kinds.add(fault[2])
        await _after_fault(unit, config, slices)
    assert FaultKind.BANK_CONFLICT in kinds


@cocotb.test()
async def gather_and_scatter(dut: Any) -> None:
    """Both engines at once, bursts back to back; then the memories are read as a whole."""
    unit, config, slices = await _start(dut)
    for _ in range(unit.bench.parameters["programs"]):
        program = indexed_program(config, unit.bench.random, slices)
        assert await unit.run(limit_superlanes(config, unit.bench.random, program)) is None
    whole = {"stride": 1, "count": 2 * config.mem_depth, "interval": 1}
    assert await unit.run({s.id: [(1, encode("READ", stream=n, **whole))] for n, s in enumerate(slices)}) is None


@cocotb.test()
async def indexed_accesses_keep_their_engine(dut: Any) -> None:
    """The last cycle in which an engine is still busy, and the first in which it is free: also for the same driver."""
    unit, config, slices = await _start(dut)
    for mnemonic, plain, shortest in (
        ("GATHER", "READ", gather_accesses(config)),
        ("SCATTER", "WRITE", scatter_accesses(config)),
    ):
        for following, extra in ((mnemonic, {"map": 2}), (plain, {})):
            first = encode(mnemonic, stream=1, map=0, addr=3, count=2, interval=shortest)
            second = encode(following, stream=3, addr=5, count=2, interval=shortest, **extra)
            free = 2 + shortest + timing(config).mem_free[mnemonic]
            assert await unit.run({slices[1].id: [(2, first), (free, second)]}) is None
            fault = await unit.run({slices[1].id: [(2, first), (free - 1, second)]})
            assert fault == (free - 1, slices[1].id, FaultKind.BUSY)
            await _after_fault(unit, config, slices)


@cocotb.test()
async def indexed_accesses_keep_their_bank(dut: Any) -> None:
    """A plain access of the other engine before, in, and after the cycles of an indexed one; then two indexed ones."""
    unit, config, slices = await _start(dut)
    depth, queue = config.mem_depth, slices[0].id
    for indexed, plain, accesses in (
        ("GATHER", "WRITE", gather_accesses(config)),
        ("SCATTER", "READ", scatter_accesses(config)),
    ):
        first, last = 11 + 1, 11 + accesses
        for cycle, conflict in ((first - 1, False), (first, True), (last, True), (last + 1, False)):
            for bank in range(2):
                program = [
                    (10, encode(indexed, stream=1, map=0, addr=depth + 2, count=1, interval=accesses)),
                    (cycle - 1, encode(plain, stream=1, addr=bank * depth + 7, count=1, interval=1)),
                ]
                if cycle == first - 1:
                    # The indexed word takes the issue slot.
                    program[1] = cycle - 2, program[1][1]
                fault = await unit.run({queue: sorted(program)})
                wanted = (cycle, queue, FaultKind.BANK_CONFLICT) if conflict and bank else None
                assert fault == wanted, (indexed, cycle, bank)
                if fault:
                    await _after_fault(unit, config, slices)
    both = [
        (10, encode("GATHER", stream=1, map=0, addr=depth, count=1, interval=gather_accesses(config))),
        (12, encode("SCATTER", stream=1, map=0, addr=depth, count=1, interval=scatter_accesses(config))),
    ]
    assert await unit.run({queue: both}) == (14, queue, FaultKind.BANK_CONFLICT)


@cocotb.test()
async def random_indexed_faults(dut: Any) -> None:
    """Engines that take no care of each other, nor always of themselves."""
    unit, config, slices = await _start(dut)
    rng = unit.bench.random
    kinds = set()
    for _ in range(unit.bench.parameters["programs"] * 2):
        program = {}
        for index, s in enumerate(slices):
            mine = range(index, config.streams, len(slices))
            timeline: dict[int, int] = {}
            for engine in (("READ", "GATHER"), ("WRITE", "SCATTER")):
                for issue, word in mixed_bursts(config, rng, engine, (0, 0, 0, 1), mine, 4):
                    timeline.setdefault(max(issue - (rng.random() < 0.1), 0), word)
            program[s.id] = sorted(timeline.items())
        fault = await unit.run(program)
        if fault is None:
            continue
        kinds.add(fault[2])
        await _after_fault(unit, config, slices)
    assert FaultKind.BANK_CONFLICT in kinds


@cocotb.test()
async def host(dut: Any) -> None:
    """The host reads what it wrote: every word of every tile."""
    unit, config, _slices = await _start(dut)
    bench = unit.bench
    tiles = config.slices_per_hop * config.superlanes
    words = [[bench.random.getrandbits(config.stream_bits) for _ in range(2 * config.mem_depth)] for _ in range(tiles)]
    for write in (1, 0):
        bench.drive(host_we=write)
        for tile in range(tiles):
            for addr in range(2 * config.mem_depth):
                bench.drive(host_en=1 << tile, host_addr=addr, host_data=words[tile][addr] if write else 0)
                await bench.tick()
                bench.drive(host_en=0)
                if not write:
                    await bench.ticks(config.sram_latency - 1)
                    bench.check(f"tile {tile} word {addr}", bench.read("host_read"), words[tile][addr])
                    await bench.tick()
                    bench.check("host_read afterwards", bench.read("host_read"), 0)


@cocotb.test()
async def two_flipped_bits(dut: Any) -> None:
    """Of indices, of data to scatter, of words that lanes are gathered from or scattered to; nobody else minds."""
    unit, config, slices = await _start(dut)
    if not config.ecc:
        return
    rng = unit.bench.random
    found = 0
    for _ in range(unit.bench.parameters["programs"] * 6):
        rare = rng.choice((0.001, 0.003, 0.01))
        program = limit_superlanes(config, rng, indexed_program(config, rng, slices))
        fault = await unit.run(program, doubles=rare)
        if fault is not None:
            found += 1
            assert fault[2] == FaultKind.UNCORRECTABLE
            await _after_fault(unit, config, slices)
    assert found


async def _after_fault(unit: PositionBench, config: Config, slices: list[Unit]) -> None:
    """Stop what is under way and empty the memories: what they hold after a fault is not defined."""
    unit.bench.drive(start=1)
    await unit.bench.ticks(config.superlanes + 4)
    await _clear(unit.bench, config, slices)
    unit.golden.write(*_all_words(config, slices))


async def _clear(bench: Bench, config: Config, slices: list[Unit]) -> None:
    bench.drive(host_we=1, host_data=0, host_en=(1 << len(slices) * config.superlanes) - 1)
    for addr in range(2 * config.mem_depth):
        bench.drive(host_addr=addr)
        await bench.tick()
    bench.drive(host_we=0, host_en=0)


def _all_words(config: Config, slices: list[Unit]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    numbers, addrs = np.meshgrid([s.id for s in slices], np.arange(2 * config.mem_depth), indexing="ij")
    return numbers.ravel(), addrs.ravel(), np.zeros((numbers.size, config.vector_length), np.uint8)
