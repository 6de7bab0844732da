"""Encoder and decoder: every flipped bit is corrected, every pair of them is seen."""

from itertools import combinations
from typing import Any

import cocotb

from arch.config import Config
from arch.ecc import check_bits
from hdl.ecc.reader import REPORT_DELAY
from verif.bench import Bench


class Path:
    """Sends pairs of words, and checks what comes out."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        config = Config.from_dict(bench.parameters["config"])
        self.data_bits, self.bits = 8 * config.lanes, config.stream_bits
        self._reports: list[tuple[int, int]] = [(0, 0)] * REPORT_DELAY

    async def send(self, flips: tuple[int, int], when: int = 1) -> None:
        """Send random words, two masks of flipped bits with them."""
        bench = self.bench
        words = [bench.random.getrandbits(self.data_bits) for _ in flips]
        bench.drive(data=words[0] | words[1] << self.data_bits, flips=flips[0] | flips[1] << self.bits, when=when)
        await bench.settle()
        coded = [word | check_bits(word, self.data_bits) << self.data_bits for word in words]
        bench.check("coded", bench.read("coded"), coded[0] | coded[1] << self.bits)
        counts = [mask.bit_count() for mask in flips]
        for place, count in enumerate(counts):
            if count < 2:
                got = bench.read("read") >> place * self.data_bits & (1 << self.data_bits) - 1
                bench.check(f"word {place} with {flips[place]:#x} flipped", got, words[place])
        self._reports.append((when * (1 in counts), when * (2 in counts)))
        await bench.tick()
        corrected, uncorrectable = self._reports[-REPORT_DELAY]
        bench.check("corrected", bench.read("corrected"), corrected)
        bench.check("uncorrectable", bench.read("uncorrectable"), uncorrectable)


@cocotb.test()
async def every_flipped_bit(dut: Any) -> None:
    path = Path(await Bench.start(dut))
    for bit in range(path.bits):
        await path.send((1 << bit, 0))
        await path.send((0, 0))
        await path.send((0, 1 << bit))
        await path.send((1 << bit, 1 << path.bits - 1 - bit))


@cocotb.test()
async def pairs_of_flipped_bits(dut: Any) -> None:
    path = Path(await Bench.start(dut))
    pairs = list(combinations(range(path.bits), 2))
    for first, second in path.bench.random.sample(pairs, min(len(pairs), 1200)):
        pair = 1 << first | 1 << second
        await path.send(path.bench.random.choice(((pair, 0), (0, pair), (pair, 1 << first))))


@cocotb.test()
async def a_word_that_is_not_read(dut: Any) -> None:
    path = Path(await Bench.start(dut))
    for bit in range(20):
        await path.send((1 << bit, 3), when=bit & 1)
    for _ in range(REPORT_DELAY):
        await path.send((0, 0))
