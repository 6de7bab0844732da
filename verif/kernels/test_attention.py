"""Attention over a store that grows from run to run, bit for bit, on golden machine and RTL."""

import numpy as np
import pytest

from arch.errors import TaktError
from arch.presets import preset
from compiler.library.attention_kernel import ATTENTION
from runtime.backend import GoldenBackend
from runtime.kernel import KernelRun, run_kernel
from runtime.kernel_samples import sample
from runtime.rtl_backend import RtlBackend
from verif.kernels.test_kernels import BASE, NANO, SMALL, check

machines = pytest.mark.parametrize("config", [NANO, SMALL, BASE], ids=lambda config: config.name)


def run(config, runs, m, d, e, positions, length, backend=None) -> KernelRun:
    rng = np.random.default_rng(length)
    arrays = {
        name: rng.normal(size=(runs, m, size)).astype(np.float16) for name, size in (("q", d), ("k", d), ("v", e))
    }
    if positions is not None:
        arrays["position"] = np.array(positions, np.int32)
    values = ATTENTION.values({"length": str(length)})
    return run_kernel(ATTENTION, config, arrays, values, backend or GoldenBackend())


@machines
def test_one_image_serves_every_step(config):
    """One compiled image decodes token after token, with the store of keys and values kept in MEM."""
    check(run(config, 5, 1, 8, 7, [0, 1, 2, 3, 4], 0))


@machines
@pytest.mark.parametrize("shape", [(1, 1, 1, 1), (1, 5, 17, 3), (3, 11, 5, 9), (4, 8, 8, 8)])
def test_awkward_sizes(config, shape):
    """Attention of queries, widths and lengths that fill no vector, against the definition."""
    m, d, e, chunks = shape
    check(run(config, 3, m, d, e, [0, (chunks - 1) * m, chunks // 2 * m], chunks * m))


def test_rows_are_replaced_and_a_run_can_fill_the_store():
    """Rows of the store are replaced where they lie, and the last row can be used."""
    check(run(SMALL, 3, 2, 16, 16, [2, 2, 0], 6))
    check(run(SMALL, 2, 8, 16, 16, [0, 0], 8))


@machines
def test_sequences_one_by_one(config):
    """Runs without positions are sequences of their own, which do not see each other."""
    check(run(config, 2, 9, 10, 7, None, 0))


@pytest.mark.parametrize("config", [SMALL, BASE], ids=lambda config: config.name)
def test_cost(config):
    """Attention of several queries stays close to the bound of cycles."""
    arrays = sample("attention", "float16", 64)
    found = run_kernel(ATTENTION, config, arrays, ATTENTION.values({}), GoldenBackend())
    check(found)
    assert found.measurement.cycles <= 1.3 * found.bound.cycles


@pytest.mark.parametrize("config", [SMALL, BASE], ids=lambda config: config.name)
def test_cost_of_one_query(config):
    """Attention of one query stays close to the bound of cycles."""
    found = run(config, 2, 1, 64, 64, [40, 63], 64)
    check(found)
    assert found.measurement.cycles <= 1.3 * found.bound.cycles


@pytest.mark.parametrize("overrides", [["lanes=8"], ["lanes=8", "superlanes=5"], ["alu_cols=2"]], ids=str)
def test_one_query_on_other_machines(overrides):
    """Attention of one query on machines that no preset describes."""
    check(run(preset("small", overrides), 3, 1, 12, 9, [0, 20, 7], 21))


def test_one_query_finds_the_largest_score_wherever_it_is():
    length = 70
    keys = np.full((length, 1, 3), 12, np.float16)
    keys[1::2] = 30
    keys[::7] *= -1
    arrays: dict[str, np.ndarray] = {
        "q": np.ones((length, 1, 3), np.float16),
        "k": keys,
        "v": np.arange(length, dtype=np.float16).reshape(length, 1, 1),
        "position": np.arange(length, dtype=np.int32),
    }
    check(run_kernel(ATTENTION, BASE, arrays, ATTENTION.values({"length": str(length)}), GoldenBackend()))


def test_rtl():
    """Attention gives the golden machine's bits and cycles on the RTL."""
    check(run(preset("nano"), 3, 1, 8, 8, [0, 1, 2], 8, RtlBackend("verilator")))


@pytest.mark.long
def test_rtl_of_a_larger_machine():
    check(run(SMALL, 2, 1, 20, 17, [0, 18], 19, RtlBackend("verilator")))


def test_refusals():
    with pytest.raises(TaktError, match="length must be a multiple of the 2 rows of a run, not 5"):
        run(preset("nano"), 1, 2, 4, 4, [0], 5)
    with pytest.raises(TaktError, match="position must be a multiple of 2 from 0 to 4, not 3"):
        run(preset("nano"), 1, 2, 4, 4, [3], 6)
