"""A supercell against NumPy, in the simulator."""

from typing import Any

import cocotb
import numpy as np

from verif.bench import Bench, pack_lanes

_EXTREMES = np.array([-128, -127, -1, 0, 1, 127])


@cocotb.test()
async def products_follow_the_wavefront(dut: Any) -> None:
    bench = await Bench.start(dut)
    lanes = bench.parameters["lanes"]
    limit = 1 << (bench.parameters["psum_bits"] - 2)
    rng = bench.rng

    def bytes_(*shape: int) -> np.ndarray[Any, Any]:
        return np.where(rng.random(shape) < 0.3, rng.choice(_EXTREMES, shape), rng.integers(-128, 128, shape))

    installed = np.zeros((lanes, lanes), np.int64)
    x = np.zeros(lanes, np.int64)
    dot = psum = np.zeros(lanes, np.int64)
    valid = dot_valid = False
    for _ in range(300):
        # What the registers hold before the edge decides what they hold after it.
        valid_in, x_in, weights, below = (
            bool(rng.integers(4)),
            bytes_(lanes),
            bytes_(lanes, lanes),
            rng.integers(-limit, limit, lanes),
        )
        install = valid_in and bool(rng.integers(2))
        bench.drive(valid_in=valid_in, install_in=install)
        bench.drive_lanes("x_in", x_in, bits=8)
        bench.drive(weights=pack_lanes(weights.reshape(-1), 8))
        bench.drive_lanes("psum_in", below, bits=32)
        await bench.tick()
        if dot_valid:
            psum = below + dot
        if valid:
            dot = installed @ x
        dot_valid, valid = valid, valid_in
        if valid_in:
            x = x_in
        if install:
            installed = weights
        bench.check("valid", bench.read("valid"), int(valid))
        bench.check("install", bench.read("install"), int(install))
        bench.check("x", bench.lanes("x", bits=8, signed=True), x)
        bench.check("psum", bench.lanes("psum", bits=32, signed=True), psum)
