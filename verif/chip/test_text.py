"""Programs many times longer than their queues: the text streams in while the planes multiply."""

import numpy as np
import pytest

from arch.config import Config
from arch.image import Image
from arch.presets import preset
from compiler.program import Program
from runtime.backend import Backend, GoldenBackend
from runtime.measure import run_checked
from runtime.rtl_backend import RtlBackend
from verif.bits import same_bits

DEPTH = 16
SIZE = (20, 32, 1600)
"""A hundred groups of columns, each with words of its own in the results queue."""


def product(config: Config, m: int, k: int, n: int) -> Image:
    program = Program(config, "long")
    x, w = program.input("x", (m, k), "int8"), program.input("w", (k, n), "int8")
    program.output("y", program.matmul(x, w, planes=1))
    return program.compile()


def check(config: Config, backend: Backend) -> None:
    m, k, n = SIZE
    short, whole = (product(config.replace(queue_depth=depth), m, k, n) for depth in (DEPTH, 4096))
    assert max(len(words) for words in short.queues.values()) == DEPTH
    assert max(len(words) for words in whole.queues.values()) > 20 * DEPTH
    # Not a cycle is lost: the planes work as if the queues were endless.
    assert short.cycles == whole.cycles
    rng = np.random.default_rng(1)
    x, w = (rng.integers(-128, 128, shape).astype(np.int8) for shape in ((m, k), (k, n)))
    # Twice: the text overwrites the queues, which are filled anew.
    for result in run_checked(backend, short, [{"x": x, "w": w}] * 2):
        assert result.cycles == short.cycles
        same_bits(result.outputs["y"], x.astype(np.int32) @ w.astype(np.int32))


def test_no_cycle_is_lost():
    """Text that streams into short queues takes no cycle from the planes."""
    check(preset("small"), GoldenBackend())


@pytest.mark.long
def test_no_cycle_is_lost_on_the_rtl():
    check(preset("small"), RtlBackend("verilator"))
