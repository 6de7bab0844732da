"""Every bit of the words that an ALU takes from streams, flipped alone and in pairs."""

from collections.abc import Sequence
from typing import Any

import cocotb
import numpy as np

from arch.config import Config
from arch.formats import DType
from arch.isa.codes import Source
from arch.isa.encoding import encode
from arch.timing import timing
from golden.vxm.alu import operate
from hdl.ecc.reader import REPORT_DELAY
from hdl.vxm.micro_op import MICRO_OP
from verif.bench import Bench
from verif.coded_streams import packed_streams

A, B, C = 4, 8, 13
"""First streams of the operands."""

STREAMS = {"SEL": (*range(A, A + 4), *range(B, B + 4), C), "EXP": (*range(A, A + 4), *range(B, B + 4))}
"""Streams of which an operation takes one word."""


class Operands:
    """One operation per cycle, on random vectors."""

    def __init__(self, bench: Bench, mnemonic: str) -> None:
        self.bench = bench
        self.config = Config.from_dict(bench.parameters["config"])
        self.mnemonic = mnemonic
        self.dtype = DType.FP32 if mnemonic == "EXP" else DType.INT32
        sources = {"a_src": Source.STREAM, "a_index": A, "b_src": Source.STREAM, "b_index": B}
        masks = {"c_src": Source.STREAM, "c_index": C}
        word = encode(mnemonic, dtype=self.dtype, out_dtype=self.dtype, **sources, **masks)
        self.op = word | 1 << MICRO_OP.size - 1

    async def run(self, flips: Sequence[tuple[int, int]]) -> tuple[list[tuple[int, int]], np.ndarray]:
        """Operate once per ``(stream, flipped bits)``.

        Returns
        -------
        reports
            ``corrected, uncorrectable`` of each.
        right
            Whether each result is that of the golden model.
        """
        bench, config = self.bench, self.config
        shape = (len(flips), config.streams, config.lanes)
        vectors = bench.rng.integers(0, 256, shape, np.uint8)
        if self.dtype is DType.FP32:
            # Arguments of EXP that make a difference.
            vectors[:, A + 3] = vectors[:, A + 3] & 0x80 | 0x3F
        bench.drive(op=self.op, west=0)
        reports, results = [], []
        for cycle in range(len(flips) + REPORT_DELAY):
            if cycle < len(flips):
                stream, mask = flips[cycle]
                bench.drive(east=packed_streams(config, vectors[cycle], 0, {stream: {0: mask}}))
            else:
                bench.drive(op=0)
            await bench.settle()
            if cycle >= timing(config).chain:
                results.append(bench.read("result"))
            if cycle >= REPORT_DELAY:
                reports.append((bench.read("corrected"), bench.read("uncorrectable")))
            await bench.tick()
        packed = b"".join(result.to_bytes(4 * config.lanes, "little") for result in results[: len(flips)])
        got = np.frombuffer(packed, np.uint8).reshape(-1, 4, config.lanes)
        return reports, (got == self._expected(vectors)).all((1, 2))

    def _expected(self, vectors: np.ndarray) -> np.ndarray:
        def numbers(first: int) -> np.ndarray:
            return np.ascontiguousarray(vectors[:, first : first + 4].transpose(0, 2, 1)).view(np.uint32).ravel()

        masks = vectors[:, C].ravel().astype(np.uint32)
        results = operate(self.mnemonic, self.dtype, self.dtype, False, numbers(A), numbers(B), masks)
        return results.view(np.uint8).reshape(len(vectors), -1, 4).transpose(0, 2, 1)


@cocotb.test()
async def every_bit(dut: Any) -> None:
    """One flipped bit changes nothing and is reported once."""
    bench = await Bench.start(dut)
    for mnemonic, streams in STREAMS.items():
        operands = Operands(bench, mnemonic)
        flips = [(stream, 1 << bit) for bit in range(operands.config.stream_bits) for stream in streams]
        reports, right = await operands.run(flips)
        for flip, report, same in zip(flips, reports, right, strict=True):
            bench.check(f"{mnemonic}, reports of {flip}", report, (1, 0))
            assert same, f"{mnemonic}, result with {flip} (seed {bench.seed})"
        bench.check("reports are gone", (bench.read("corrected"), bench.read("uncorrectable")), (0, 0))


@cocotb.test()
async def random_pairs(dut: Any) -> None:
    """Two flipped bits are found wherever they are."""
    bench = await Bench.start(dut)
    rng = bench.random
    operands = Operands(bench, "SEL")
    bits = range(operands.config.stream_bits)
    pairs = [sum(1 << bit for bit in rng.sample(bits, 2)) for _ in range(bench.parameters["pairs"])]
    flips = [(rng.choice(STREAMS["SEL"]), pair) for pair in pairs]
    reports, _ = await operands.run(flips)
    for flip, report in zip(flips, reports, strict=True):
        bench.check(f"reports of {flip}", report, (0, 1))


@cocotb.test()
async def words_of_others(dut: Any) -> None:
    """Flipped bits next to the operands, or in a mask that the operation does not take, are nobody's."""
    bench = await Bench.start(dut)
    operands = Operands(bench, "EXP")
    streams = [stream for stream in range(operands.config.streams) if stream not in STREAMS["EXP"]]
    flips = [(stream, mask) for stream in streams for mask in (1, 2, 3)]
    reports, right = await operands.run(flips)
    for flip, report in zip(flips, reports, strict=True):
        bench.check(f"reports of {flip}", report, (0, 0))
    assert right.all()
