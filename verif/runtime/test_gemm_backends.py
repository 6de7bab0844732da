"""`takt gemm` on the RTL, held against NumPy here once more."""

import json

import numpy as np
import pytest

from verif.bits import same_bits
from verif.runtime.command_line import takt

LONG = pytest.mark.long


@pytest.mark.parametrize(
    ("backend", "preset", "shape"),
    [
        ("verilator", "nano", (1, 1, 1)),
        ("verilator", "nano", (37, 129, 83)),
        ("verilator", "small", (1, 1, 1)),
        ("verilator", "small", (37, 129, 83)),
        ("icarus", "nano", (1, 1, 1)),
        pytest.param("icarus", "nano", (37, 129, 83), marks=LONG),
        pytest.param("icarus", "small", (1, 1, 1), marks=LONG),
        pytest.param("icarus", "small", (37, 129, 83), marks=LONG),
    ],
)
def test_own_matrices(backend, preset, shape, tmp_path, monkeypatch):
    """`takt gemm` on one's own files gives NumPy's bits and the predicted cycles on every backend."""
    monkeypatch.chdir(tmp_path)
    m, k, n = shape
    rng = np.random.default_rng(sum(shape))
    a = rng.integers(-128, 128, (m, 2 * k), dtype=np.int8)[:, ::2]
    b = rng.integers(-128, 128, (n, k), dtype=np.int8).T
    a[-1], b[:, -1] = -128, -128
    np.save("a.npy", a)
    np.save("b.npy", b)
    files = ("--a", "a.npy", "--b", "b.npy", "--out", "c.npy", "--json", "-")
    result = takt("gemm", *files, "--backend", backend, "--preset", preset)
    assert result.exit_code == 0, result.stderr
    same_bits(np.load("c.npy"), a.astype(np.int32) @ b.astype(np.int32))
    figures = json.loads(result.stdout)
    assert figures["backend"] == backend
    assert figures["predicted_cycles"] == figures["golden_cycles"] == figures["cycles"]
    assert figures["matches_golden"] is True
    assert figures["sim_cycles_per_s"] > 0
