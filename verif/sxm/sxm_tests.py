"""One hemisphere's SXM against the golden machine, in the simulator."""

from typing import Any

import cocotb
import numpy as np

from arch.config import Config
from arch.geometry import Direction, Hemisphere, UnitKind
from arch.isa.codes import MAP_REGISTERS
from arch.isa.encoding import encode
from hdl.sxm.sxm import sxm_drivers
from verif.bench import Bench
from verif.position_bench import PositionBench
from verif.superlanes import limit_superlanes
from verif.sxm.programs import lane_maps, random_program, sxm_queues


async def start_sxm(dut: Any) -> tuple[PositionBench, Config, dict[UnitKind, list[int]]]:
    """Return the started bench, its machine, and the queues by kind."""
    bench = await Bench.start(dut)
    config = Config.from_dict(bench.parameters["config"])
    queues = sxm_queues(config, Hemisphere(bench.parameters["hemisphere"]))
    numbers = sorted(number for group in queues.values() for number in group)
    unit = PositionBench(
        bench,
        config,
        queues={number: f"queues__{index}" for index, number in enumerate(numbers)},
        inputs={Direction.EAST: "east", Direction.WEST: "west"},
        drivers=sxm_drivers(config),
    )
    return unit, config, queues


@cocotb.test()
async def random_programs(dut: Any) -> None:
    """First of all tests, because map registers survive a reset."""
    unit, config, queues = await start_sxm(dut)
    for _ in range(unit.bench.parameters["programs"]):
        program = random_program(config, queues, unit.bench.random, words=30)
        program = limit_superlanes(config, unit.bench.random, program)
        assert await unit.run(program, alter=lane_maps(config, program)) is None


@cocotb.test()
async def every_amount(dut: Any) -> None:
    """SHIFT up and down on one unit, SELECT on the other, one per cycle."""
    unit, config, queues = await start_sxm(dut)
    first, second = queues[UnitKind.SXM_SHIFT]
    amounts = range(config.vector_length + 1)
    shifts = [
        encode("SHIFT", src_dir=1, src=3, dst_dir=0, dst=2, amount=amount, down=down)
        for down in (0, 1)
        for amount in amounts
    ]
    selects = [encode("SELECT", src=1, dst_dir=1, dst=5, amount=amount, low_dir=1, low=7) for amount in amounts]
    program = {first: list(enumerate(shifts, 1)), second: list(enumerate(selects, 1))}
    assert await unit.run(program) is None


@cocotb.test()
async def a_unit_reads_what_another_just_drove(dut: Any) -> None:
    unit, config, queues = await start_sxm(dut)
    first, second = queues[UnitKind.SXM_SHIFT]
    (transpose,) = queues[UnitKind.SXM_TRANSPOSE]
    up = encode("SHIFT", src=0, dst=1, dst_dir=0, amount=1)
    down = encode("SHIFT", src=1, dst=0, dst_dir=0, amount=1, down=1)
    turn = encode("TRANSPOSE", src=0, dst=0)
    hop = config.superlanes + 2
    program = {first: [(1, up)], second: [(1 + hop, down)], transpose: [(1 + 2 * hop, turn), (3 + 2 * hop, turn)]}
    assert await unit.run(program) is None


@cocotb.test()
async def maps_of_every_lane(dut: Any) -> None:
    """Each lane goes to each lane: a word per cycle loads a map, uses it, or brings another on streams."""
    unit, config, queues = await start_sxm(dut)
    length = config.vector_length
    program: dict[int, list[tuple[int, int]]] = {}
    maps: list[tuple[int, int, Any]] = []
    for mnemonic, kind, first, size in (
        ("PERMUTE", UnitKind.SXM_PERMUTE, 0, 2),
        ("DISTRIBUTE", UnitKind.SXM_DISTRIBUTE, 2, 1),
    ):
        lanes = length if kind is UnitKind.SXM_PERMUTE else config.lanes
        places = {"src": 3, "src_dir": 1, "dst": first, "dst_dir": 1}
        timeline: list[tuple[int, int]] = []
        for turn in range(lanes + 1):
            upwards = (np.arange(length) + turn) % (lanes + 1)
            issue, register = 1 + 3 * turn, turn % MAP_REGISTERS
            timeline += [
                (issue, encode("LOADMAP", map=first, register=register)),
                (issue + 1, encode(mnemonic, register=register, **places)),
                (issue + 2, encode(mnemonic, streamed=1, map=first, **places)),
            ]
            for cycle, numbers in ((issue + 1, upwards), (issue + 3, upwards[::-1])):
                maps += [(cycle, first + place, numbers >> 8 * place) for place in range(size)]
        program[queues[kind][0]] = timeline

    def alter(arriving: Any, rng: Any) -> None:
        for cycle, stream, values in maps:
            arriving[cycle, 0, stream] = values

    assert await unit.run(program, alter=alter) is None
