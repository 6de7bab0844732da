"""The hand-written SRAM, in the simulator."""

from typing import Any

import cocotb

from verif.bench import Bench


@cocotb.test()
async def random_accesses_agree_with_the_model(dut: Any) -> None:
    bench = await Bench.start(dut)
    width, depth, latency = (bench.parameters[name] for name in ("width", "depth", "latency"))
    words = [0] * depth
    array_output = shown = 0
    read_before = False
    for _ in range(300):
        en, we, addr = bench.random.randrange(2), bench.random.randrange(2), bench.random.randrange(depth)
        data = bench.random.getrandbits(width)
        bench.drive(en=en, we=we, addr=addr, wdata=data)
        await bench.tick()
        if read_before:
            shown = array_output
        read_before = bool(en and not we)
        if read_before:
            array_output = words[addr]
        elif en:
            words[addr] = data
        bench.check("rdata", bench.read("rdata"), array_output if latency == 1 else shown)
