import json

import numpy as np
import pytest

from arch.presets import PRESETS
from runtime.backend import make_backend
from runtime.bench import Case, bench_cases
from runtime.commands import demo_command, gemm_command
from runtime.commands.bench_command import BENCH_COLUMNS
from runtime.digits.quantised import QuantisedMlp
from verif.runtime.command_line import refusal, takt


def test_bench_leaves_out_what_does_not_fit(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("<!-- takt bench -->\n<!-- /takt bench -->\n")
    figures = tmp_path / "bench.json"
    result = takt("bench", "--preset", "nano", "--backend", "golden", "--json", figures, "--markdown", page)
    assert result.exit_code == 0, result.stderr
    rows = json.loads(figures.read_text())
    assert [row["work"] for row in rows] == ["64x64x64"]
    assert rows[0]["preset"] == "nano"
    assert rows[0]["cycles"] == rows[0]["predicted_cycles"]
    assert result.stderr.count("left out: ") == 6
    lines = page.read_text().splitlines()
    assert lines[1] == "| " + " | ".join(BENCH_COLUMNS) + " |"
    assert len(lines) == 5
    assert lines[3].startswith("| 64x64x64, 1 plane | nano | golden |")


def test_products_of_the_bench_are_compiled_into_few_cycles():
    """Cycles of the compiler, which the long test holds against the golden model's."""
    cases = [case for case in bench_cases(PRESETS["small"], make_backend("golden")) if isinstance(case, Case)]
    images = {(case.shape, case.planes, case.dtype): case.compile() for case in cases}
    cycles = {key: image.cycles for key, image in images.items()}
    assert cycles[(64, 64, 64), 1, "int8"] <= 1_100
    assert cycles[(256, 256, 256), 1, "int8"] <= 66_000
    assert cycles[(1, 512, 512), 1, "int8"] <= 1_150
    assert cycles[(512, 512, 512), 1, "int8"] <= 131_700
    assert cycles[(128, 128, 128), 2, "fp16"] <= 128**3 / (2 * 16**2 / 4) / 0.988
    assert cycles[(256, 256, 256), 4, "fp16"] <= 256**3 / (4 * 16**2 / 4) / 0.988


@pytest.mark.long
def test_bench_meets_its_bounds(tmp_path):
    result = takt("bench", "--backend", "golden", "--json", "-")
    assert result.exit_code == 0, result.stderr
    assert max(row["instructions"] for row in json.loads(result.stdout)) > 100_000
    cycles = {(row["work"], row["planes"], row["preset"]): row["cycles"] for row in json.loads(result.stdout)}
    assert cycles["64x64x64", 1, "small"] <= 1_100
    assert cycles["256x256x256", 1, "small"] <= 66_000
    assert cycles["1x512x512", 1, "small"] <= 1_150
    assert cycles["256x256x256", 1, "small"] >= 3.6 * cycles["256x256x256", 4, "small"]
    assert cycles["512x512x512", 1, "small, 32 lanes"] <= 131_700
    utilisation = {(row["work"], row["planes"]): row["utilisation"] for row in json.loads(result.stdout)}
    assert utilisation["128x128x128 fp16", 2] >= 0.988
    assert utilisation["256x256x256 fp16", 2] >= 0.988
    assert utilisation["256x256x256 fp16", 4] >= 0.988


def test_bench_refuses_wrong_pages(tmp_path):
    (tmp_path / "page.md").write_text("nothing here\n")
    arguments = ("bench", "--preset", "nano", "--backend", "golden", "--markdown", tmp_path / "page.md")
    assert takt(*arguments).exit_code == 2
    assert "must end in .md" in refusal("bench", "--markdown", tmp_path / "page.txt")


def test_demo_ends_in_a_table(tmp_path):
    result = takt("demo", "--backend", "golden", "--json", tmp_path / "demo.json")
    assert result.exit_code == 0, result.stderr
    lines = result.stdout.splitlines()
    assert lines[-1].startswith("every output bit and every cycle as predicted")
    rows = json.loads((tmp_path / "demo.json").read_text())
    assert {row["work"] for row in rows} >= {"digits, 60 images", "64x64x64", "1x512x512"}
    assert all(row["matches_golden"] and row["matches_numpy"] for row in rows)


CALLS = {
    "gemm": ("-m", 3, "-k", 3, "-n", 3),
    "kernel": ("softmax", "--in", "x=x.npy"),
    "digits": ("--count", 3),
    "bench": (),
    "demo": (),
}


@pytest.mark.parametrize(
    ("command", "as_json"),
    # What trains a network comes once.
    [(command, True) for command in CALLS] + [(command, False) for command in ("gemm", "kernel", "bench")],
)
def test_a_mismatch_is_an_exit_code(command, as_json, tmp_path, monkeypatch):
    """And it is shown: where, how many elements, the first ones."""

    def wrong(gemm, config):
        return np.zeros((gemm.a.shape[0], gemm.b.shape[1]), np.int32)

    monkeypatch.setattr(gemm_command, "gemm_reference", wrong)
    monkeypatch.setattr("runtime.bench.gemm_reference", wrong)
    monkeypatch.setattr(demo_command, "_cases", lambda config, machine: demo_cases(config, machine)[:1])
    monkeypatch.setattr("runtime.kernel.define", lambda name, config, arrays, values: {"y": 2 * arrays["x"]})
    monkeypatch.setattr(QuantisedMlp, "logits", lambda self, pixels: np.full((len(pixels), 10), 1 << 30, np.int32))
    monkeypatch.setattr(demo_command, "_KERNELS", {})
    monkeypatch.chdir(tmp_path)
    np.save("x.npy", np.ones((2, 4), np.float32))
    more = ("--json", "-") if as_json else ()
    result = takt(command, *CALLS[command], "--preset", "nano", "--backend", "golden", *more)
    assert result.exit_code == 1
    shown = result.stderr if as_json else result.stdout
    assert "beside the reference: " in shown and " elements:" in shown and "] must be " in shown
    if not as_json:
        assert "NO" in result.stdout
        return
    figures = json.loads(result.stdout)
    for row in figures if isinstance(figures, list) else [figures]:
        assert "beside the reference: " in row["mismatches"][0]


demo_cases = demo_command._cases
