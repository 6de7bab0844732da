"""Run control against the definition of a run's end in machine.md, section 1."""

from typing import Any

import cocotb

from arch.config import Config
from hdl.host.run_control import drain_cycles
from verif.bench import Bench


async def begin(bench: Bench, drain: int) -> None:
    """Give START; return in cycle 0."""
    bench.drive(go=1, closed=0, pending=0, elements=0)
    await bench.tick()
    bench.drive(go=0)
    for _ in range(drain):
        bench.check("start", bench.read("start"), 1)
        bench.check("busy", bench.read("busy"), 1)
        bench.check("run", bench.read("run"), 0)
        await bench.tick()
    bench.check("start", bench.read("start"), 0)
    bench.check("run", bench.read("run"), 1)
    bench.check("cycle", bench.read("cycle"), 0)


async def run(bench: Bench, end: int, elements: list[tuple[int, int]], pending: set[int]) -> int:
    """Run with the last queue closed from cycle `end` on; return the number of the first idle cycle."""
    cycle = 0
    while bench.read("run"):
        bench.check("cycle", bench.read("cycle"), cycle)
        now = sum(1 << number for at, number in elements if at == cycle)
        bench.drive(closed=cycle >= end, elements=now, pending=cycle in pending)
        await bench.tick()
        cycle += 1
    bench.check("done", bench.read("done"), 1)
    bench.check("busy", bench.read("busy"), 0)
    bench.check("cycle afterwards", bench.read("cycle"), cycle - 1)
    return cycle - 1


@cocotb.test()
async def a_run_ends_when_all_has_retired(dut: Any) -> None:
    bench = await Bench.start(dut)
    retires = bench.parameters["retires"]
    drain = drain_cycles(Config.from_dict(bench.parameters["config"]))
    rng = bench.random
    for _ in range(30):
        end = rng.randrange(12)
        elements = list({(rng.randrange(20), rng.randrange(len(retires))) for _ in range(rng.randrange(6))})
        last = max((at for at, _ in elements), default=0)
        # Elements after the last END belong to a burst that is under way.
        pending = set(range(min(end, last), last))
        expected = max([end, *(at + retires[number] for at, number in elements)])
        await begin(bench, drain)
        bench.check("end", await run(bench, end, elements, pending), expected)


@cocotb.test()
async def a_burst_with_long_intervals_is_under_way(dut: Any) -> None:
    bench = await Bench.start(dut)
    retires = bench.parameters["retires"]
    await begin(bench, drain_cycles(Config.from_dict(bench.parameters["config"])))
    end = await run(bench, 1, [(0, 0), (100, 0)], set(range(100)))
    bench.check("end", end, 100 + retires[0])


@cocotb.test()
async def an_empty_program_takes_no_cycle(dut: Any) -> None:
    bench = await Bench.start(dut)
    await begin(bench, drain_cycles(Config.from_dict(bench.parameters["config"])))
    bench.check("end", await run(bench, 0, [], set()), 0)


@cocotb.test()
async def a_fault_stops_the_machine(dut: Any) -> None:
    """And holds every controller until it is cleared; START waits for that."""
    bench = await Bench.start(dut)
    drain = drain_cycles(Config.from_dict(bench.parameters["config"]))
    for at in (0, 1, 7):
        await begin(bench, drain)
        await bench.ticks(at)
        # In the very cycle in which the run would end as well.
        bench.drive(fault_now=1, closed=1)
        await bench.tick()
        bench.drive(fault_now=0, fault=1)
        await bench.settle()
        for name, value in (("run", 0), ("busy", 0), ("done", 0), ("start", 1)):
            bench.check(name, bench.read(name), value)
        bench.drive(go=1)
        await bench.ticks(3)
        bench.check("busy", bench.read("busy"), 0)
        bench.drive(go=0, fault=0)
        await bench.tick()
        bench.check("start", bench.read("start"), 0)


@cocotb.test()
async def start_is_ignored_while_busy(dut: Any) -> None:
    bench = await Bench.start(dut)
    drain = drain_cycles(Config.from_dict(bench.parameters["config"]))
    await begin(bench, drain)
    bench.drive(go=1)
    await bench.ticks(4)
    bench.check("run", bench.read("run"), 1)
    bench.check("cycle", bench.read("cycle"), 4)
