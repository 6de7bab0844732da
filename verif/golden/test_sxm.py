"""SXM: shift, select, transpose."""

import numpy as np
import pytest

from arch.faults import FaultKind
from arch.geometry import Direction
from arch.presets import PRESETS, preset
from verif.golden.program import Program

EAST, WEST = Direction
NANO = preset("nano")


def vectors(rng, config, count):
    return rng.integers(0, 256, (count, config.vector_length)).astype(np.uint8)


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("side", "WE")
def test_shift(rng, name, side):
    config = preset(name)
    length = config.vector_length
    amounts = sorted({0, 1, config.lanes - 1, config.lanes, length // 2 + 1, length - 1, length})
    program = Program(config)
    data = vectors(rng, config, len(amounts))
    for number, amount in enumerate(amounts):
        program.inject(number + 1, f"SXM_{side}.SHIFT0", EAST, 3, data[number][None])
        fields = {"src_dir": EAST, "src": 3, "dst_dir": WEST, "amount": amount}
        program.at(number, f"SXM_{side}.SHIFT0", "SHIFT", dst=5, down=0, **fields)
        program.at(number, f"SXM_{side}.SHIFT1", "SHIFT", dst=6, down=1, **fields)
    held = program.watch(f"SXM_{side}.SHIFT0")
    for number, amount in enumerate(amounts):
        up, down = np.zeros(length, np.uint8), np.zeros(length, np.uint8)
        for lane in range(length):
            if lane >= amount:
                up[lane] = data[number][lane - amount]
            if lane + amount < length:
                down[lane] = data[number][lane + amount]
        # Results wait for the whole vector: one cycle per superlane.
        cycle = number + config.superlanes + 3
        assert (held.values[cycle, WEST, 5] == up).all(), amount
        assert (held.values[cycle, WEST, 6] == down).all(), amount


@pytest.mark.parametrize("amount", [0, 1, 4, 5, 8])
def test_select(rng, amount):
    program = Program(NANO)
    src, low = vectors(rng, NANO, 2)
    program.inject(3, "SXM_E.SHIFT1", WEST, 9, src[None])
    program.inject(3, "SXM_E.SHIFT1", EAST, 2, low[None])
    fields = {"src_dir": WEST, "src": 9, "low_dir": EAST, "low": 2, "dst_dir": EAST, "dst": 15}
    program.at(2, "SXM_E.SHIFT1", "SELECT", amount=amount, **fields)
    held = program.watch("SXM_E.SHIFT1")
    expected = [low[lane] if lane < amount else src[lane] for lane in range(NANO.vector_length)]
    assert held.values[2 + NANO.superlanes + 3, EAST, 15].tolist() == expected


@pytest.mark.parametrize("name", PRESETS)
def test_transpose(rng, name):
    config = preset(name)
    program = Program(config)
    lanes = config.lanes
    data = vectors(rng, config, lanes)
    program.inject(6, "SXM_W.TRANSPOSE", WEST, 0, data)
    fields = {"src_dir": WEST, "src": 0, "dst_dir": EAST, "dst": config.streams - lanes}
    program.at(5, "SXM_W.TRANSPOSE", "TRANSPOSE", **fields)
    held = program.watch("SXM_W.TRANSPOSE")
    for stream in range(lanes):
        for tile in range(config.superlanes):
            expected = data[:, tile * lanes + stream]
            got = held.values[5 + 3, EAST, config.streams - lanes + stream, tile * lanes : (tile + 1) * lanes]
            assert (got == expected).all()


def test_cycle_counts():
    for mnemonic, unit, length in (("SHIFT", "SHIFT0", NANO.superlanes + 3), ("TRANSPOSE", "TRANSPOSE", 3)):
        program = Program(NANO)
        program.inject(1, "SXM_W.SHIFT0", EAST, 0, np.zeros((4, NANO.vector_length), np.uint8))
        program.at(0, f"SXM_W.{unit}", mnemonic, dst=4)
        assert program.run() == length + NANO.superlanes


def test_unwritten():
    for mnemonic, unit, streams in (("SHIFT", "SHIFT0", 0), ("SELECT", "SHIFT1", 1), ("TRANSPOSE", "TRANSPOSE", 3)):
        program = Program(NANO)
        if streams:
            program.inject(8, "SXM_W.SHIFT0", EAST, 0, np.zeros((streams, NANO.vector_length), np.uint8))
        fields = {"low": 1} if mnemonic == "SELECT" else {}
        program.at(7, f"SXM_W.{unit}", mnemonic, **fields)
        program.fails(8, f"SXM_W.{unit}", FaultKind.UNWRITTEN)
