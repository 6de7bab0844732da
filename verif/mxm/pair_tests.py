"""A pair of planes with its controllers against the golden machine, in the simulator."""

from typing import Any

import cocotb
import numpy as np

from arch.config import Config
from arch.faults import FaultKind
from arch.formats import DType
from arch.geometry import Direction, Hemisphere
from arch.isa.encoding import encode
from arch.timing import timing
from verif.bench import Bench
from verif.mxm.pair_programs import VALUES, Planes, pair_preamble, random_pair_program
from verif.mxm.programs import broken, plane_queues
from verif.position_bench import PositionBench
from verif.superlanes import limit_superlanes

FP16 = DType.FP16


async def start_pair(dut: Any) -> tuple[PositionBench, Config, Planes]:
    """Return the started bench, its machine, and the queues of both planes."""
    bench = await Bench.start(dut)
    config = Config.from_dict(bench.parameters["config"])
    hemisphere = Hemisphere(bench.parameters["hemisphere"])
    planes = plane_queues(config, hemisphere, plane=0), plane_queues(config, hemisphere, plane=1)
    outward = Direction.WEST if hemisphere is Hemisphere.WEST else Direction.EAST
    queues = {
        getattr(plane, name): f"{name}__{index}"
        for index, plane in enumerate(planes)
        for name in ("weights", "activations", "results")
    }
    drivers = {"driver__0": 4, "driver__1": 4}
    return PositionBench(bench, config, queues=queues, inputs={outward: "streams"}, drivers=drivers), config, planes


@cocotb.test()
async def random_programs(dut: Any) -> None:
    unit, config, planes = await start_pair(dut)
    for _ in range(unit.bench.parameters["programs"]):
        for values in VALUES.values():
            program = random_pair_program(config, planes, unit.bench.random, bursts=9)
            program = limit_superlanes(config, unit.bench.random, program)
            assert await unit.run(program, alter=values) is None


@cocotb.test()
async def broken_programs_raise_the_same_fault(dut: Any) -> None:
    unit, config, planes = await start_pair(dut)
    faults = 0
    for _ in range(2 * unit.bench.parameters["programs"]):
        assert await unit.run(pair_preamble(config, planes)) is None
        program = random_pair_program(config, planes, unit.bench.random, bursts=5)
        faults += await unit.run(broken(program, unit.bench.random)) is not None
    assert faults


@cocotb.test()
async def a_new_fp16_weight_tile_costs_no_cycle(dut: Any) -> None:
    """Both planes load the next weights under the bursts of the present ones, one after the other on one group."""
    unit, config, (first, second) = await start_pair(dut)
    rows, after = config.superlanes, timing(config).acc_after_fp16_abc
    burst, tiles = max(rows, 2), 5
    load = encode("LW", stream=0, count=rows)
    abc = encode("ABC", stream=4, count=burst, interval=2, install=1, dtype=FP16)
    acc = encode("ACC", count=tiles * burst, interval=2, stride=1, emit=1, stream=4, float=1)
    program = {
        first.weights: [(1 + 2 * burst * k, load) for k in range(tiles)],
        second.weights: [(1 + 2 * burst * k + rows, load) for k in range(tiles)],
        first.activations: [(1 + 2 * burst * (k + 1), abc) for k in range(tiles)],
        first.results: [(1 + 2 * burst + after, acc)],
    }
    assert await unit.run(program, alter=VALUES["finite"]) is None


@cocotb.test()
async def superlanes_that_are_off_keep_their_fp16_weights(dut: Any) -> None:
    """Install in all superlanes, then in superlanes 0 .. n - 1 only, then multiply with all."""
    unit, config, planes = await start_pair(dut)
    rows, after = config.superlanes, timing(config).acc_after_fp16_abc
    load = encode("LW", stream=0, count=rows)
    install, use = (encode("ABC", stream=4, count=1, interval=2, install=i, dtype=FP16) for i in (1, 0))
    acc = encode("ACC", count=1, interval=2, emit=1, stream=4, float=1)
    for superlanes in range(1, rows):
        program = {plane.weights: [(1, load), (30, load)] for plane in planes}
        program[planes[0].activations] = [
            (10, install),
            (39, encode("CONFIG", superlanes=superlanes)),
            (40, install),
            (50, encode("CONFIG", superlanes=rows)),
            (60, use),
        ]
        program[planes[0].results] = [(cycle + after, acc) for cycle in (10, 40, 60)]
        assert await unit.run(program, alter=VALUES["finite"]) is None


@cocotb.test()
async def sums_of_one_address_see_each_other(dut: Any) -> None:
    """fp32 sums over passes; and an int32 sum right after an fp32 one and before one, of the very same bits."""
    unit, config, planes = await start_pair(dut)
    first, second = planes
    assert await unit.run(pair_preamble(config, planes)) is None
    times = timing(config)
    half, whole = times.acc_after_fp16_abc, times.acc_after_abc
    start = 2 + config.superlanes
    # Results of the two formats in neighbouring cycles.
    int8 = start + 40
    program = {
        first.weights: [(1, encode("LW", stream=0, count=config.superlanes))],
        second.weights: [(1, encode("LW", stream=0, count=config.superlanes))],
        first.activations: [
            (start, encode("ABC", stream=2, count=9, interval=2, install=1, dtype=FP16)),
            (int8 - 1 - half + whole - 6, encode("ABC", stream=2, count=4, interval=2, dtype=FP16)),
            (int8, encode("ABC", stream=2, count=1, interval=1, install=1)),
            (int8 + 2 + half - whole + 9, encode("ABC", stream=2, count=2, interval=1)),
        ],
        first.results: [
            (start + half, encode("ACC", addr=2, count=1, interval=2, emit=1, float=1)),
            (start + half + 2, encode("ACC", addr=2, count=8, interval=2, add=1, emit=1, float=1)),
            (int8 - 7 + whole, encode("ACC", addr=2, count=4, interval=2, add=1, emit=1, float=1)),
            (int8 + whole, encode("ACC", addr=2, count=1, interval=1, add=1, emit=1)),
            (int8 + 2 + half + 9, encode("ACC", addr=2, count=2, interval=1, add=1, emit=1)),
        ],
    }
    for values in ("near", "finite", "any"):
        assert await unit.run(program, alter=VALUES[values]) is None
    # An int32 sum changes low bits of an fp32 one, which the next fp32 sum needs.
    fp16 = start + 20
    reverse = {
        **program,
        first.activations: [
            (start, encode("ABC", stream=2, count=1, interval=2, install=1, dtype=FP16)),
            (fp16, encode("ABC", stream=2, count=1, interval=2, install=1, dtype=FP16)),
            (fp16 + half - whole - 1, encode("ABC", stream=2, count=1, interval=1, install=1)),
        ],
        first.results: [
            (start + half, encode("ACC", addr=3, count=1, interval=2, float=1)),
            (fp16 + half - 1, encode("ACC", addr=3, count=1, interval=1, add=1)),
            (fp16 + half, encode("ACC", addr=3, count=1, interval=2, add=1, emit=1, float=1)),
        ],
    }
    for values in ("near", "finite"):
        assert await unit.run(reverse, alter=VALUES[values]) is None


@cocotb.test()
async def the_largest_sums_are_exact(dut: Any) -> None:
    """65504 and -65504 everywhere: the largest products, dot products and partial sums."""
    unit, config, (first, second) = await start_pair(dut)
    after = timing(config).acc_after_fp16_abc
    load = encode("LW", stream=0, count=config.superlanes)
    start = 2 + config.superlanes
    program = {
        first.weights: [(1, load)],
        second.weights: [(1, encode("LW", stream=config.lanes, count=config.superlanes))],
        first.activations: [(start, encode("ABC", stream=2, count=6, interval=2, install=1, dtype=FP16))],
        first.results: [(start + after, encode("ACC", count=6, interval=2, emit=1, float=1))],
    }

    def largest(vectors: np.ndarray[Any, Any], rng: np.random.Generator) -> None:
        vectors[:] = 0xFF
        signs = rng.choice(np.array([0x7B, 0xFB], np.uint8), (*vectors.shape[:-1], 1))
        vectors[:start, :, config.lanes : 2 * config.lanes] = signs[:start, :, config.lanes : 2 * config.lanes]
        vectors[start:, :, 3] = signs[start:, :, 3]

    assert await unit.run(program, alter=largest) is None


@cocotb.test()
async def faults_name_unit_and_cycle(dut: Any) -> None:
    unit, config, (first, second) = await start_pair(dut)
    times = timing(config)
    half, whole, rows = times.acc_after_fp16_abc, times.acc_after_abc, config.superlanes
    fp16 = encode("ABC", stream=2, count=2, interval=3, dtype=FP16)
    abc = encode("ABC", stream=1, count=4, interval=1)
    take, take_int8 = encode("ACC", count=2, interval=3, float=1), encode("ACC", count=4, interval=1)
    wrong = encode("ACC", count=2, interval=3)
    zero, one, results = first.activations, second.activations, first.results
    taken = {results: [(20 + half, take)], second.results: []}
    # The fp16 burst that issues at 20 has the arrays up to 24.
    cases: list[tuple[dict[int, list[tuple[int, int]]], tuple[int, int, FaultKind] | None]] = [
        ({zero: [(20, fp16)], **taken}, None),
        ({zero: [(20, fp16)], results: []}, (20 + half + 1, results, FaultKind.OPERAND_MISSED)),
        ({zero: [(20, fp16)], results: [(20 + half, wrong)]}, (20 + half + 1, results, FaultKind.OPERAND_MISSED)),
        ({zero: [(20, abc)], results: [(20 + whole, take)]}, (20 + whole + 1, results, FaultKind.OPERAND_MISSED)),
        ({zero: [(20, fp16), (24, abc)], **taken}, (24, zero, FaultKind.BUSY)),
        ({zero: [(20, fp16)], one: [(20, abc)], **taken}, (20, zero, FaultKind.BUSY)),
        ({zero: [(20, fp16)], one: [(21, abc)], **taken}, (21, one, FaultKind.BUSY)),
        ({zero: [(20, fp16)], one: [(24, abc)], **taken}, (24, one, FaultKind.BUSY)),
        ({zero: [(20, fp16)], one: [(17, abc)], **taken, second.results: [(17 + whole, take_int8)]},
         (20, zero, FaultKind.BUSY)),
        ({zero: [(20, fp16)], one: [(16, abc)], **taken, second.results: [(16 + whole, take_int8)]}, None),
        ({zero: [(20, fp16)], one: [(25, abc)], **taken, second.results: [(25 + whole, take_int8)]}, None),
        ({one: [(20, abc)], second.results: [(20 + whole, take)]},
         (20 + whole + 1, second.results, FaultKind.OPERAND_MISSED)),
    ]  # fmt: skip
    if rows > 1:
        load = encode("LW", stream=0, count=rows)
        installing = encode("ABC", stream=2, count=2, interval=3, install=1, dtype=FP16)
        for plane in (first, second):
            for late in (0, 1):
                fault = None if late else (20 + rows, zero, FaultKind.OPERAND_MISSED)
                issue = 20 + rows - 1 + late
                program = {plane.weights: [(20, load)], zero: [(issue, installing)], results: [(issue + half, take)]}
                cases.append((program, fault))
    for program, fault in cases:
        assert await unit.run(program) == fault
        assert await unit.run(pair_preamble(config, (first, second))) is None
