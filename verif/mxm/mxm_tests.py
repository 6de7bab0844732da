"""One plane with its controllers against the golden machine, in the simulator."""

from typing import Any

import cocotb

from arch.config import Config
from arch.faults import FaultKind
from arch.geometry import Direction, Hemisphere
from arch.isa.encoding import encode
from arch.timing import timing
from verif.bench import Bench
from verif.mxm.programs import PlaneQueues, broken, plane_queues, preamble, random_program
from verif.position_bench import PositionBench
from verif.superlanes import limit_superlanes


async def _start(dut: Any) -> tuple[PositionBench, Config, PlaneQueues]:
    bench = await Bench.start(dut)
    config = Config.from_dict(bench.parameters["config"])
    hemisphere = Hemisphere(bench.parameters["hemisphere"])
    queues = plane_queues(config, hemisphere, plane=0)
    outward = Direction.WEST if hemisphere is Hemisphere.WEST else Direction.EAST
    unit = PositionBench(
        bench,
        config,
        queues={queues.weights: "weights", queues.activations: "activations", queues.results: "results"},
        inputs={outward: "streams"},
        drivers={"driver": 4},
    )
    return unit, config, queues


@cocotb.test()
async def random_programs(dut: Any) -> None:
    unit, config, queues = await _start(dut)
    for _ in range(unit.bench.parameters["programs"]):
        program = random_program(config, queues, unit.bench.random, bursts=12)
        assert await unit.run(limit_superlanes(config, unit.bench.random, program)) is None


@cocotb.test()
async def broken_programs_raise_the_same_fault(dut: Any) -> None:
    unit, config, queues = await _start(dut)
    faults = 0
    for _ in range(unit.bench.parameters["programs"]):
        assert await unit.run(preamble(config, queues)) is None
        program = random_program(config, queues, unit.bench.random, bursts=5)
        faults += await unit.run(broken(program, unit.bench.random)) is not None
    assert faults


@cocotb.test()
async def a_new_weight_tile_costs_no_cycle(dut: Any) -> None:
    """Loads of the next weights run under the bursts of the present ones; the next load issues with the install."""
    unit, config, queues = await _start(dut)
    rows, after = config.superlanes, timing(config).acc_after_abc
    burst = max(rows, 3)
    tiles = range(6)
    program = {
        queues.weights: [(1 + k * burst, encode("LW", stream=0, count=rows)) for k in tiles],
        queues.activations: [
            (1 + (k + 1) * burst, encode("ABC", stream=k, count=burst, interval=1, install=1)) for k in tiles
        ],
        queues.results: [
            (1 + burst + after, encode("ACC", count=len(tiles) * burst, interval=1, stride=1, emit=1, stream=4))
        ],
    }
    assert await unit.run(program) is None


@cocotb.test()
async def a_short_load_keeps_the_far_column_blocks(dut: Any) -> None:
    unit, config, queues = await _start(dut)
    rows, after = config.superlanes, timing(config).acc_after_abc
    cycle = 1
    program: dict[int, list[tuple[int, int]]] = {
        queue: [] for queue in (queues.weights, queues.activations, queues.results)
    }
    for count in (rows, *range(1, rows + 1)):
        program[queues.weights].append((cycle, encode("LW", stream=0, count=count)))
        # As early as it is allowed, and once more after all has come to rest.
        for issue, install in ((cycle + count, 1), (cycle + count + 3 * rows + 4, 0)):
            program[queues.activations].append((issue, encode("ABC", stream=2, count=1, interval=1, install=install)))
            program[queues.results].append((issue + after, encode("ACC", count=1, interval=1, emit=1)))
        cycle += count + 3 * rows + 5
    assert await unit.run(program) is None


@cocotb.test()
async def superlanes_that_are_off_keep_their_weights(dut: Any) -> None:
    """Load and install all, then load and install in superlanes 0 .. n - 1 only, then multiply with all."""
    unit, config, queues = await _start(dut)
    rows, after = config.superlanes, timing(config).acc_after_abc
    load = encode("LW", stream=0, count=rows)
    install, use = (encode("ABC", stream=2, count=1, interval=1, install=install) for install in (1, 0))
    acc = encode("ACC", count=1, interval=1, emit=1)
    everywhere = encode("CONFIG", superlanes=rows)
    for limited in (queues.weights, queues.activations, queues.results):
        for superlanes in range(1, rows):
            some = encode("CONFIG", superlanes=superlanes)
            program = {
                queues.weights: [(1, load), (20, load)],
                queues.activations: [(1 + rows, install), (20 + rows, install), (40, use)],
                queues.results: [(cycle + after, acc) for cycle in (1 + rows, 20 + rows, 40)],
            }
            words = program[limited]
            program[limited] = sorted([*words, (words[1][0] - 1, some), (words[1][0] + 1, everywhere)])
            assert await unit.run(program) is None


@cocotb.test()
async def sums_of_one_address_see_each_other(dut: Any) -> None:
    unit, config, queues = await _start(dut)
    after = timing(config).acc_after_abc
    for interval in (1, 2, 3):
        program = {
            queues.weights: [(1, encode("LW", stream=0, count=config.superlanes))],
            queues.activations: [(9, encode("ABC", stream=3, count=9, interval=interval, install=1))],
            queues.results: [
                (9 + after, encode("ACC", addr=2, count=1, interval=interval, emit=1)),
                (9 + after + interval, encode("ACC", addr=2, count=8, interval=interval, add=1, emit=1)),
            ],
        }
        assert await unit.run(program) is None


@cocotb.test()
async def the_largest_sums_wrap(dut: Any) -> None:
    """-128 everywhere: the largest product, dot product and partial sum, added up past 2**31 where that is quick."""
    unit, config, queues = await _start(dut)
    after = timing(config).acc_after_abc
    until_wrap = (1 << 31) // (config.vector_length << 14)
    total = until_wrap + 2 if until_wrap < 1 << 13 else 20
    program = {
        queues.weights: [(1, encode("LW", stream=0, count=config.superlanes))],
        queues.activations: [
            (9, encode("ABC", stream=0, count=1, interval=1, install=1)),
            (10, encode("ABC", stream=0, count=total - 1, interval=1)),
        ],
        queues.results: [
            (9 + after, encode("ACC", count=1, interval=1, emit=1)),
            (10 + after, encode("ACC", count=total - 5, interval=1, add=1)),
            (5 + total + after, encode("ACC", count=4, interval=1, add=1, emit=1)),
        ],
    }
    assert await unit.run(program, low=-128, high=-128) is None
    if total > until_wrap:
        plane = unit.bench.parameters["hemisphere"] * config.planes_per_hemisphere
        assert (unit.golden.accumulators(plane)[0] < 0).all()


@cocotb.test()
async def faults_name_unit_and_cycle(dut: Any) -> None:
    unit, config, queues = await _start(dut)
    rows, after = config.superlanes, timing(config).acc_after_abc
    abc = encode("ABC", stream=1, count=3, interval=2)
    installing = encode("ABC", stream=1, count=1, interval=1, install=1)
    acc = encode("ACC", count=3, interval=2, emit=1)
    weights, activations, results = queues.weights, queues.activations, queues.results
    # Element of the activations burst that issues at 20 and has no taker, and the other way round.
    cases = [
        ({activations: [(20, abc)], results: []}, (20 + after + 1, results, FaultKind.OPERAND_MISSED)),
        ({activations: [], results: [(30, acc)]}, (31, results, FaultKind.OPERAND_MISSED)),
        ({activations: [(20, abc)], results: [(21 + after, acc)]}, (21 + after, results, FaultKind.OPERAND_MISSED)),
        ({activations: [(20, abc), (24, abc)], results: [(20 + after, acc)]}, (24, activations, FaultKind.BUSY)),
        (
            {activations: [(20, abc), (25, abc)], results: [(20 + after, acc), (24 + after, acc)]},
            (24 + after, results, FaultKind.BUSY),
        ),
    ]
    if rows > 1:
        load = encode("LW", stream=0, count=rows)
        cases += [
            ({weights: [(20, load), (20 + rows - 1, load)]}, (20 + rows - 1, weights, FaultKind.BUSY)),
            (
                {weights: [(20, load)], activations: [(20 + rows - 1, installing)]},
                (20 + rows, activations, FaultKind.OPERAND_MISSED),
            ),
            (
                {weights: [(20 - rows, load), (20, load)], activations: [(20 + rows - 1, installing)]},
                (20 + rows, activations, FaultKind.OPERAND_MISSED),
            ),
        ]
    for program, fault in cases:
        assert await unit.run(program) == fault
        assert await unit.run(preamble(config, queues)) is None
