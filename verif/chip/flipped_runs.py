"""Programs on the chip's RTL and on the golden machine, with flipped bits in MEM."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from arch.config import Config
from arch.faults import FaultError
from arch.image import Image
from golden.machine.machine import Machine
from runtime.chip_job.exchange import read_results, write_job
from runtime.rtl_backend import build_chip
from runtime.run import Tensors
from runtime.simulator import Built
from runtime.simulator.scratch import scratch_folder

__all__ = ["Flip", "FlippedRun", "Outcome", "run_on_both"]

Flip = tuple[int, int, int, int]
"""Slice, address, superlane, and a mask over the bits of the code word there."""


@dataclass(frozen=True)
class FlippedRun:
    """A program, the bits that are flipped once it is loaded, and its inputs."""

    name: str
    image: Image
    flips: Sequence[Flip] = ()
    inputs: Tensors = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """What the host sees after a run.

    Attributes
    ----------
    verdict : int or tuple
        Cycles, or key of the fault.
    ecc : tuple of int
        ECC_COUNT, ECC_UNIT and ECC_CYCLE.
    outputs : dict of str to ndarray
        Of the image.
    """

    verdict: int | tuple[int, int, int]
    ecc: tuple[int, int, int]
    outputs: dict[str, np.ndarray]


def run_on_both(
    config: Config, runs: Sequence[FlippedRun], simulator: str, *, anew: bool = True
) -> list[tuple[Outcome, Outcome]]:
    """Run one after the other on the RTL and on the golden machine; return outcomes of RTL and golden.

    Parameters
    ----------
    config, runs, simulator
    anew
        Power up both machines anew after each fault, since what they hold then is not defined: a simulation of its own
        for every fault. Needed unless nothing that is looked at depends on it.
    """
    machine = Machine(config)
    golden: list[Outcome] = []
    sessions: list[list[FlippedRun]] = [[]]
    for run in runs:
        golden.append(_golden(machine, run))
        sessions[-1].append(run)
        if anew and not isinstance(golden[-1].verdict, int):
            machine = Machine(config)
            sessions.append([])
    built = build_chip(config, simulator)
    rtl = [outcome for session in sessions if session for outcome in _simulate(built, session)]
    return list(zip(rtl, golden, strict=True))


def _simulate(built: Built, runs: Sequence[FlippedRun]) -> list[Outcome]:
    """Run in one simulation."""
    with scratch_folder("flips") as scratch:
        folders = [scratch / str(number) for number in range(len(runs))]
        for folder, run in zip(folders, runs, strict=True):
            write_job(folder, run.image, [run.inputs])
            (folder / "flips.json").write_text(json.dumps([[int(number) for number in flip] for flip in run.flips]))
        built.run("verif.chip.flipped_tests", env={"TAKT_JOBS": str(scratch)})
        found = []
        for folder, run in zip(folders, runs, strict=True):
            (result,) = read_results(folder, run.image)
            verdict = result.fault.key if result.fault else result.cycles
            count, unit, cycle = json.loads((folder / "ecc.json").read_text())
            found.append(Outcome(verdict, (count, unit, cycle), result.outputs))
    return found


def _golden(machine: Machine, run: FlippedRun) -> Outcome:
    verdict: int | tuple[int, int, int]
    try:
        machine.load(run.image)
        for slice_, addr, superlane, mask in run.flips:
            for bit in range(mask.bit_length()):
                if mask >> bit & 1:
                    machine.flip(slice_, addr, superlane, bit)
        for tensor in run.image.inputs:
            machine.write(tensor.slices, tensor.addrs, tensor.pack(run.inputs[tensor.name]))
        verdict = machine.run()
    except FaultError as error:
        verdict = error.fault.key
    outputs = {tensor.name: tensor.unpack(machine.read(tensor.slices, tensor.addrs)) for tensor in run.image.outputs}
    return Outcome(verdict, (machine.ecc.count, machine.ecc.unit, machine.ecc.cycle), outputs)
