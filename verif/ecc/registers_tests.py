"""Reports that come late, and faults that do not, in the order of machine.md, sections 3.7 and 8."""

from collections import defaultdict
from typing import Any

import cocotb

from arch.faults import FaultKind
from hdl.ecc.monitor import MONITOR_DELAY
from hdl.ecc.reader import REPORT_DELAY
from verif.bench import Bench

Events = dict[int, set[tuple[int, int]]]
"""Queue and superlane by cycle."""


def random_events(bench: Bench, cycles: int, chance: float) -> Events:
    rng, found = bench.random, defaultdict(set)
    for cycle in range(cycles):
        while rng.random() < chance:
            found[cycle].add((rng.randrange(bench.parameters["units"]), rng.randrange(bench.parameters["rows"])))
    return found


@cocotb.test()
async def random_runs(dut: Any) -> None:
    bench = await Bench.start(dut)
    rng, rows = bench.random, bench.parameters["rows"]
    count, first = 0, (0, 0)
    outcomes = set()
    for _ in range(150):
        cycles = rng.randrange(1, 14)
        corrected = random_events(bench, cycles, rng.choice((0, 0.4)))
        uncorrectable = random_events(bench, cycles, rng.choice((0, 0.1)))
        faults: dict[int, tuple[int, int]] = {}
        if rng.random() < 0.5:
            at, unit = rng.randrange(cycles), rng.randrange(bench.parameters["units"])
            faults[at] = unit, rng.randrange(9)
            if rng.random() < 0.4:
                uncorrectable[at].add((unit, 0))
        keys = [(cycle, unit, bit + 1) for cycle, (unit, bit) in faults.items()]
        keys += [
            (cycle, unit, int(FaultKind.UNCORRECTABLE)) for cycle, found in uncorrectable.items() for unit, _ in found
        ]
        fault = min(keys, default=None)
        last = fault[0] if fault else cycles - 1
        counted = [(cycle, unit) for cycle, found in corrected.items() if cycle <= last for unit, _ in found]

        run, number = 1, 0
        for step in range(cycles + MONITOR_DELAY + 3):
            run &= step < cycles
            bench.drive(run=run, cycle=number)
            bench.drive(**{f"faults_{unit}": 0 for unit, _ in faults.values()})
            if run and step in faults:
                unit, bit = faults[step]
                bench.drive(**{f"faults_{unit}": 1 << bit})
            for name, events in (("corrected", corrected), ("uncorrectable", uncorrectable)):
                reports = events.get(step - REPORT_DELAY, set())
                bench.drive(**{name: sum(1 << unit * rows + row for unit, row in reports)})
            await bench.settle()
            stopped = bench.read("found")
            await bench.tick()
            number += run and not stopped
            run &= not stopped
        bench.check("settled", bench.read("settled"), 1)
        bench.check("fault", bench.read("fault"), int(fault is not None))
        for name, value in zip(("at", "unit", "kind"), fault or (0, 0, 0), strict=True):
            bench.check(name, bench.read(name), value)
        if counted and not count:
            first = min(counted)
        count += len(counted)
        for name, value in (("count", count), ("first", first[0]), ("first_unit", first[1])):
            bench.check(name, bench.read(name), value)
        outcomes.add(fault and fault[2] == FaultKind.UNCORRECTABLE)
        if fault or rng.random() < 0.3:
            bench.drive(clear=1)
            await bench.tick()
            bench.drive(clear=0)
            count, first = 0, (0, 0)
    assert outcomes == {None, False, True}


@cocotb.test()
async def an_overrun_before_a_run_counts_at_once(dut: Any) -> None:
    bench = await Bench.start(dut)
    bench.drive(faults_2=1 << FaultKind.OVERRUN - 1, cycle=77)
    await bench.tick()
    bench.drive(faults_2=0)
    for name, value in (("fault", 1), ("at", 0), ("unit", 2), ("kind", int(FaultKind.OVERRUN))):
        bench.check(name, bench.read(name), value)
