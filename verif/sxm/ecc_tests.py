"""Flipped bits of all that one hemisphere's SXM reads, in the simulator."""

from typing import Any

import cocotb

from arch.config import Config
from arch.faults import FaultKind
from arch.geometry import UnitKind
from arch.isa.codes import MAP_REGISTERS
from arch.isa.encoding import encode
from verif.ecc.read_flips import every_bit, operands, two_bits
from verif.sxm.programs import lane_maps, random_program
from verif.sxm.sxm_tests import start_sxm

Queues = dict[UnitKind, list[int]]
Program = dict[int, list[tuple[int, int]]]

EAST_TO_WEST = {"src": 0, "src_dir": 0, "dst": 0, "dst_dir": 1}


def readers(config: Config, queues: Queues, count: int) -> dict[str, Program]:
    """Return a program for every kind of reader, with a word of it in each of `count` cycles.

    LOADMAP has a cycle of its own in two; the others use what it brought.
    """
    words = {
        "SHIFT": (UnitKind.SXM_SHIFT, {"amount": 1}),
        "SELECT": (UnitKind.SXM_SHIFT, {"amount": config.lanes // 2, "low": 1}),
        "PERMUTE": (UnitKind.SXM_PERMUTE, {"streamed": 1, "map": 2}),
        "DISTRIBUTE": (UnitKind.SXM_DISTRIBUTE, {"streamed": 1, "map": 2}),
        "ROTATE": (UnitKind.SXM_ROTATE, {"size": 2}),
        "TRANSPOSE": (UnitKind.SXM_TRANSPOSE, {}),
    }
    programs: dict[str, Program] = {}
    for mnemonic, (kind, fields) in words.items():
        word = encode(mnemonic, **EAST_TO_WEST, **fields)
        programs[mnemonic] = {queues[kind][-1]: [(1 + index, word) for index in range(count)]}
    for mnemonic in ("PERMUTE", "DISTRIBUTE"):
        timeline = []
        for index in range(count):
            register = index % MAP_REGISTERS
            timeline += [
                (1 + 2 * index, encode("LOADMAP", map=2, register=register)),
                (2 + 2 * index, encode(mnemonic, register=register, **EAST_TO_WEST)),
            ]
        programs[f"LOADMAP for {mnemonic}"] = {queues[words[mnemonic][0]][0]: timeline}
    return programs


def load_maps(queues: Queues) -> Program:
    """Return a program that fills all map registers, whatever is in them."""
    return {
        queues[kind][0]: [
            (1 + register, encode("LOADMAP", map=2, register=register)) for register in range(MAP_REGISTERS)
        ]
        for kind in (UnitKind.SXM_PERMUTE, UnitKind.SXM_DISTRIBUTE)
    }


@cocotb.test()
async def every_flipped_bit(dut: Any) -> None:
    unit, config, queues = await start_sxm(dut)
    assert await unit.run(load_maps(queues), flips={}) is None
    for reader, program in readers(config, queues, config.stream_bits).items():
        flips = every_bit(config, program)
        assert await unit.run(program, alter=lane_maps(config, program), flips=flips) is None, reader
        elements = list(operands(config, program))
        assert len(unit.golden.corrected) == len(elements) * config.superlanes, reader


@cocotb.test()
async def two_flipped_bits_of_each_operand(dut: Any) -> None:
    unit, config, queues = await start_sxm(dut)
    assert await unit.run(load_maps(queues), flips={}) is None
    rng = unit.bench.random
    for reader, program in readers(config, queues, 3).items():
        elements = list(operands(config, program))
        if reader.startswith("LOADMAP"):
            elements = elements[::2]
        for place in range(len(elements[0][2])):
            element = rng.choice(elements)
            flips, fault = two_bits(config, program, element, place, rng)
            assert await unit.run(program, alter=lane_maps(config, program), flips=flips) == fault, reader
            assert await unit.run(load_maps(queues), flips={}) is None


@cocotb.test()
async def two_flipped_bits_anywhere(dut: Any) -> None:
    """Only words that are read matter."""
    unit, config, queues = await start_sxm(dut)
    assert await unit.run(load_maps(queues), flips={}) is None
    found = set()
    for _ in range(unit.bench.parameters["programs"] * 3):
        program = random_program(config, queues, unit.bench.random, words=12)
        doubles = unit.bench.random.choice((0.0003, 0.001, 0.003))
        fault = await unit.run(program, alter=lane_maps(config, program), doubles=doubles)
        found.add(fault and fault[2])
        assert await unit.run(load_maps(queues), flips={}) is None
    assert found == {None, FaultKind.UNCORRECTABLE}
