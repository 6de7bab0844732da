"""Shared modules, gated clock and Amaranth memory, in the simulator."""

from typing import Any

import cocotb

from verif.bench import Bench


@cocotb.test()
async def rows_agree_with_their_model(dut: Any) -> None:
    bench = await Bench.start(dut)
    chain = [0, 0, 0]
    words = [3, 1, 4, 1, 5] + 11 * [0]
    enabled = 0
    for _ in range(100):
        a, en = bench.random.randrange(256), bench.random.randrange(2)
        bench.drive(a=a, en=en)
        await bench.tick()
        if enabled:
            chain[2] = (chain[2] + chain[1]) % 256
        if en:
            chain[:2] = [(chain[0] + a) % 256, (chain[1] + chain[0]) % 256]
        enabled = en
        bench.check("word", bench.read("word"), words[a % 16])
        if en:
            words[a % 16] = a
        bench.check("q0", bench.read("q0"), chain[2])
        bench.check("q1", bench.read("q1"), chain[2])


@cocotb.test()
async def reset_clears(dut: Any) -> None:
    bench = await Bench.start(dut, en=1)
    assert bench.cycle == 0
    bench.check("q0", bench.read("q0"), 0)
