"""Flipped bits of all that a pair of planes reads, in the simulator."""

from typing import Any

import cocotb

from arch.config import Config
from arch.faults import FaultKind
from arch.formats import DType
from arch.isa.encoding import encode
from arch.timing import timing
from verif.ecc.read_flips import every_bit, operands, two_bits
from verif.mxm.pair_programs import VALUES, Planes, pair_preamble, random_pair_program
from verif.mxm.pair_tests import start_pair
from verif.mxm.programs import Program


def steady(config: Config, planes: Planes, dtype: DType, tiles: int) -> Program:
    """Return a program in which both planes load the weights of the next tile under the activations of the present one.

    Every result goes onto streams.
    """
    half, rows = dtype is DType.FP16, config.superlanes
    after = timing(config).acc_after_fp16_abc if half else timing(config).acc_after_abc
    interval = 2 if half else 1
    tile = rows * interval
    load = encode("LW", stream=0, count=rows)
    program: Program = {}
    for index, plane in enumerate(planes):
        program[plane.weights] = [(1 + number * tile, load) for number in range(tiles)]
        if half and index:
            continue
        stream = config.lanes + 2 * index
        abc = encode("ABC", stream=stream, count=rows, interval=interval, install=1, dtype=dtype)
        program[plane.activations] = [(1 + (1 + number) * tile, abc) for number in range(tiles)]
        fields = {"count": tiles * rows, "interval": interval, "stride": 1, "stream": 4 * index, "float": half}
        program[plane.results] = [(1 + tile + after, encode("ACC", emit=1, **fields))]
    return program


@cocotb.test()
async def every_flipped_bit(dut: Any) -> None:
    unit, config, planes = await start_pair(dut)
    tiles = -(-config.stream_bits // config.superlanes)
    for dtype in (DType.INT8, DType.FP16):
        program = steady(config, planes, dtype, tiles)
        flips = every_bit(config, program)
        assert await unit.run(program, alter=VALUES["finite"], flips=flips) is None, dtype
        assert len(unit.golden.corrected) == len(list(operands(config, program))) * config.superlanes


@cocotb.test()
async def two_flipped_bits_of_each_queue(dut: Any) -> None:
    unit, config, planes = await start_pair(dut)
    rng = unit.bench.random
    assert await unit.run(pair_preamble(config, planes), flips={}) is None
    for dtype in (DType.INT8, DType.FP16):
        program = steady(config, planes, dtype, 2)
        found = list(operands(config, program))
        for queue in {queue for queue, *_ in found}:
            elements = [element for element in found if element[0] == queue]
            words = range(len(elements[0][2]))
            for place in rng.sample(words, min(len(words), 3)):
                element = rng.choice(elements)
                flips, fault = two_bits(config, program, element, place, rng)
                assert await unit.run(program, alter=VALUES["finite"], flips=flips) == fault
                assert await unit.run(pair_preamble(config, planes), flips={}) is None


@cocotb.test()
async def two_flipped_bits_anywhere(dut: Any) -> None:
    """Only words that are read matter."""
    unit, config, planes = await start_pair(dut)
    assert await unit.run(pair_preamble(config, planes), flips={}) is None
    found = set()
    for _ in range(unit.bench.parameters["programs"] * 4):
        program = random_pair_program(config, planes, unit.bench.random, bursts=4)
        doubles = unit.bench.random.choice((0.0003, 0.001, 0.003))
        fault = await unit.run(program, alter=VALUES["finite"], doubles=doubles)
        found.add(fault and fault[2])
        assert await unit.run(pair_preamble(config, planes), flips={}) is None
    assert found == {None, FaultKind.UNCORRECTABLE}
