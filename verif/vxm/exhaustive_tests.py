"""Operands of 8 and 16 bits, all of them."""

from typing import Any

import cocotb
import numpy as np

from arch.formats import DType
from verif.bench import Bench
from verif.vxm.streaming import CONFIG, check_operation
from verif.vxm.vectors import Operation, operations

UNARY = ("PASS", "RELU", "NOT", "CVT")
SHIFTS = ("SHL", "SHR", "SHRL")


def _all(bits: int) -> np.ndarray:
    return np.arange(1 << bits, dtype=np.uint32)


def _operations(bench: Bench, *dtypes: DType) -> list[Operation]:
    return [one for one in operations(CONFIG, bench.parameters["column"]) if one.dtype in dtypes]


@cocotb.test()
async def unary_operations(dut: Any) -> None:
    """Every int8, int16 and fp16, whatever stands above it."""
    bench = await Bench.start(dut)
    done = 0
    for operation in _operations(bench, DType.INT8, DType.INT16, DType.FP16):
        if operation.mnemonic in UNARY:
            narrow = _all(8 * operation.dtype.size)
            above = bench.rng.integers(0, 1 << 16, len(narrow), np.uint32) << np.uint32(16)
            b = bench.rng.integers(0, 1 << 32, len(narrow), np.uint32)
            await check_operation(bench, operation, narrow | above, b)
            done += len(narrow)
    assert done > 65_536


@cocotb.test()
async def shifts(dut: Any) -> None:
    """Every int8 by every amount, and every int16 if `every_format`."""
    bench = await Bench.start(dut)
    formats = (DType.INT8, DType.INT16) if bench.parameters["every_format"] else (DType.INT8,)
    for operation in _operations(bench, *formats):
        if operation.mnemonic in SHIFTS:
            a, b = np.meshgrid(_all(8 * operation.dtype.size), _all(5))
            await check_operation(bench, operation, a.ravel(), b.ravel())


@cocotb.test()
async def pairs(dut: Any) -> None:
    """Every pair of int8, narrowed to int8, or to every format if `every_format`."""
    bench = await Bench.start(dut)
    a, b = (grid.ravel() for grid in np.meshgrid(_all(8), _all(8)))
    for operation in _operations(bench, DType.INT8):
        if operation.mnemonic in (*UNARY, *SHIFTS):
            continue
        if bench.parameters["every_format"] or operation.out_dtype == DType.INT8:
            c = bench.rng.choice(np.array([0, 1, 0x80, 0xFF, 0x100], np.uint32), len(a))
            await check_operation(bench, operation, a, b, c if operation.mnemonic == "SEL" else None)
