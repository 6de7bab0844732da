"""Stream registers against an array of streams."""

from typing import Any

import cocotb
import numpy as np
import numpy.typing as npt

from arch.ecc import check_bits
from verif.bench import Bench, pack_lanes

Streams = npt.NDArray[np.int64]
"""Shape (direction, stream, lane)."""

SIDES = ("east", "west")


def coded(bench: Bench, vectors: npt.NDArray[np.int64]) -> int:
    """Return vectors as one number, each with its check bits if there is ECC."""
    ecc, lanes = bench.parameters["ecc_bits"], bench.parameters["lanes"]
    if not ecc:
        return pack_lanes(vectors, 8)
    packed, bits = 0, 8 * lanes
    for index, vector in enumerate(vectors.reshape(-1, lanes)):
        data = pack_lanes(vector, 8)
        packed |= (data | check_bits(data, bits) << bits) << index * (bits + ecc)
    return packed


def arriving(bench: Bench) -> Streams:
    """Return random vectors on every stream, and drive them."""
    streams = bench.rng.integers(0, 256, (2, bench.parameters["streams"], bench.parameters["lanes"]))
    for side, vectors in zip(SIDES, streams, strict=True):
        bench.drive(**{f"{side}_in": coded(bench, vectors)})
    return streams


def drivers(bench: Bench, expected: Streams, busy: float) -> None:
    """Let some of the drivers drive streams of their own, and put their data into `expected`."""
    taken: set[tuple[int, int]] = set()
    for number, width in enumerate(bench.parameters["drivers"]):
        direction, group = bench.random.randrange(2), bench.random.randrange(bench.parameters["streams"] // width)
        mask = bench.random.getrandbits(width) if bench.random.random() < busy else 0
        places = [(direction, group * width + index) for index in range(width) if mask >> index & 1]
        if taken.intersection(places):
            mask, places = 0, []
        taken.update(places)
        data = bench.rng.integers(0, 256, (width, bench.parameters["lanes"]))
        for direction_, stream in places:
            expected[direction_, stream] = data[stream % width]
        bench.drive(**{f"mask{number}": mask, f"direction{number}": direction, f"group{number}": group})
        bench.drive(**{f"data{number}": driver_data(bench, data)})


def driver_data(bench: Bench, vectors: npt.NDArray[np.int64]) -> int:
    """Return what a driver presents: without check bits, unless drivers bring their own."""
    return coded(bench, vectors) if bench.parameters["coded"] else pack_lanes(vectors, 8)


def check(bench: Bench, expected: Streams) -> None:
    """Compare all registers."""
    for side, vectors in zip(SIDES, expected, strict=True):
        if bench.parameters["ecc_bits"]:
            bench.check(f"{side}, check bits included", bench.read(f"{side}_out"), coded(bench, vectors))
        else:
            bench.check(f"{side} [stream, lane]", bench.lanes(f"{side}_out", 8).reshape(vectors.shape), vectors)


@cocotb.test()
async def streams_move_and_drivers_replace_them(dut: Any) -> None:
    bench = await Bench.start(dut)
    for busy in (0.0, 0.1, 0.5, 1.0):
        for _ in range(40):
            expected = arriving(bench)
            drivers(bench, expected, busy)
            await bench.tick()
            check(bench, expected)


@cocotb.test()
async def every_driver_reaches_every_stream(dut: Any) -> None:
    bench = await Bench.start(dut)
    for number, width in enumerate(bench.parameters["drivers"]):
        for direction in range(2):
            for group in range(bench.parameters["streams"] // width):
                expected = arriving(bench)
                data = bench.rng.integers(0, 256, (width, bench.parameters["lanes"]))
                expected[direction, group * width : (group + 1) * width] = data
                bench.drive(**{f"mask{number}": (1 << width) - 1, f"direction{number}": direction})
                bench.drive(**{f"group{number}": group, f"data{number}": driver_data(bench, data)})
                await bench.tick()
                check(bench, expected)
        bench.drive(**{f"mask{number}": 0})
