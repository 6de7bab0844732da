"""Shadow bits and collisions against sets of streams."""

from typing import Any

import cocotb

from verif.bench import Bench


@cocotb.test()
async def random_reads_and_drives(dut: Any) -> None:
    bench = await Bench.start(dut)
    rng, streams, units = bench.random, bench.parameters["streams"], bench.parameters["units"]
    checked = bench.parameters["checks"]
    written, collided = 0, 0
    for _ in range(300):
        if rng.random() < 0.05:
            bench.drive(start=1)
            await bench.tick()
            bench.drive(start=0)
            written, collided = 0, 0
        arriving = rng.getrandbits(2 * streams) & rng.getrandbits(2 * streams)
        drives = [rng.getrandbits(2 * streams) if rng.random() < 0.2 else 0 for _ in range(units)]
        # Mostly streams that hold a value, with one that may not.
        reads = [
            written & rng.getrandbits(2 * streams) | (rng.random() < 0.1) << rng.randrange(2 * streams) for _ in drives
        ]
        bench.drive(east_in=arriving & (1 << streams) - 1, west_in=arriving >> streams)
        for unit in range(units):
            bench.drive(**{f"reads_{unit}": reads[unit], f"drives_{unit}": drives[unit]})
        await bench.settle()
        unwritten = sum(bool(read & ~written) << unit for unit, read in enumerate(reads)) if checked else 0
        bench.check("unwritten", bench.read("unwritten"), unwritten)
        bench.check("double_drive", bench.read("double_drive"), collided)
        if checked:
            bench.check("shadow bits", bench.read("east_out") | bench.read("west_out") << streams, written)
        await bench.tick()
        written, collided = arriving, 0
        for unit, mine in enumerate(drives):
            collided |= any(mine & other for other in drives[:unit]) << unit
            written |= mine
