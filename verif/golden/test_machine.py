"""The machine as the runtime uses it: images, memory, runs; and one program that does everything at once."""

import numpy as np
import pytest

from arch.errors import TaktError
from arch.faults import FaultError
from arch.geometry import Direction, Hemisphere, mem_slice
from arch.image import Image, TensorMap
from arch.isa.encoding import encode
from arch.isa.timeline import queue_words
from arch.presets import PRESETS, preset
from golden.benchmark import steady_state
from golden.machine.latency import d_func, d_skew
from golden.machine.machine import Machine

NANO = preset("nano")


def tensor(name, slice_, words, dtype="int8"):
    length = NANO.vector_length
    index = np.arange(words * length, dtype=np.int32).reshape(words, length)
    addrs = np.arange(words, dtype=np.int32)
    return TensorMap(name, dtype, (words * length,), np.full(words, slice_, np.int32), addrs, index)


def image(config=NANO, queues=None):
    """Add a constant to an input: MEM_W0 + MEM_W2 -> MEM_E0."""
    target, near, far = mem_slice(config, Hemisphere.EAST, 0), 0, 2
    arrival, count = 10, 3
    read = {"dir": Direction.EAST, "stride": 1, "count": count, "interval": 1}
    add = encode("ADD", saturate=1, a_index=0, b_index=1, drive=1, dst=2)
    write = encode("WRITE", stream=2, **{**read, "dir": Direction.EAST})
    result = arrival - d_skew(config, "ADD") + d_func(config, "ADD") + 1
    programs = {
        near: queue_words([(arrival - d_func(config, "READ") - 1, encode("READ", stream=0, **read))]),
        far: queue_words([(arrival - d_func(config, "READ") - 2, encode("READ", stream=1, **read))]),
        2 * config.mem_slices: queue_words([(arrival - 1 + element, add) for element in range(count)]),
        target: queue_words([(result - d_skew(config, "WRITE"), write)]),
    }
    constants = np.arange(count * config.vector_length, dtype=np.uint8).reshape(count, -1)
    return Image(
        config=config,
        queues={queue: np.array(words, np.uint64) for queue, words in (queues or programs).items()},
        constant_slices=np.full(count, far, np.int32),
        constant_addrs=np.arange(count, dtype=np.int32),
        constant_words=constants,
        inputs=(tensor("x", near, count),),
        outputs=(tensor("y", target, count),),
        cycles=result + count - 1 + config.superlanes,
    )


def test_run_image(rng):
    machine = Machine(NANO)
    for _ in range(2):
        x = rng.integers(-128, 128, 24).astype(np.int8)
        result = machine.run_image(image(), {"x": x})
        assert result.outputs["y"].dtype == np.int8
        assert (result.outputs["y"] == np.minimum(x.astype(int) + np.arange(24), 127)).all()
        assert result.cycles == image().cycles


def test_an_image_of_another_machine():
    with pytest.raises(TaktError, match=f"image is for nano {NANO.fingerprint:016x}, not for small"):
        Machine(preset("small")).load(image())


@pytest.mark.parametrize("inputs", [{}, {"x": 0, "z": 0}, {"X": 0}])
def test_wrong_inputs(inputs):
    with pytest.raises(TaktError, match=r"inputs must be \['x'\], not "):
        Machine(NANO).run_image(image(), inputs)


def test_an_input_of_another_dtype():
    with pytest.raises(TaktError, match="x must be int8 of shape"):
        Machine(NANO).run_image(image(), {"x": np.zeros(24, np.int16)})


def test_an_image_with_too_many_words():
    nop = encode("NOP", count=1)
    full = image(queues={5: [nop] * NANO.queue_depth + [encode("END")]})
    with pytest.raises(FaultError, match="OVERRUN at unit MEM_W5, cycle 0"):
        Machine(NANO).load(full)


def test_write_and_read(rng):
    machine = Machine(NANO)
    words = rng.integers(0, 256, (3, 8)).astype(np.uint8)
    machine.write([0, 15, 7], [511, 0, 256], words)
    assert (machine.read([7, 0, 15], [256, 511, 0]) == words[[2, 0, 1]]).all()
    assert (machine.mem(15)[0] == words[1]).all()
    assert machine.read([1], [0]).dtype == np.uint8


@pytest.mark.parametrize(
    "slices,addrs,message",
    [
        ([0, 16], [0, 0], "MEM slice must be 0 to 15, not 16"),
        ([-1], [0], "MEM slice must be 0 to 15, not -1"),
        ([0], [512], "MEM address must be 0 to 511, not 512"),
    ],
)
def test_wrong_addresses(slices, addrs, message):
    with pytest.raises(TaktError, match=message):
        Machine(NANO).read(slices, addrs)


def test_wrong_words():
    with pytest.raises(TaktError, match="MEM words must be uint8 or int8, not float64"):
        Machine(NANO).write([0], [0], np.zeros((1, 8)))


def requantised(sums, scale):
    """Return what the chain of the steady-state program makes of its sums: convert, scale, convert, saturate, relu."""
    return np.clip(np.rint(sums.astype(np.float32) * scale).astype(np.float64), 0, 127).astype(np.int8)


@pytest.mark.parametrize("name", PRESETS)
def test_everything_at_once(rng, name):
    """In every cycle: all slices of a weight load, a plane with ever new tiles, accumulation, six ALUs and a write."""
    config = preset(name).replace(mem_depth=64, acc_depth=64)
    machine = Machine(config)
    blocks, lanes, length = config.superlanes, config.lanes, config.vector_length
    streams = min(lanes, config.mem_slices - 1)
    first = mem_slice(config, Hemisphere.EAST, 0)
    for index in range(streams + 1):
        machine.mem(first + index)[:] = rng.integers(0, 256, (2 * config.mem_depth, length))
    scale = rng.random(length).astype(np.float32) / length / 100
    machine.write(range(4, 8), [0] * 4, scale.view(np.uint8).reshape(length, 4).T)
    per_burst = 64 // blocks * blocks
    machine.set_queues(steady_state(config, 2 * per_burst))
    machine.run()

    weights = np.stack([machine.mem(first + j)[:per_burst] for j in range(streams)]).view(np.int8)
    inputs = machine.mem(first + streams)[config.mem_depth : config.mem_depth + per_burst].view(np.int8)
    sums = np.zeros((per_burst, length), np.int32)
    for element in range(per_burst):
        tile = np.zeros((length, length), np.int64)
        for step in range(blocks):
            block = lanes * (blocks - 1 - step)
            tile[:, block : block + streams] = weights[:, element // blocks * blocks + step].T
        sums[element] = inputs[element] @ tile
    # Two bursts through the same addresses; what is stored last is twice the sum of one.
    plane = config.planes_per_hemisphere
    assert (machine.accumulators(plane)[:per_burst] == 2 * sums).all()
    stored = machine.mem(0)[:per_burst].view(np.int8)
    assert (stored == requantised(2 * sums, scale)).all()
