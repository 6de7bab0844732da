"""One ALU, all of its operations, sixteen lanes at a time, against the golden model."""

from typing import Any

import cocotb
import numpy as np

from arch.isa.codes import Source
from arch.isa.encoding import encode
from arch.presets import preset
from arch.timing import timing
from golden.vxm.alu import operate
from hdl.vxm.micro_op import MICRO_OP
from verif.bench import Bench
from verif.vxm.vectors import Operation, corners_of, operand_bits, operations

LANES = 16
CONFIG = preset("small", ["alu_rows=1", "streams=16"])
LATENCY = timing(CONFIG).chain
VALID = 1 << MICRO_OP.size - 1


Work = tuple[Operation, np.ndarray, np.ndarray]
"""An operation and its operands a and b, 32 bits per lane."""


def _word(operation: Operation, mask_index: int) -> int:
    """The mask of SEL comes from a stream of b."""
    sources = {"a_src": Source.STREAM, "b_src": Source.STREAM, "b_dir": 1, "c_dir": 1, "c_index": mask_index}
    return VALID | encode(operation.mnemonic, **operation.fields, **sources)


def _mask(b: np.ndarray, index: int) -> np.ndarray:
    return b >> np.uint32(8 * index)


def _streams(bits: np.ndarray) -> list[int]:
    """Vectors of 32-bit lanes as four streams: lowest bytes of all lanes first."""
    planes = bits.view(np.uint8).reshape(-1, LANES, 4).transpose(0, 2, 1)
    return [int.from_bytes(vector.tobytes(), "little") for vector in planes]


def _lanes(streams: list[int]) -> np.ndarray:
    data = b"".join(value.to_bytes(4 * LANES, "little") for value in streams)
    return np.frombuffer(data, np.uint8).reshape(-1, 4, LANES).transpose(0, 2, 1).copy().view(np.uint32)[..., 0]


async def _run(bench: Bench, work: list[Work]) -> None:
    """Issue one operation per cycle, then compare all results."""
    masks = bench.rng.integers(0, 4, len(work))
    words = [_word(operation, int(index)) for (operation, _, _), index in zip(work, masks, strict=True)]
    a = _streams(np.stack([a for _, a, _ in work]))
    b = _streams(np.stack([b for _, _, b in work]))
    results = []
    for cycle in range(len(work) + LATENCY):
        if cycle < len(work):
            bench.drive(op=words[cycle], east=a[cycle], west=b[cycle])
        else:
            bench.drive(op=0)
        await bench.tick()
        if cycle >= LATENCY - 1 and cycle < len(work) + LATENCY - 1:
            results.append(bench.read("result"))
    got = _lanes(results)
    for operation in sorted({operation for operation, _, _ in work}):
        chosen = [index for index, item in enumerate(work) if item[0] == operation]
        a_bits, b_bits = (np.concatenate([work[index][part] for index in chosen]) for part in (1, 2))
        c_bits = np.concatenate([_mask(work[index][2], masks[index]) for index in chosen])
        result, expected = got[chosen].ravel(), operate(*operation[:4], a_bits, b_bits, c_bits, relation=operation[4])
        wrong = np.flatnonzero(result != expected)
        assert not len(wrong), f"{operation}: {len(wrong)} of {len(result)} differ (seed {bench.seed}): " + "; ".join(
            f"a={a_bits[at]:#010x} b={b_bits[at]:#010x} c={c_bits[at] & 0xFF:#04x} got {result[at]:#010x}, "
            f"expected {expected[at]:#010x}, lane {at % LANES}, vector {chosen[at // LANES]}"
            for at in wrong[:3]
        )


def _pairs(corners: np.ndarray) -> list[np.ndarray]:
    """Every pair of corners, in whole vectors."""
    grids = [grid.ravel() for grid in np.meshgrid(corners, corners)]
    padding = -len(grids[0]) % LANES
    return [np.concatenate([grid, grid[:padding]]).reshape(-1, LANES) for grid in grids]


@cocotb.test()
async def pairs_of_corners(dut: Any) -> None:
    """Every operation on pairs of corners; on all of them if `corner_vectors` allows."""
    bench = await Bench.start(dut)
    work = []
    for operation in operations(CONFIG, bench.parameters["column"]):
        a, b = _pairs(corners_of(operation.dtype))
        limit = bench.parameters["float_corner_vectors" if operation.dtype.is_float else "integer_corner_vectors"]
        work += [(operation, a[index], b[index]) for index in bench.rng.permutation(len(a))[:limit]]
    await _run(bench, [work[index] for index in bench.rng.permutation(len(work))])


@cocotb.test()
async def random_operands(dut: Any) -> None:
    """Operations in random order, back to back."""
    bench = await Bench.start(dut)
    every = operations(CONFIG, bench.parameters["column"])
    floats = [operation for operation in every if operation.dtype.is_float or operation.out_dtype.is_float]
    work = []
    for _ in range(bench.parameters["random_vectors"]):
        operation = bench.random.choice(floats if bench.random.random() < 0.7 else every)
        work.append((operation, *operand_bits(bench.rng, operation.mnemonic, operation.dtype, LANES)))
    await _run(bench, work)
