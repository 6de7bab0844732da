"""Bursts against a list of elements written down from their definition."""

from dataclasses import dataclass, field
from typing import Any

import cocotb

from verif.bench import Bench


@dataclass
class Engine:
    """What has been issued so far: element cycles and addresses still to come, and the address that follows."""

    address_mask: int
    elements: list[tuple[int, int]] = field(default_factory=list)
    following: int = 0

    def issue(self, cycle: int, count: int, interval: int, addr: int, stride: int, cont: bool) -> None:
        """Add the elements of a burst."""
        first = self.following if cont else addr
        addresses = [(first + k * stride) & self.address_mask for k in range(count + 1)]
        self.elements = [(cycle + k * interval, addresses[k]) for k in range(count)]
        self.following = addresses[count]


async def check_cycle(bench: Bench, engine: Engine, busy: bool) -> None:
    """Compare every output of this cycle."""
    cycle = bench.cycle
    due = [addr for at, addr in engine.elements if at == cycle]
    left = [at for at, _ in engine.elements if at > cycle]
    await bench.settle()
    bench.check("element", bench.read("element"), len(due))
    bench.check("pending", bench.read("pending"), int(bool(left)))
    bench.check("busy", bench.read("busy"), int(busy))
    if due:
        bench.check("last", bench.read("last"), int(not left))
        if bench.parameters["addr_bits"]:
            bench.check("element_addr", bench.read("element_addr"), due[0])
    await bench.tick()


@cocotb.test()
async def random_bursts(dut: Any) -> None:
    bench = await Bench.start(dut)
    rng, bits = bench.random, bench.parameters["addr_bits"]
    engine = Engine((1 << bits) - 1)
    for _ in range(1500):
        free = all(at < bench.cycle for at, _ in engine.elements)
        issue = free and rng.random() < 0.5
        if issue:
            fields: dict[str, Any] = {
                "count": rng.choice((1, 1, 2, 3, 7)),
                "interval": rng.choice((1, 1, 2, 5)),
                "addr": rng.getrandbits(bits) if bits else 0,
                "stride": rng.choice((-1024, -1, 0, 1, 3, 1023)) if bits else 0,
                "cont": rng.random() < 0.4 if bits else False,
            }
            engine.issue(bench.cycle, **fields)
            bench.drive(**(fields if bits else {name: fields[name] for name in ("count", "interval", "cont")}))
        bench.drive(issue=issue)
        await check_cycle(bench, engine, False)
        if rng.random() < 0.02:
            bench.drive(issue=0, start=1)
            await bench.tick()
            bench.drive(start=0)
            engine = Engine(engine.address_mask)


@cocotb.test()
async def longest_fields(dut: Any) -> None:
    """The largest interval and the largest count that the fields hold."""
    bench = await Bench.start(dut)
    for count, interval in ((2, 4095), (8191, 1)):
        engine = Engine(0)
        engine.issue(bench.cycle, count, interval, 0, 0, False)
        last = engine.elements[-1][0]
        bench.drive(issue=1, count=count, interval=interval)
        await bench.tick()
        bench.drive(issue=0)
        if interval > 1:
            await bench.settle()
            bench.check("element", bench.read("element"), 0)
        await bench.ticks(last - bench.cycle)
        await bench.settle()
        bench.check("element", bench.read("element"), 1)
        bench.check("last", bench.read("last"), 1)
        await bench.tick()
        bench.check("element", bench.read("element"), 0)


@cocotb.test()
async def busy_until_the_cycle_after_the_last_element(dut: Any) -> None:
    bench = await Bench.start(dut)
    for count, interval in ((1, 9), (3, 1), (3, 4)):
        for early in range(1, (count - 1) * interval + 3):
            bench.drive(start=0, issue=1, count=count, interval=interval)
            await bench.tick()
            bench.drive(issue=0)
            await bench.ticks(early - 1)
            bench.drive(issue=1)
            await bench.settle()
            bench.check(f"busy {early} cycles later", bench.read("busy"), int(early <= (count - 1) * interval))
            bench.drive(issue=0, start=1)
            await bench.tick()
