"""The fault register against the order of faults in machine.md, section 3.7."""

from typing import Any

import cocotb

from arch.faults import FaultKind
from verif.bench import Bench

OVERRUN = 1 << FaultKind.OVERRUN - 1


@cocotb.test()
async def the_first_fault_stays(dut: Any) -> None:
    bench = await Bench.start(dut)
    rng, units = bench.random, bench.parameters["units"]
    latched: tuple[int, int, int] | None = None
    for _ in range(1000):
        run, cycle, clear = rng.random() < 0.7, rng.getrandbits(48), rng.random() < 0.1
        faults = {
            unit: rng.getrandbits(len(FaultKind)) & rng.getrandbits(len(FaultKind))
            for unit in range(units)
            if rng.random() < 0.1
        }
        bench.drive(run=run, cycle=cycle, clear=clear)
        bench.drive(**{f"faults_{unit}": faults.get(unit, 0) for unit in range(units)})
        counted = {unit: bits if run else bits & OVERRUN for unit, bits in faults.items()}
        first = min((unit for unit, bits in counted.items() if bits), default=None)
        await bench.settle()
        bench.check("found", bench.read("found"), int(first is not None))
        await bench.tick()
        if clear:
            latched = None
        elif latched is None and first is not None:
            kind = min(kind for kind in FaultKind if counted[first] >> kind - 1 & 1)
            latched = (cycle if run else 0, first, int(kind))
        bench.check("fault", bench.read("fault"), int(latched is not None))
        for name, value in zip(("at", "unit", "kind"), latched or (0, 0, 0), strict=True):
            bench.check(name, bench.read(name), value)
