"""Every SXM instruction on the whole chip: vectors leave MEM, change lanes, and come back to MEM."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from arch.config import Config
from arch.geometry import Unit, units
from arch.image import Image, TensorMap
from arch.isa.encoding import encode
from arch.isa.table import BY_MNEMONIC
from arch.isa.timeline import queue_words
from arch.presets import preset
from arch.timing import timing
from golden.machine.machine import Machine
from runtime.rtl_backend import run_jobs_on_rtl
from verif.bench import default_seed, each_simulator
from verif.bits import same_bits
from verif.compiler.timetables import verified

NANO = preset("nano")
ISSUE = 40
SINK = 4
"""First slice that takes results; those below hold operands, one per stream."""
RESULTS = 8
"""First stream of results; operands come on streams from 0 up."""

Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Case:
    """Words of one SXM queue with what they take and what they must give; offsets count from `ISSUE`.

    Attributes
    ----------
    unit : str
        Name of the queue without its hemisphere.
    words : tuple of (offset, mnemonic, fields)
    operands : tuple of (offset, stream, vector)
        Vectors for the word at that offset.
    results : tuple of (offset, stream, vector)
        What must be written to MEM, of the word at that offset.
    """

    unit: str
    words: tuple[tuple[int, str, dict[str, int]], ...]
    operands: tuple[tuple[int, int, Bytes], ...]
    results: tuple[tuple[int, int, Bytes], ...]


def lanes_of(vector: Bytes, numbers: npt.NDArray[np.int64], group: int) -> Bytes:
    """Return lane ``numbers[i]`` of lane i's group in every lane i, 0 where that is no lane of the group."""
    found = np.zeros_like(vector)
    for lane, number in enumerate(numbers):
        if number < group:
            found[lane] = vector[lane - lane % group + number]
    return found


def shifts(config: Config, rng: np.random.Generator) -> Case:
    """SHIFT up and down and SELECT, one per cycle."""
    length = config.vector_length
    up, down, src, low = rng.integers(0, 256, (4, length), np.uint8)
    nothing = np.zeros(length, np.uint8)
    return Case(
        "SHIFT1",
        (
            (0, "SHIFT", {"amount": 3}),
            (1, "SHIFT", {"amount": 5, "down": 1}),
            (2, "SELECT", {"amount": 5, "low": 1}),
        ),
        ((0, 0, up), (1, 0, down), (2, 0, src), (2, 1, low)),
        (
            (0, RESULTS, np.concatenate((nothing[:3], up[:-3]))),
            (1, RESULTS, np.concatenate((down[5:], nothing[:5]))),
            (2, RESULTS, np.concatenate((low[:5], src[5:]))),
        ),
    )


def mapped(config: Config, rng: np.random.Generator, mnemonic: str) -> Case:
    """Two LOADMAPs, and four words one per cycle: map on streams, registers, map on streams."""
    group = config.vector_length if mnemonic == "PERMUTE" else config.lanes
    size = 2 if mnemonic == "PERMUTE" else 1
    maps = [rng.permutation(config.vector_length) % group for _ in range(4)]
    for numbers in maps:
        numbers[rng.integers(len(numbers))] = group
    sources = rng.integers(0, 256, (4, config.vector_length), np.uint8)
    words = [(offset, "LOADMAP", {"map": 2, "register": 1 + 2 * offset}) for offset in range(2)]
    words += [
        (2, mnemonic, {"streamed": 1, "map": 2}),
        (3, mnemonic, {"register": 1}),
        (4, mnemonic, {"register": 3}),
        (5, mnemonic, {"streamed": 1, "map": 2}),
    ]
    operands = [
        (offset, 2 + place, (numbers >> 8 * place).astype(np.uint8))
        for offset, numbers in zip((0, 1, 2, 5), maps, strict=True)
        for place in range(size)
    ]
    operands += [(offset, 0, source) for offset, source in enumerate(sources, 2)]
    used = (maps[2], maps[0], maps[1], maps[3])
    results = [
        (offset, RESULTS, lanes_of(source, numbers, group))
        for offset, (source, numbers) in enumerate(zip(sources, used, strict=True), 2)
    ]
    return Case(mnemonic, tuple(words), tuple(operands), tuple(results))


def after(first: Case, rng: np.random.Generator) -> Case:
    """Return a program that uses a map register that the program of `first` loaded."""
    (vector,) = rng.integers(0, 256, (1, len(first.operands[0][2])), np.uint8)
    numbers = sum(part.astype(np.int64) << 8 * place for place, part in enumerate(_map_at(first, 0)))
    group = len(vector) if first.unit == "PERMUTE" else NANO.lanes
    return Case(
        first.unit,
        ((0, first.unit, {"register": 1}),),
        ((0, 0, vector),),
        ((0, RESULTS, lanes_of(vector, np.asarray(numbers), group)),),
    )


def _map_at(case: Case, offset: int) -> list[Bytes]:
    return [vector for at, stream, vector in case.operands if at == offset and stream >= 2]


def rotations(config: Config, rng: np.random.Generator) -> Case:
    """ROTATE of a window of 2 x 2."""
    (vector,) = rng.integers(0, 256, (1, config.vector_length), np.uint8)
    orders = ((0, 1, 2, 3), (1, 0, 3, 2), (2, 3, 0, 1), (3, 2, 1, 0))
    numbers = [np.array(order * config.superlanes) for order in orders]
    results = [(0, RESULTS + j, lanes_of(vector, order, config.lanes)) for j, order in enumerate(numbers)]
    return Case("ROTATE", ((0, "ROTATE", {"size": 2}),), ((0, 0, vector),), tuple(results))


def transposition(config: Config, rng: np.random.Generator) -> Case:
    """TRANSPOSE of a block per superlane."""
    lanes = config.lanes
    block = rng.integers(0, 256, (lanes, config.vector_length), np.uint8)
    turned = np.zeros_like(block)
    for stream in range(lanes):
        for lane in range(config.vector_length):
            turned[stream, lane] = block[lane % lanes, lane - lane % lanes + stream]
    return Case(
        "TRANSPOSE",
        ((0, "TRANSPOSE", {}),),
        tuple((0, stream, vector) for stream, vector in enumerate(block)),
        tuple((0, RESULTS + stream, vector) for stream, vector in enumerate(turned)),
    )


def image_of(config: Config, side: str, case: Case) -> Image:
    """Return the program of a case for the SXM of a hemisphere: READ, SXM, WRITE."""
    unit_of = {unit.name: unit for unit in units(config)}
    unit, times = unit_of[f"SXM_{side}.{case.unit}"], timing(config)
    slices = [unit_of[f"MEM_{side}{index}"] for index in range(config.mem_slices)]
    timelines: dict[int, list[tuple[int, int]]] = {}

    def add(target: Unit, cycle: int, mnemonic: str, **fields: int) -> None:
        timelines.setdefault(target.id, []).append((cycle, encode(mnemonic, **fields)))

    places: dict[str, int] = {
        "src_dir": unit.outward,
        "low_dir": unit.outward,
        "map_dir": unit.outward,
        "dst_dir": unit.inward,
    }
    latency = {}
    for offset, mnemonic, fields in case.words:
        latency[offset] = times[mnemonic].d_func
        own = {"dst": RESULTS, **fields} if mnemonic != "LOADMAP" else fields
        add(unit, ISSUE + offset, mnemonic, **_known(mnemonic, places), **own)
    once = {"count": 1, "interval": 1}
    for number, (offset, stream, _) in enumerate(case.operands):
        source = slices[stream]
        issue = ISSUE + offset + 1 - abs(source.position - unit.position) - (times["READ"].d_func or 0)
        add(source, issue, "READ", dir=unit.outward, stream=stream, addr=number, **once)
    for number, (offset, stream, _) in enumerate(case.results):
        sink = slices[SINK + stream - RESULTS]
        due = ISSUE + offset + (latency[offset] or 0) + abs(sink.position - unit.position)
        add(sink, due - (times["WRITE"].d_skew or 0), "WRITE", dir=unit.inward, stream=stream, addr=number, **once)
    written = [slices[SINK + stream - RESULTS].id for _, stream, _ in case.results]
    return Image(
        config=config,
        queues={queue: np.array(queue_words(timeline), np.uint64) for queue, timeline in timelines.items()},
        constant_slices=np.array([slices[stream].id for _, stream, _ in case.operands], np.int32),
        constant_addrs=np.arange(len(case.operands), dtype=np.int32),
        constant_words=np.array([vector for _, _, vector in case.operands]),
        inputs=(),
        outputs=(_whole_words(config, written),),
        cycles=0,
    )


def _known(mnemonic: str, places: dict[str, int]) -> dict[str, int]:
    return {name: value for name, value in places.items() if name in BY_MNEMONIC[mnemonic].offsets}


def _whole_words(config: Config, slices: list[int]) -> TensorMap:
    shape = (len(slices), config.vector_length)
    index = np.arange(shape[0] * shape[1], dtype=np.int32).reshape(shape)
    return TensorMap("results", "int8", shape, np.array(slices, np.int32), np.arange(shape[0], dtype=np.int32), index)


def cases(config: Config, rng: np.random.Generator) -> Iterator[Case]:
    """Yield a case per unit, and those that find what another one left."""
    yield shifts(config, rng)
    for mnemonic in ("PERMUTE", "DISTRIBUTE"):
        yield (first := mapped(config, rng, mnemonic))
        yield after(first, rng)
    yield rotations(config, rng)
    yield transposition(config, rng)


@each_simulator
def test_every_instruction_from_mem_to_mem(simulator: str) -> None:
    """Each word of the switch moves the lanes that it says, from MEM to MEM, in both hemispheres."""
    rng = np.random.default_rng(default_seed(__name__))
    programs = [(side, case) for side in "WE" for case in cases(NANO, rng)]
    images = [image_of(NANO, side, case) for side, case in programs]
    found = run_jobs_on_rtl([(image, [{}]) for image in images], simulator)
    machine = Machine(NANO)
    for (side, case), image, (result,) in zip(programs, images, found, strict=True):
        name = f"SXM_{side}.{case.unit}"
        expected = np.array([vector for _, _, vector in case.results]).view(np.int8)
        golden = machine.run_image(image, {})
        same_bits(golden.outputs["results"], expected, name)
        assert result.fault is None, f"{name}: {result.fault}"
        assert result.cycles == golden.cycles == verified(image), name
        same_bits(result.outputs["results"], expected, name)
