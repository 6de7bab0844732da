import json

import numpy as np
import pytest

from arch.image import Image
from verif.bits import same_bits
from verif.runtime.command_line import refusal, takt

FIELDS = {
    "preset",
    "backend",
    "dtype",
    "m",
    "k",
    "n",
    "planes",
    "predicted_cycles",
    "cycles",
    "macs",
    "utilisation",
    "matches_golden",
    "seed",
    "sim_cycles_per_s",
}


@pytest.mark.parametrize("preset", ["nano", "small"])
@pytest.mark.parametrize("shape", [(1, 1, 1), (37, 129, 83)])
def test_random_products(preset, shape):
    m, k, n = shape
    result = takt("gemm", "-m", m, "-k", k, "-n", n, "--preset", preset, "--seed", 5, "--json", "-")
    assert result.exit_code == 0, result.stderr
    figures = json.loads(result.stdout)
    assert set(figures) >= FIELDS
    assert (figures["m"], figures["k"], figures["n"], figures["macs"]) == (m, k, n, m * k * n)
    assert (figures["preset"], figures["backend"], figures["dtype"], figures["seed"]) == (preset, "golden", "int8", 5)
    assert figures["cycles"] == figures["predicted_cycles"]
    assert figures["matches_golden"] is True
    assert figures["matches_numpy"] is True
    lanes = {"nano": 8, "small": 16}[preset]
    rate = figures["planes"] * lanes**2
    assert figures["utilisation"] == pytest.approx(m * k * n / figures["cycles"] / rate)


@pytest.mark.parametrize("preset", ["nano", "small"])
def test_own_matrices(preset, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(1)
    a = rng.integers(-128, 128, (40, 60), dtype=np.int8)[1:18:2, ::3]
    b = np.full((20, 11), -128, np.int8).T.copy().T
    a[0] = -128
    np.save("a.npy", np.asfortranarray(a))
    np.save("b.npy", b)
    result = takt("gemm", "--a", "a.npy", "--b", "b.npy", "--out", "c.npy", "--preset", preset, "--json", "-")
    assert json.loads(result.stdout)["seed"] is None
    found = np.load("c.npy")
    assert found.dtype == np.int32
    same_bits(found, a.astype(np.int32) @ b.astype(np.int32))
    assert found[0, 0] == 20 * 128 * 128


@pytest.mark.parametrize("preset", ["nano", "small"])
def test_own_float16_matrices(preset, tmp_path, monkeypatch):
    """One pass over whole numbers is exact in float32: any product of them says what the result is."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(3)
    a, b = rng.integers(-99, 99, (5, 7)).astype(np.float16), rng.integers(-99, 99, (7, 9)).astype(np.float16)
    np.save("a.npy", a)
    np.save("b.npy", b)
    files = ("--a", "a.npy", "--b", "b.npy", "--out", "c.npy")
    result = takt("gemm", "--dtype", "fp16", *files, "--preset", preset, "--json", "-")
    figures = json.loads(result.stdout)
    assert figures["dtype"] == "fp16" and figures["matches_golden"] and figures["matches_numpy"]
    lanes = {"nano": 8, "small": 16}[preset]
    rate = figures["planes"] * lanes**2 / 4
    assert figures["utilisation"] == pytest.approx(5 * 7 * 9 / figures["cycles"] / rate)
    found = np.load("c.npy")
    assert found.dtype == np.float32
    same_bits(found, (a.astype(np.float64) @ b.astype(np.float64)).astype(np.float32))


def test_bias_scale_and_relu(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(2)
    a, b = rng.integers(-128, 128, (9, 20), dtype=np.int8), rng.integers(-128, 128, (20, 13), dtype=np.int8)
    bias, scale = rng.integers(-9999, 9999, 13, dtype=np.int32), rng.uniform(1e-4, 3e-3, 13).astype(np.float32)
    for name, values in (("a", a), ("b", b), ("bias", bias), ("scale", scale)):
        np.save(f"{name}.npy", values)
    more = ["--bias", "bias.npy", "--scale", "scale.npy", "--out", "c.npy", "--preset", "nano"]
    total = a.astype(np.int32) @ b.astype(np.int32) + bias
    scaled = np.clip(np.rint(total.astype(np.float32) * scale), -128, 127).astype(np.int8)
    assert takt("gemm", "--a", "a.npy", "--b", "b.npy", *more).exit_code == 0
    same_bits(np.load("c.npy"), scaled)
    assert takt("gemm", "--a", "a.npy", "--b", "b.npy", *more, "--relu").exit_code == 0
    same_bits(np.load("c.npy"), np.maximum(scaled, 0))


def test_saved_image_runs_again(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert takt("gemm", "-m", 5, "-k", 6, "-n", 7, "--preset", "nano", "--save-image", "g.takt").exit_code == 0
    a, b = np.full((5, 6), -3, np.int8), np.full((6, 7), 5, np.int8)
    np.save("a.npy", a)
    np.save("b.npy", b)
    result = takt("run", "g.takt", "--preset", "nano", "--in", "a=a.npy", "--in", "b=b.npy", "--out", "c=c.npy")
    assert result.stdout.startswith(f"{Image.load('g.takt').cycles} cycles")
    same_bits(np.load("c.npy"), np.full((5, 7), -90, np.int32))
    assert takt("timetable", "g.takt", "-o", "g.svg").exit_code == 0
    assert "ABC" in takt("disasm", "g.takt").stdout
    assert "not for small" in refusal("run", "g.takt", "--preset", "small", "--in", "a=a.npy", "--in", "b=b.npy")


def test_a_problem_larger_than_mem_is_refused_by_how_much():
    message = refusal("gemm", "-m", 2000, "-k", 2000, "-n", 2000)
    assert "MEM of small, 1310720 bytes" in message
    assert "too many" in message


def test_planes_make_it_faster():
    def cycles(planes: int) -> int:
        shape = ("-m", 64, "-k", 64, "-n", 64)
        return json.loads(takt("gemm", *shape, "--planes", planes, "--json", "-").stdout)["cycles"]

    assert cycles(1) <= 1_100
    assert cycles(4) < cycles(1) / 3
