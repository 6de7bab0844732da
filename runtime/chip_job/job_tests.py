"""Loads images through the host port and runs each, once per set of inputs.

A cocotb test module: `runtime.rtl_backend` starts it in the simulator's process.
"""

import os
import time
from pathlib import Path
from typing import Any

import cocotb
import numpy as np
from cocotb.utils import get_sim_time

from arch.config import Config
from arch.faults import Fault, FaultKind
from arch.host import Ctrl, Register, Status
from arch.image import Image
from arch.isa.instruction import OPCODE_BITS
from arch.isa.table import BY_MNEMONIC
from hdl.host.run_control import drain_cycles
from runtime.chip_job.exchange import read_job, write_results
from runtime.chip_job.host_bus import HostBus
from runtime.run import PERIOD, RunResult, Tensors

_POLL = 64
"""Cycles between two looks at STATUS once the predicted end has passed."""

_START = 2
"""Cycles from the one in which the host port takes the write of START to the first of the drain."""


@cocotb.test()
async def run_jobs(dut: Any) -> None:
    """Run the jobs in the folders of the folder that ``TAKT_JOBS`` names, in the order of their numbers."""
    bus: HostBus | None = None
    for folder in sorted(Path(os.environ["TAKT_JOBS"]).iterdir(), key=lambda folder: int(folder.name)):
        image, inputs = read_job(folder)
        if bus is None:
            bus = HostBus(dut, image.config)
            await bus.start()
            identity = await bus.register(Register.ID_LO, Register.ID_HI)
            assert identity == image.config.fingerprint, f"chip is {identity:016x}"
        results: list[RunResult] = []
        for tensors in inputs:
            if not results or results[-1].fault:
                await load(bus, image)
            elif fetches_text(image):
                await load_queues(bus, image)
            results.append(await run(bus, image, tensors))
            if results[-1].cycles > image.limit:
                # Nothing can be loaded into a machine that runs.
                break
        write_results(folder, results)


def fetches_text(image: Image) -> bool:
    """Return whether the program fetches text, which may take the places of the host's words."""
    opcodes = [np.asarray(words, np.uint64) & np.uint64((1 << OPCODE_BITS) - 1) for words in image.queues.values()]
    return any((found == BY_MNEMONIC["IFETCH"].opcode).any() for found in opcodes)


async def load_queues(bus: HostBus, image: Image) -> None:
    """Clear the machine, then write the program."""
    await bus.control(Ctrl.CLEAR)
    for queue, words in image.queues.items():
        await bus.push(queue, words)


async def load(bus: HostBus, image: Image) -> None:
    """Clear the machine, then write the program and its constants."""
    await load_queues(bus, image)
    await bus.write_mem(image.constant_slices, image.constant_addrs, image.constant_words)


async def run(bus: HostBus, image: Image, tensors: Tensors) -> RunResult:
    """Write the inputs, start, wait for the end, and read the outputs; none of a run beyond the image's limit."""
    for tensor in image.inputs:
        await bus.write_mem(tensor.slices, tensor.addrs, tensor.pack(tensors[tensor.name]))
    begin = time.perf_counter()
    began = cycle_0(image.config)
    await bus.control(Ctrl.START)
    await bus.wait(drain_cycles(image.config) + image.cycles)
    seconds = time.perf_counter() - begin
    patience = image.limit - image.cycles
    status = await bus.register(Register.STATUS)
    while status & Status.RUNNING:
        if patience <= 0:
            return RunResult({}, image.limit + 1, None, seconds)
        await bus.wait(_POLL)
        patience -= _POLL
        status = await bus.register(Register.STATUS)
    cycles = await bus.register(Register.CYCLES_LO, Register.CYCLES_HI)
    fault = None
    if status & Status.FAULT:
        kind = FaultKind(await bus.register(Register.FAULT_KIND))
        at = await bus.register(Register.FAULT_CYCLE_LO, Register.FAULT_CYCLE_HI)
        fault = Fault(at, await bus.register(Register.FAULT_UNIT), kind)
    else:
        assert status & Status.DONE, f"status is {status}, neither running nor done"
    outputs = {t.name: t.unpack(await bus.read_mem(t.slices, t.addrs)) for t in image.outputs}
    return RunResult(outputs, cycles, fault, seconds, began)


def cycle_0(config: Config) -> int:
    """Return the time in picoseconds at which cycle 0 begins, if START is written now, at a falling edge."""
    return int(get_sim_time("ps")) + PERIOD // 2 + (_START + drain_cycles(config)) * PERIOD
