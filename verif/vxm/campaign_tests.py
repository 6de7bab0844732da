"""fp32, and all conversions, by the million."""

from typing import Any

import cocotb
import numpy as np

from arch.formats import DType
from verif.bench import Bench
from verif.vxm.streaming import CONFIG, check_operation
from verif.vxm.vectors import FLOAT_CORNERS, hard_floats, operand_bits, operations

CHUNK = 1 << 17

WEIGHTS = {"ADD": 6, "SUB": 6, "MUL": 12, "MAX": 2, "MIN": 2, "SEL": 2}
"""Shares of the vectors; 1 for all others."""


@cocotb.test()
async def pairs_of_corners(dut: Any) -> None:
    """Every pair, of every operation of two floats."""
    bench = await Bench.start(dut)
    a, b = (grid.ravel() for grid in np.meshgrid(FLOAT_CORNERS, FLOAT_CORNERS))
    for operation in operations(CONFIG, bench.parameters["column"]):
        if operation.dtype == DType.FP32 and not operation.saturate:
            await check_operation(bench, operation, a, b, b ^ a if operation.mnemonic == "SEL" else None)


@cocotb.test()
async def hard_vectors(dut: Any) -> None:
    """`vectors` of them in all, shared out among the operations."""
    bench = await Bench.start(dut)
    chosen = [
        operation
        for operation in operations(CONFIG, bench.parameters["column"])
        if (operation.dtype == DType.FP32 or operation.mnemonic == "CVT") and not operation.saturate
    ]
    weights = [WEIGHTS.get(operation.mnemonic, 1) for operation in chosen]
    done = 0
    for operation, weight in zip(chosen, weights, strict=True):
        left = -(-bench.parameters["vectors"] * weight // sum(weights))
        done += left
        while left:
            count = min(left, CHUNK)
            if operation.dtype == DType.FP32:
                a, b = hard_floats(bench.rng, operation.mnemonic, count)
            else:
                a, b = operand_bits(bench.rng, operation.mnemonic, operation.dtype, count)
            mask = bench.rng.integers(0, 3, count, np.uint32) * np.uint32(0x80) if operation.mnemonic == "SEL" else None
            await check_operation(bench, operation, a, b, mask)
            left -= count
    assert done >= bench.parameters["vectors"]
