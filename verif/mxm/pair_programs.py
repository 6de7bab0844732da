"""Programs for a pair of planes: random legal ones that mix fp16 and int8, and values for their streams."""

import random

import numpy as np
import numpy.typing as npt

from arch.config import Config
from arch.formats import DType
from arch.isa.encoding import encode
from arch.timing import timing
from verif.mxm.programs import PlaneQueues, Program, collect

__all__ = ["VALUES", "Planes", "pair_preamble", "random_pair_program"]

Planes = tuple[PlaneQueues, PlaneQueues]
Bytes = npt.NDArray[np.uint8]


def pair_preamble(config: Config, planes: Planes) -> Program:
    """Load and install all weights of both formats and overwrite every stored sum, whatever they were."""
    times = timing(config)
    cycle, depth = 1 + config.superlanes, config.acc_depth
    fp16 = encode("ABC", stream=2, count=1, interval=2, install=1, dtype=DType.FP16)
    int8 = encode("ABC", stream=1, count=depth, interval=1, install=1)
    program: Program = {}
    for plane in planes:
        program[plane.weights] = [(1, encode("LW", stream=0, count=config.superlanes))]
        program[plane.activations] = [(cycle + 9, int8)]
        program[plane.results] = [(cycle + 9 + times.acc_after_abc, encode("ACC", count=depth, interval=1, stride=1))]
    program[planes[0].activations].insert(0, (cycle, fp16))
    acc = encode("ACC", count=1, interval=2, float=1)
    program[planes[0].results].insert(0, (cycle + times.acc_after_fp16_abc, acc))
    return program


def random_pair_program(config: Config, planes: Planes, rng: random.Random, bursts: int) -> Program:
    """Bursts of both formats on both planes with loads between, results taken by bursts that are cut differently."""
    times = timing(config)
    program: Program = {plane.weights: [] for plane in planes}
    loading: list[set[int]] = [set(), set()]
    for plane, steps in zip(planes, loading, strict=True):
        cycle = rng.randrange(1, 4)
        while cycle < bursts * 9:
            count = rng.randint(1, config.superlanes)
            stream = rng.randrange(config.streams // config.lanes) * config.lanes
            program[plane.weights].append((cycle, encode("LW", stream=stream, count=count)))
            steps.update(range(cycle + 1, cycle + count))
            cycle += count + rng.choice((0, 1, 5, 13))
    due: list[dict[int, bool]] = [{}, {}]
    free = [rng.randrange(1, 4) for _ in planes]
    feeds: list[list[tuple[int, int]]] = [[], []]
    for _ in range(bursts):
        fp16, index = rng.random() < 0.5, rng.randrange(2)
        index = 0 if fp16 else index
        count, interval = rng.choice((1, 1, 2, 5, 9)), rng.choice((1, 1, 2, 5)) + fp16
        cycle = (max(free) if fp16 else free[index]) + rng.choice((0, 0, 0, 1, 6))
        after = times.acc_after_fp16_abc if fp16 else times.acc_after_abc
        # A results queue takes one result per cycle, and fp16 ones come later.
        while any(cycle + k * interval + after in due[index] for k in range(count)):
            cycle += 1
        due[index].update({cycle + k * interval + after: fp16 for k in range(count)})
        install = rng.random() < 0.6 and not any(cycle in loading[plane] for plane in ((0, 1) if fp16 else (index,)))
        fields = {"count": count, "interval": interval, "install": install}
        if fp16:
            stream = rng.randrange(config.streams // 2) * 2
            word = encode("ABC", stream=stream, dtype=DType.FP16, **fields)
            free = [cycle + (count - 1) * interval + 2] * 2
        else:
            word = encode("ABC", stream=rng.randrange(config.streams), **fields)
            free[index] = cycle + (count - 1) * interval + 1
        feeds[index].append((cycle, word))
    for index, plane in enumerate(planes):
        program[plane.activations] = feeds[index]
        # The planes share the streams.
        groups = range(config.streams // 4)[index::2]
        program[plane.results] = collect(config, sorted(due[index].items()), rng, groups)
    return program


def _finite(vectors: Bytes, rng: np.random.Generator) -> None:
    """Leave out infinities and NaN."""
    vectors[(vectors & 0x7C) == 0x7C] ^= 0x40


def _near(vectors: Bytes, rng: np.random.Generator) -> None:
    """Let exponents lie near together, so that sums cancel."""
    vectors &= 0x87
    vectors |= rng.choice(np.array([0x38, 0x3C], np.uint8), vectors.shape)


def _few(vectors: Bytes, rng: np.random.Generator) -> None:
    """Let each vector be one byte over and over, or two: zeros of both signs, 1, -1, sometimes infinities."""
    choice = np.array([0x00, 0x80] * 6 + [0x3C, 0xBC] * 3 + [0x7C, 0xFC], np.uint8)
    one, other = rng.choice(choice, (2, *vectors.shape[:-1], 1))
    vectors[:] = np.where(rng.random(vectors.shape) < 0.05, other, one)


VALUES = {"any": lambda vectors, rng: None, "finite": _finite, "near": _near, "few": _few}
"""What bytes are made to be, in place, by name: ``VALUES[name](vectors, rng)``; any of them may be either byte of an
fp16 number."""
