"""ECC on the whole chip: RTL and golden machine correct, count and report the same."""

import dataclasses
import random
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest

from arch.config import Config
from arch.faults import FaultKind
from arch.image import Image
from arch.presets import preset
from compiler.program import Program
from verif.bench import default_seed
from verif.bits import same_bits
from verif.chip.consumers import Consumption, consumptions
from verif.chip.flipped_runs import Flip, FlippedRun, Outcome, run_on_both
from verif.chip.random_program import RandomProgram
from verif.compiler.timetables import verified

CUT = preset("nano", ["planes=2", "alu_rows=1", "ecc=true"])
"""What every test run can afford to build; the long tests have whole machines."""

NANO = preset("nano", ["ecc=true"])
SMALL = preset("small", ["ecc=true"])
SLOW = preset(
    "nano", ["lanes=8", "mem_slices=12", "superlanes=3", "sram_latency=2", "alu_cols=2", "planes=2", "ecc=true"]
)


def check(
    config: Config, runs: Sequence[FlippedRun], simulator: str = "verilator", *, anew: bool = True
) -> list[Outcome]:
    """Run on both, compare verdicts, ECC registers and outputs; return the outcomes."""
    outcomes = []
    for run, (rtl, golden) in zip(runs, run_on_both(config, runs, simulator, anew=anew), strict=True):
        assert (rtl.verdict, rtl.ecc) == (golden.verdict, golden.ecc), run.name
        # What a machine holds after a fault is not defined, nor what the host reads where two bits are flipped.
        if isinstance(golden.verdict, int) and all(mask.bit_count() == 1 for *_, mask in run.flips):
            for name, expected in golden.outputs.items():
                same_bits(rtl.outputs[name], expected, f"{run.name}: {name}")
        outcomes.append(rtl)
    return outcomes


def walks(config: Config, consumption: Consumption) -> Iterator[tuple[FlippedRun, int]]:
    """Yield runs with every bit of an operand flipped, each in a word of its own, and the corrections due."""
    bits, operands = range(config.stream_bits), consumption.operands
    # Words of many operands are alike to their consumer, and share a walk.
    groups = [operands] if len(operands) > 3 else [(operand,) for operand in operands]
    for group in groups:
        flips = [(group[bit % len(group)], bit, bit % config.superlanes, 1 << bit) for bit in bits]
        reads = consumption.reads[operands.index(group[0])]
        name = f"{consumption.name}, {len(bits)} bits of the words of slices {group}"
        yield FlippedRun(name, consumption.image, flips), reads * len(bits)


def check_walks(config: Config, simulator: str = "verilator") -> None:
    """Flip every bit of every operand of every consumer: nothing changes but the ECC registers."""
    found = list(consumptions(config, config.stream_bits, np.random.default_rng(default_seed(__name__))))
    clean = [FlippedRun(each.name, each.image) for each in found]
    flipped = [(each, *walk) for each in found for walk in walks(config, each)]
    outcomes = check(config, [*clean, *(run for _, run, _ in flipped)], simulator)
    for run, outcome in zip(clean, outcomes, strict=False):
        assert isinstance(outcome.verdict, int), run.name
        assert outcome.verdict == verified(run.image), run.name
        assert outcome.ecc == (0, 0, 0), run.name
    expected = {run.name: outcome for run, outcome in zip(clean, outcomes, strict=False)}
    for (each, run, due), outcome in zip(flipped, outcomes[len(clean) :], strict=True):
        assert outcome.verdict == expected[each.name].verdict, run.name
        assert outcome.ecc[:2] == (due, each.queue), run.name
        for name, tensor in expected[each.name].outputs.items():
            same_bits(outcome.outputs[name], tensor, f"{run.name}: {name}")


def check_doubles(config: Config, count: int) -> None:
    """Flip two bits of a word that is consumed, `count` times."""
    seed = default_seed(__name__)
    rng = random.Random(seed)
    found = list(consumptions(config, 4, np.random.default_rng(seed)))
    runs, queues = [], []
    for number in range(count):
        each = rng.choice(found)
        mask = sum(1 << bit for bit in rng.sample(range(config.stream_bits), 2))
        flip = rng.choice(each.operands), rng.randrange(4), rng.randrange(config.superlanes), mask
        runs.append(FlippedRun(f"double {number} of seed {seed}: {each.name}, {flip}", each.image, [flip]))
        queues.append(each.queue)
    # These programs depend on nothing that an earlier one leaves behind.
    for run, queue, outcome in zip(runs, queues, check(config, runs, anew=False), strict=True):
        assert isinstance(outcome.verdict, tuple), run.name
        assert outcome.verdict[1:] == (queue, FaultKind.UNCORRECTABLE), run.name


def some_flips(run_image: Image, rng: random.Random, share: float, bits: int = 1) -> list[Flip]:
    """Return flips in a share of the constants' words."""
    config = run_image.config
    places = zip(run_image.constant_slices.tolist(), run_image.constant_addrs.tolist(), strict=True)
    return [
        (slice_, addr, superlane, sum(1 << bit for bit in rng.sample(range(config.stream_bits), bits)))
        for slice_, addr in places
        for superlane in range(config.superlanes)
        if rng.random() < share
    ]


def with_clean_memory(program: Image) -> Image:
    """Return the image with zeros in all words that its output shows, so that it does not depend on earlier runs."""
    (mem,) = program.outputs
    given = set(zip(program.constant_slices.tolist(), program.constant_addrs.tolist(), strict=True))
    others = [place for place in zip(mem.slices.tolist(), mem.addrs.tolist(), strict=True) if place not in given]
    slices, addrs = np.array(others, np.int32).T
    zeros = np.zeros((len(others), program.config.vector_length), np.uint8)
    return dataclasses.replace(
        program,
        constant_slices=np.concatenate([program.constant_slices, slices]),
        constant_addrs=np.concatenate([program.constant_addrs, addrs]),
        constant_words=np.concatenate([program.constant_words, zeros]),
    )


def random_runs(config: Config, count: int) -> list[FlippedRun]:
    """Return random programs with single flips, then with double ones, and illegal programs with single ones."""
    seed = default_seed(__name__)
    rng = random.Random(seed)
    runs, faulty = [], []
    for number in range(count):
        program = RandomProgram(config, seed + number)
        program.grow(60)
        name, found = f"program of seed {seed + number}", with_clean_memory(program.image())
        runs.append(FlippedRun(name, found, some_flips(found, rng, 0.2)))
        doubles = some_flips(found, rng, 0.03, bits=2)
        taken = {flip[:3] for flip in doubles}
        singles = [flip for flip in some_flips(found, rng, 0.1) if flip[:3] not in taken]
        faulty.append(FlippedRun(f"{name}, double flips", found, [*doubles, *singles]))
        spoilt = with_clean_memory(program.image(spoilt=True))
        faulty.append(FlippedRun(f"{name}, spoilt", spoilt, some_flips(spoilt, rng, 0.2)))
    return [*runs, *faulty]


def product_runs(config: Config) -> list[FlippedRun]:
    """Return products without and with flipped bits in weights, biases and scales, in turn."""
    rng, flips = np.random.default_rng(default_seed(__name__)), random.Random(default_seed(__name__))
    runs = []
    for m, k, n in ((5, 11, 9), (9, 8, 7), (3, 16, 15)):
        a, b = rng.integers(-128, 128, (m, k), np.int8), rng.integers(-128, 128, (k, n), np.int8)
        program = Program(config, name=f"{m}x{k}x{n}")
        finish: dict[str, Any] = {}
        if config.alus > 8:
            scale = (rng.random(n) / 160).astype(np.float32)
            finish = {"bias": rng.integers(-9000, 9000, n, np.int32), "scale": scale, "relu": True}
        program.output("y", program.matmul(program.input("a", (m, k)), b, **finish))
        product = program.compile()
        for share in (0, 0.5):
            name = f"{m}x{k}x{n}, {share} of the constants flipped"
            runs.append(FlippedRun(name, product, some_flips(product, flips, share), {"a": a}))
    return runs


def check_products(config: Config, simulator: str = "verilator") -> None:
    """Multiply by flipped weights as by right ones."""
    runs = product_runs(config)
    outcomes = check(config, runs, simulator)
    for run, clean, flipped in zip(runs[1::2], outcomes[::2], outcomes[1::2], strict=True):
        assert clean.verdict == flipped.verdict == run.image.cycles, run.name
        assert clean.ecc[0] == 0 < flipped.ecc[0], run.name
        same_bits(clean.outputs["y"], flipped.outputs["y"], run.name)


def check_random_programs(config: Config, count: int) -> None:
    """Run programs with single and double flips, legal and illegal ones."""
    runs = random_runs(config, count)
    outcomes = check(config, runs)
    for run, outcome in zip(runs[:count], outcomes, strict=False):
        assert outcome.verdict == verified(run.image), run.name
    assert sum(outcome.ecc[0] > 0 for outcome in outcomes) > count
    faults = [outcome.verdict[2] for outcome in outcomes if isinstance(outcome.verdict, tuple)]
    assert len(set(faults)) > 1
    assert faults.count(FaultKind.UNCORRECTABLE) > 1


@pytest.mark.long
def test_every_bit() -> None:
    """Every bit of every operand of every consumer is flipped once: results stay, and the registers are right."""
    check_walks(CUT)


def test_double_flips() -> None:
    """Two flipped bits stop the run at the consumer, in the cycle of its read."""
    check_doubles(CUT, 60)


def test_products() -> None:
    """Compiled products give the same bits and cycles with flipped weights as with whole ones."""
    check_products(CUT)


def test_random_programs() -> None:
    """Random legal and illegal programs with single and double flips: verdicts and ECC registers agree."""
    check_random_programs(CUT, 6)


@pytest.mark.long
@pytest.mark.parametrize("config", [NANO, SMALL, SLOW], ids=["nano", "small", "slow"])
def test_whole_machines(config: Config) -> None:
    """All 137 bits of a code word of `small`, and a thousand pairs of them, among others."""
    check_walks(config)
    check_doubles(config, 1000)
    check_products(config)


@pytest.mark.long
@pytest.mark.parametrize("config", [NANO, SLOW], ids=["nano", "slow"])
def test_many_random_programs(config: Config) -> None:
    check_random_programs(config, 60)


@pytest.mark.long
def test_in_icarus() -> None:
    """The second simulator agrees on products and random programs with flipped bits."""
    check_products(NANO, "icarus")
    # Legal ones only: they come first, and every fault would cost a simulation of its own.
    check(NANO, random_runs(NANO, 4)[:4], "icarus")
