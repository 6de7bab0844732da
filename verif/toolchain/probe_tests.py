"""A signal deep inside the design, read through a probe."""

from typing import Any

import cocotb

from verif.bench import Bench


@cocotb.test()
async def a_probe_is_readable(dut: Any) -> None:
    bench = await Bench.start(dut, a=3, en=1)
    await bench.ticks(5)
    bench.check("probe", bench.read("row0.cell0.q"), 15)
    bench.check("probe", bench.read("row1.cell0.q"), 15)
