"""Tests that must fail."""

from typing import Any

import cocotb

from verif.bench import Bench


@cocotb.test()
async def wrong_value(dut: Any) -> None:
    bench = await Bench.start(dut)
    bench.drive_lanes("a", [1, 2, 3, 4], bits=8)
    await bench.tick()
    bench.check("q", bench.lanes("q", bits=8), [2, 3, 9, 5])
