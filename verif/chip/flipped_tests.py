"""Runs jobs with flipped bits through the host port, in the simulator."""

import json
import os
from pathlib import Path
from typing import Any

import cocotb

from arch.host import FLIPS, Register, mem_address
from runtime.chip_job.exchange import read_job, write_results
from runtime.chip_job.host_bus import HostBus
from runtime.chip_job.job_tests import load, run


@cocotb.test()
async def run_flipped_jobs(dut: Any) -> None:
    """Load every job, flip its bits, see that the host reads the words as they were, run it, read the registers."""
    bus: HostBus | None = None
    for folder in sorted(Path(os.environ["TAKT_JOBS"]).iterdir(), key=lambda folder: int(folder.name)):
        image, (inputs,) = read_job(folder)
        if bus is None:
            bus = HostBus(dut, image.config)
            await bus.start()
        await load(bus, image)
        await flip(bus, json.loads((folder / "flips.json").read_text()))
        write_results(folder, [await run(bus, image, inputs)])
        registers = (
            await bus.register(Register.ECC_COUNT),
            await bus.register(Register.ECC_UNIT),
            await bus.register(Register.ECC_CYCLE_LO, Register.ECC_CYCLE_HI),
        )
        (folder / "ecc.json").write_text(json.dumps(registers))


async def flip(bus: HostBus, flips: list[tuple[int, int, int, int]]) -> None:
    """Write words anew with flipped bits; corrections by the host's reads count nowhere."""
    places = [mem_address(slice_, superlane, addr) for slice_, addr, superlane, _ in flips]
    words = await bus.read(places) if places else []
    beats: list[tuple[int, int]] = []
    for (_, _, _, mask), place, word in zip(flips, places, words, strict=True):
        beats += [(register, mask >> 32 * index & 0xFFFF_FFFF) for index, register in enumerate(FLIPS)]
        beats.append((place, word))
    await bus.write([*beats, *((register, 0) for register in FLIPS)])
    single = [number for number, (_, _, _, mask) in enumerate(flips) if mask.bit_count() == 1]
    if single:
        seen = await bus.read([places[number] for number in single])
        assert seen == [words[number] for number in single], "the host reads corrected words"
    assert await bus.register(Register.ECC_COUNT) == 0
