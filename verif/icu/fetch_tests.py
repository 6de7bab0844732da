"""Text on its way from streams to queues, against the timing table."""

from dataclasses import dataclass, field
from typing import Any

import cocotb
import numpy as np

from arch.config import Config
from arch.ecc import check_bits
from arch.isa.encoding import encode
from arch.isa.instruction import OPCODE_BITS
from arch.timing import timing
from hdl.ecc.reader import REPORT_DELAY
from verif.bench import Bench

LONG = 1500


@dataclass
class Expected:
    """What must be seen, by cycle."""

    pushes: dict[int, tuple[int, int | None]] = field(default_factory=dict)
    """Queue and word; None for a word with two flipped bits."""
    elements: set[int] = field(default_factory=set)
    reads: dict[int, tuple[int, int]] = field(default_factory=dict)
    """Queue and stream, westward ones behind the eastward ones."""
    corrected: dict[int, int] = field(default_factory=dict)
    uncorrectable: dict[int, int] = field(default_factory=dict)
    """Bits of the port: queue by queue, superlane 0 lowest."""


class FetchBench:
    """Plays the queues and the stream registers of a position.

    Every stream of every superlane has other data in every cycle: ``data[cycle, superlane, direction, stream, lane]``.
    """

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.config = Config.from_dict(bench.parameters["config"])
        self.queues = bench.parameters["queues"]
        config = self.config
        shape = (LONG, config.superlanes, 2, config.streams, config.lanes)
        self.data = bench.rng.integers(0, 256, shape, np.uint8)
        self.flips: dict[tuple[int, int, int, int], int] = {}
        """Flipped bits of a register: by cycle, superlane, direction and stream."""
        self.expected = Expected()

    def issue(self, cycle: int, queue: int, direction: int, stream: int, count: int) -> int:
        """Expect an IFETCH; return the first cycle in which the port is free again."""
        config, table, expected = self.config, timing(self.config), self.expected
        spacing = 2 * config.superlanes
        text, lost = b"", b""
        for vector in range(count):
            expected.elements.add(cycle + vector * spacing)
            read = cycle + 1 + vector * spacing
            expected.reads[read] = queue, config.streams * direction + stream
            for row in range(config.superlanes):
                text += self.data[read + row, row, direction, stream].tobytes()
                mask = self.flips.get((read + row, row, direction, stream), 0)
                lost += bytes([mask.bit_count() > 1]) * config.lanes
                if mask:
                    reports = expected.corrected if mask.bit_count() == 1 else expected.uncorrectable
                    seen = read + row + REPORT_DELAY
                    reports[seen] = reports.get(seen, 0) | 1 << queue * config.superlanes + row
        known = np.frombuffer(lost, "<u8") == 0
        for number, word in enumerate(np.frombuffer(text, "<u8").tolist()):
            written = cycle + table.fetch_first - 2 + number * table.fetch_period
            expected.pushes[written] = queue, word if known[number] else None
        return cycle + spacing * count

    def show(self, cycle: int) -> None:
        """Put this cycle's data on the stream registers."""
        for direction, name in enumerate(("east", "west")):
            packed = 0
            if self.config.ecc:
                bits = self.config.stream_bits
                for row in range(self.config.superlanes):
                    for stream in range(self.config.streams):
                        word = _coded(self.config, self.data[cycle, row, direction, stream])
                        word ^= self.flips.get((cycle, row, direction, stream), 0)
                        packed |= word << (row * self.config.streams + stream) * bits
            else:
                packed = int.from_bytes(self.data[cycle, :, direction].tobytes(), "little")
            self.bench.drive(**{name: packed})

    async def check(self, cycle: int) -> None:
        """Compare every output but `busy_fault`."""
        bench, expected, streams = self.bench, self.expected, self.config.streams
        await bench.settle()
        queue, word = expected.pushes.get(cycle, (None, 0))
        bench.check("push", bench.read("push"), 0 if queue is None else 1 << queue)
        if word is not None and queue is not None:
            bench.check("push_word", bench.read("push_word"), word)
        bench.check("element", bench.read("element"), int(cycle in expected.elements))
        queue, stream = expected.reads.get(cycle, (None, 0))
        bench.check("reads", bench.read("reads"), 0 if queue is None else 1 << queue * 2 * streams + stream)
        if self.config.ecc:
            for name in ("corrected", "uncorrectable"):
                bench.check(name, bench.read(name), getattr(expected, name).get(cycle, 0))


def _coded(config: Config, lanes: np.ndarray) -> int:
    data, bits = int.from_bytes(lanes.tobytes(), "little"), 8 * config.lanes
    return data | check_bits(data, bits) << bits


def fields(direction: int, stream: int, count: int) -> int:
    return encode("IFETCH", dir=direction, stream=stream, count=count) >> OPCODE_BITS


@cocotb.test()
async def random_fetches(dut: Any) -> None:
    """One after the other with random gaps; refused ones of queues that ask in the same cycle or too early."""
    bench = await Bench.start(dut)
    fetch = FetchBench(bench)
    config, rng = fetch.config, bench.random
    free = 0
    for cycle in range(700):
        fetch.show(cycle)
        request, busy = 0, 0
        if cycle >= free and rng.random() < 0.3:
            winner = rng.randrange(fetch.queues)
            where = rng.randrange(2), rng.randrange(config.streams), rng.choice((1, 1, 2, 3, 7))
            bench.drive(**{f"fields_{winner}": fields(*where)})
            if config.ecc:
                _flip(fetch, cycle, *where)
            free = fetch.issue(cycle, winner, *where)
            request = 1 << winner
            if rng.random() < 0.3 and winner + 1 < fetch.queues:
                busy = 1 << rng.randrange(winner + 1, fetch.queues)
        bench.drive(request=request | busy)
        await bench.settle()
        bench.check("busy_fault", bench.read("busy_fault"), busy)
        await fetch.check(cycle)
        await bench.tick()


def _flip(fetch: FetchBench, cycle: int, direction: int, stream: int, count: int) -> None:
    """Flip a bit, sometimes two, of some words that will be read."""
    config, rng = fetch.config, fetch.bench.random
    for vector in range(count):
        for row in range(config.superlanes):
            if rng.random() < 0.4:
                bits = rng.sample(range(config.stream_bits), rng.choice((1, 1, 1, 2)))
                place = cycle + 1 + 2 * config.superlanes * vector + row, row, direction, stream
                fetch.flips[place] = sum(1 << bit for bit in bits)


@cocotb.test()
async def a_port_that_is_not_free(dut: Any) -> None:
    bench = await Bench.start(dut)
    fetch = FetchBench(bench)
    for count in (1, 2, 5):
        taken = 2 * fetch.config.superlanes * count
        for early in range(1, taken + 1):
            bench.drive(start=0, request=1, fields_0=fields(0, 1, count))
            await bench.tick()
            bench.drive(request=0)
            await bench.ticks(early - 1)
            bench.drive(request=2, fields_1=fields(1, 1, 1))
            await bench.settle()
            bench.check(f"busy_fault {early} cycles later", bench.read("busy_fault"), 2 * (early < taken))
            bench.drive(request=0, start=1)
            await bench.ticks(2)


@cocotb.test()
async def start_forgets_everything(dut: Any) -> None:
    bench = await Bench.start(dut)
    fetch = FetchBench(bench)
    fetch.show(0)
    for after in range(1, 12):
        bench.drive(start=0, request=1, fields_0=fields(0, 3, 9))
        await bench.tick()
        bench.drive(request=0)
        await bench.ticks(after)
        bench.drive(start=1)
        await bench.ticks(2 * fetch.config.superlanes + 2)
        bench.drive(start=0)
        for _ in range(8):
            await bench.settle()
            for name in ("push", "element", "reads"):
                bench.check(name, bench.read(name), 0)
            await bench.tick()
