"""The verifier names the same fault, unit and cycle as the golden machine, and the same cycles where there is none."""

import dataclasses
import random
from collections import Counter
from typing import Any

import numpy as np
import pytest

from arch.faults import FaultError, FaultKind
from arch.geometry import Direction, Hemisphere, units
from arch.isa.codes import Source
from arch.isa.encoding import encode
from arch.isa.timeline import queue_words
from arch.presets import preset
from arch.timing import timing
from compiler.program import Program
from compiler.verifier.verify import verify
from verif.compiler.illegal import CASES, read
from verif.compiler.timetables import damage, golden, image_of, timetable, verified
from verif.mxm.pair_programs import random_pair_program
from verif.mxm.programs import broken, plane_queues

NANO = preset("nano")
TIMES = timing(NANO)
EAST, WEST = int(Direction.EAST), int(Direction.WEST)


def position(name):
    return next(unit.position for unit in units(NANO) if unit.name == name)


@pytest.mark.parametrize("name", CASES)
def test_hand_made(name):
    image, kind, unit, cycle = CASES[name]
    found = verified(image)
    assert found == golden(image)
    with pytest.raises(FaultError, match=f"{kind.name} at unit {unit}, cycle {cycle}") as caught:
        verify(image)
    assert caught.value.fault.kind is kind


@pytest.mark.parametrize("bank", [0, 1])
def test_bank_conflict(bank):
    written = 12
    image = timetable(
        NANO,
        (2, "MEM_W1", *read(count=30)),
        (written - TIMES.mem_access - 2, "MEM_W0", *read(addr=NANO.mem_depth * bank, stream=1, count=5)),
        (written - TIMES["WRITE"].d_skew, "MEM_W0", "WRITE", {"dir": EAST}),
    )
    found = verified(image)
    assert found == golden(image)
    if bank == 0:
        assert found == (written, 0, FaultKind.BANK_CONFLICT)
    else:
        assert isinstance(found, int)


@pytest.mark.parametrize("late", [0, 1])
def test_install_during_a_load(late):
    """With all weights on their streams all the time, only the moment of the install matters."""
    slices = [f"MEM_W{index}" for index in range(NANO.lanes)]
    reads = [
        (10 - abs(position(name)), name, "READ", {"dir": WEST, "stream": index, "count": 40, "stride": 0})
        for index, name in enumerate(slices)
    ]
    start = 30
    abc = start + NANO.superlanes - 1 + late
    image = timetable(
        NANO,
        *reads,
        (start, "MXM_W0.W", "LW", {"stream": 0, "count": NANO.superlanes}),
        (abc, "MXM_W0.A", "ABC", {"stream": 0, "install": 1}),
        (abc + TIMES.acc_after_abc, "MXM_W0.R", "ACC", {}),
    )
    found = verified(image)
    assert found == golden(image)
    if late:
        assert isinstance(found, int)
    else:
        activations = next(unit.id for unit in units(NANO) if unit.name == "MXM_W0.A")
        assert found == (abc + 1, activations, FaultKind.OPERAND_MISSED)


def programs():
    for name, shape, planes, full in (
        ("nano", (5, 20, 19), 1, True),
        ("nano", (9, 17, 30), 4, False),
        ("small", (4, 20, 40), 2, True),
    ):
        m, k, n = shape
        program = Program(preset(name))
        more: dict[str, Any] = {"bias": np.ones(n, np.int32), "scale": 0.5, "relu": True} if full else {}
        y = program.matmul(program.input("x", (m, k)), np.ones((k, n), np.int8), planes=planes, **more)
        program.output("y", y)
        yield program.compile()


def test_damaged_programs(rng):
    """The verifier finds in damaged programs the fault that the golden machine runs into."""
    kinds: Counter[int] = Counter()
    images = list(programs())
    for number in range(240):
        image = images[number % len(images)]
        image = dataclasses.replace(image, queues=damage(rng, dict(image.queues)))
        found = verified(image)
        if isinstance(found, int) and found > 5_000:
            continue
        assert found == golden(image), f"program {number}"
        kinds[0 if isinstance(found, int) else found[2]] += 1
    assert {0, FaultKind.ILLEGAL, FaultKind.BUSY, FaultKind.UNWRITTEN, FaultKind.OPERAND_MISSED} <= set(kinds)


def test_random_timetables(rng):
    """Crowded timetables of READs, VXM and SXM instructions, in which streams meet."""
    kinds: Counter[int] = Counter()
    for _ in range(150):
        lines = {}
        for _ in range(int(rng.integers(2, 14))):
            cycle, stream, direction = int(rng.integers(20)), int(rng.integers(3)), int(rng.integers(2))
            count, interval = int(rng.integers(1, 5)), int(rng.integers(1, 3))
            source = int(rng.choice([Source.SELF, Source.ZERO]))
            name, mnemonic, fields = [
                (f"MEM_W{rng.integers(8)}", *read(stream, dir=direction, count=count, interval=interval)),
                (f"MEM_E{rng.integers(8)}", *read(stream, dir=direction, count=count, interval=interval)),
                (f"MEM_W{rng.integers(8)}", "WRITE", {"dir": direction, "stream": stream, "addr": stream}),
                (
                    f"VXM_{rng.integers(16)}",
                    "PASS",
                    {"a_src": source, "b_src": Source.ZERO, "drive": 1, "dst_dir": direction, "dst": stream},
                ),
                ("SXM_E.SHIFT0", "SHIFT", {"src_dir": direction, "src": stream, "dst_dir": EAST, "dst": stream}),
            ][int(rng.choice(5, p=[0.35, 0.35, 0.05, 0.2, 0.05]))]
            lines[name, cycle] = (cycle, name, mnemonic, fields)
        image = timetable(NANO, *lines.values())
        found = verified(image)
        assert found == golden(image)
        kinds[0 if isinstance(found, int) else found[2]] += 1
    assert FaultKind.DOUBLE_DRIVE in kinds


def test_random_indexed_accesses(rng):
    """READ, WRITE, GATHER and SCATTER of a slice, crowded, with every stream full."""
    kinds: Counter[int] = Counter()
    full = [(0, f"MEM_W{2 + stream}", *read(stream, count=100)) for stream in range(4)]
    for _ in range(200):
        lines = {}
        for _ in range(int(rng.integers(2, 6))):
            cycle, mnemonic = int(rng.integers(8, 60)), str(rng.choice(["READ", "WRITE", "GATHER", "SCATTER"]))
            count, interval = int(rng.integers(1, 3)), int(rng.integers(12, 14))
            fields = {"stream": int(rng.integers(4)), "addr": int(rng.choice([0, 255, 256])), "count": count}
            if mnemonic in ("READ", "WRITE"):
                fields |= {"stride": int(rng.integers(-1, 2)), "cont": int(rng.integers(2))}
            lines[cycle] = (cycle, "MEM_W0", mnemonic, {**fields, "interval": interval})
        image = timetable(NANO, *full, *lines.values())
        found = verified(image)
        assert found == golden(image)
        kinds[0 if isinstance(found, int) else found[2]] += 1
    assert {0, FaultKind.BUSY, FaultKind.BANK_CONFLICT} <= set(kinds)


def test_pairs_of_planes(rng):
    """fp16 and int8 bursts on the pair of a hemisphere, mixed and then broken; every stream holds something."""
    kinds: Counter[int] = Counter()
    hemisphere, start = Hemisphere.WEST, 40
    planes = plane_queues(NANO, hemisphere, 0), plane_queues(NANO, hemisphere, 1)
    names = [f"MEM_{side}{index}" for side in "WE" for index in range(NANO.mem_slices)]
    reads = timetable(
        NANO,
        *(
            (0, name, "READ", {"dir": WEST, "stream": stream, "count": 400, "stride": 0})
            for stream, name in enumerate(names[: NANO.streams])
        ),
    )
    randoms = random.Random(int(rng.integers(1 << 30)))
    for number in range(120):
        program = random_pair_program(NANO, planes, randoms, bursts=6)
        if number % 3:
            program = broken(program, randoms)
        later = {
            queue: np.array(queue_words((cycle + start, word) for cycle, word in line), np.uint64)
            for queue, line in program.items()
        }
        image = image_of(NANO, {**reads.queues, **later})
        found = verified(image)
        assert found == golden(image), f"program {number}"
        assert number % 3 or isinstance(found, int)
        kinds[0 if isinstance(found, int) else found[2]] += 1
    assert {0, FaultKind.BUSY, FaultKind.OPERAND_MISSED} <= set(kinds)


def test_a_driver_may_replace_what_arrives():
    issue, distance = 17, position("MEM_W0") - position("MEM_W6")
    image = timetable(NANO, (issue - distance, "MEM_W6", *read()), (issue, "MEM_W0", *read()))
    assert verified(image) == golden(image) == issue + TIMES["READ"].retire


def test_nothing_takes_no_cycles():
    empty = image_of(NANO, {})
    assert verified(empty) == golden(empty) == 0
    assert verified(image_of(NANO, {3: np.zeros(0, np.uint64)})) == 0
    assert verified(timetable(NANO, raw={"MEM_W0": [encode("END")]})) == 1
