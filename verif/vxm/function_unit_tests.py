"""Function units against the golden model, all lanes at a time."""

from typing import Any

import cocotb
import numpy as np
import numpy.typing as npt

from arch.functions.function import Function
from golden.numerics.functions import FUNCTIONS
from golden.ulp.operands import every_fp16_number, spread
from verif.bench import Bench
from verif.vxm.function_operands import corners

LATENCY = 2

Bits = npt.NDArray[np.uint32]


async def _run(bench: Bench, functions: npt.NDArray[np.int64], operands: Bits) -> None:
    """Apply a function to a vector per cycle, in random order; compare all results at the end."""
    order = bench.rng.permutation(len(operands))
    functions, operands = functions[order], operands[order]
    lanes = operands.shape[1]
    read = []
    for cycle in range(len(operands) + LATENCY - 1):
        if cycle < len(operands):
            bench.drive(function=functions[cycle])
            bench.drive_lanes("operands", operands[cycle], bits=32)
        await bench.tick()
        read.append(bench.read("results"))
    data = b"".join(value.to_bytes(4 * lanes, "little") for value in read[LATENCY - 1 :])
    got = np.frombuffer(data, "<u4").reshape(-1, lanes)
    for function in Function:
        chosen = functions == function
        a, result = operands[chosen].ravel(), got[chosen].ravel()
        expected = FUNCTIONS[function.name](a)
        wrong = np.flatnonzero(result != expected)
        assert not len(wrong), f"{function.name}: {len(wrong)} of {len(a)} differ (seed {bench.seed}): " + "; ".join(
            f"a={a[at]:#010x} got {result[at]:#010x}, expected {expected[at]:#010x}, lane {at % lanes}"
            for at in wrong[:4]
        )


def _vectors(bench: Bench, operands: Bits, limit: int) -> Bits:
    """At most `limit` whole vectors of the operands."""
    lanes = bench.parameters["lanes"]
    padded = np.concatenate([operands, operands[: -len(operands) % lanes]]).reshape(-1, lanes)
    return padded[bench.rng.permutation(len(padded))[:limit]]


async def _of_every_function(bench: Bench, operands: dict[Function, Bits], limit: int) -> None:
    vectors = {function: _vectors(bench, bits, limit) for function, bits in operands.items()}
    functions = np.concatenate([np.full(len(part), function) for function, part in vectors.items()])
    await _run(bench, functions, np.concatenate(list(vectors.values())))


@cocotb.test()
async def operands_at_which_something_changes(dut: Any) -> None:
    """Specials, ends of segments and of ranges, and their neighbours."""
    bench = await Bench.start(dut)
    limit = bench.parameters["vectors"]
    await _of_every_function(bench, {function: corners(function) for function in Function}, limit)


@cocotb.test()
async def every_fp16(dut: Any) -> None:
    """Every number of fp16; as many of them as the parameter `vectors` allows."""
    bench = await Bench.start(dut)
    await _of_every_function(bench, dict.fromkeys(Function, every_fp16_number()), bench.parameters["vectors"])


@cocotb.test()
async def any_operands(dut: Any) -> None:
    """Numbers from the whole range, with stress on where a function is not trivial."""
    bench = await Bench.start(dut)
    count = bench.parameters["lanes"] * min(bench.parameters["vectors"], 1000)
    operands = {function: spread(bench.rng, function.name, count) for function in Function}
    await _of_every_function(bench, operands, count)
