"""Vectors as one wide port, in the simulator."""

from typing import Any

import cocotb
import numpy as np

from verif.bench import Bench


@cocotb.test()
async def every_lane_arrives(dut: Any) -> None:
    bench = await Bench.start(dut)
    for _ in range(20):
        data = bench.rng.integers(-128, 128, bench.parameters["lanes"])
        bench.drive_lanes("a", data, bits=8)
        await bench.tick()
        bench.check("q", bench.lanes("q", bits=8, signed=True), (data + 1).astype(np.int8))
    await bench.ticks(bench.parameters.get("cycles", 0))
