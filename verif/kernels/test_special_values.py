"""Kernels on NaN, infinities, zeros of both signs, subnormal and the largest numbers: each bit is the definition's."""

import json

import numpy as np
import pytest

from compiler.library.catalogue import KERNELS
from runtime.backend import GoldenBackend
from runtime.comparison import canonical
from runtime.kernel import run_kernel
from runtime.kernel_samples import SAMPLES, sample
from verif.bench import default_seed
from verif.bits import same_bits
from verif.kernels.test_kernels import FORMATS, NANO, SMALL, check
from verif.runtime.command_line import takt

PATTERNS = {
    2: {
        "nan": [0x7E00, 0xFE00, 0x7C01, 0x7DFF, 0xFDAB],
        "inf": [0x7C00, 0xFC00],
        "zero": [0x0000, 0x8000],
        "tiny": [0x0001, 0x8001, 0x03FF],
        "huge": [0x7BFF, 0xFBFF],
    },
    4: {
        "nan": [0x7FC00000, 0xFFC00000, 0x7F800001, 0x7FBFFFFF, 0xFFABCDEF],
        "inf": [0x7F800000, 0xFF800000],
        "zero": [0x00000000, 0x80000000],
        "tiny": [0x00000001, 0x80000001, 0x007FFFFF],
        "huge": [0x7F7FFFFF, 0xFF7FFFFF],
    },
}
KINDS = (*PATTERNS[4], "all")
FLOATS = [item for item in FORMATS if item[1] != "int8"]


def sprinkled(arrays, kind, rng):
    """Return arrays in which a fifth of the floats, and a whole row of some, are special."""
    found = {}
    for name, array in arrays.items():
        if array.dtype.kind != "f":
            found[name] = array
            continue
        pool = PATTERNS[array.itemsize]
        patterns = np.concatenate(list(pool.values()) if kind == "all" else [pool[kind]]).astype(f"u{array.itemsize}")
        changed = array.copy()
        chosen = rng.random(array.shape) < 0.2
        if array.ndim > 1 and rng.random() < 0.5:
            chosen[rng.integers(len(array))] = True
        changed.view(patterns.dtype)[chosen] = rng.choice(patterns, chosen.sum())
        found[name] = changed
    return found


@pytest.mark.parametrize("name,dtype", FLOATS)
def test_special_values(name, dtype):
    seed = default_seed(f"{name} {dtype}")
    rng = np.random.default_rng(seed)
    print(f"seed {seed}")
    config = (NANO, SMALL)[int(rng.integers(2))]
    for kind in KINDS if KERNELS[name].steps == () else ("all",):
        arrays = sprinkled(sample(name, dtype, 5, seed), kind, rng)
        check(run_kernel(KERNELS[name], config, arrays, KERNELS[name].values({}), GoldenBackend()))


@pytest.mark.long
@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("name,dtype", FLOATS)
def test_special_values_at_length(name, dtype, seed):
    rng = np.random.default_rng(seed)
    arrays = sprinkled(sample(name, dtype, int(rng.integers(1, 12)), seed), rng.choice(KINDS), rng)
    for config in (NANO, SMALL):
        check(run_kernel(KERNELS[name], config, arrays, KERNELS[name].values({}), GoldenBackend()))


def masked(dtype):
    """Return scores of which a row is masked throughout, one in part, and one is infinite."""
    x = np.zeros((4, 6), dtype)
    x[1], x[2, 3:], x[3, 2] = -np.inf, -np.inf, np.inf
    return x


@pytest.mark.parametrize(("backend", "dtype"), [("golden", "float16"), ("golden", "float32"), ("icarus", "float16")])
def test_softmax_of_a_masked_row(dtype, backend, tmp_path):
    np.save(tmp_path / "x.npy", masked(dtype))
    files = ("--in", f"x={tmp_path}/x.npy", "--out", tmp_path / "y.npy", "--json", "-")
    result = takt("kernel", "softmax", *files, "--preset", "nano", "--backend", backend)
    assert result.exit_code == 0, result.stderr
    figures = json.loads(result.stdout)
    assert figures["matches_golden"] is True and figures["matches_definition"] is True
    y = np.load(tmp_path / "y.npy")
    same_bits(y[[1, 3]], canonical(np.full((2, 6), np.nan, dtype)))
    assert np.isfinite(y[[0, 2]]).all() and not y[2, 3:].any()


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_one_bad_query_or_key_of_attention_spoils_no_other(value):
    """Queries share vectors, and those beyond the last one meet every key: neither may reach another's result."""
    arrays = sample("attention", "float16", 5)
    arrays["q"][0, 3] = value
    arrays["k"][0, 4, 1] = value
    kernel = KERNELS["attention"]
    found = run_kernel(kernel, SMALL, arrays, kernel.values({}), GoldenBackend())
    check(found)
    assert np.isfinite(found.outputs["y"][0, :3]).all()
    assert np.isnan(found.outputs["y"][0, 3]).all()


def test_moving_kernels_keep_every_nan(rng):
    bits = rng.integers(0x7F800001, 0x7FFFFFFF, (5, 7)).astype(np.uint32)
    kernel = KERNELS["transpose"]
    found = run_kernel(kernel, NANO, {"x": bits.view(np.float32)}, kernel.values({}), GoldenBackend())
    same_bits(found.outputs["y"], bits.view(np.float32).T)


def test_samples_cover_every_kernel():
    assert {name for name, _ in FLOATS} == set(SAMPLES)
