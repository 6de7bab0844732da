"""docs/gemm.md shows what the compiler makes of products of all sizes today, and it is good enough."""

import random
import re
import statistics
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner

from arch.document import markers
from arch.presets import preset
from runtime.backend import GoldenBackend
from runtime.gemm import blank_gemm, compile_gemm, gemm_reference, randomised
from runtime.measure import measure
from verif.products import __main__ as command
from verif.products import layers, one_row
from verif.products.parts import least_parts, parts_of
from verif.products.table import MACHINES, SIZES, Case, cases, measured, sections, worst
from verif.repo.files import ROOT

DOCUMENT = (ROOT / "docs" / "gemm.md").read_text(encoding="utf-8")
AGAIN = "run: python -m verif.products --markdown docs/gemm.md"
KINDS = [(machine, dtype) for machine in MACHINES for dtype in command.FORMATS]
SAMPLE = 12
"""Products of a kind that are compiled again, of the same seed every time."""


def part(name: str) -> str:
    start, stop = markers(f"products {name}")
    assert DOCUMENT.count(start) == DOCUMENT.count(stop) == 1, name
    return DOCUMENT.partition(start)[2].partition(stop)[0].strip("\n")


def rows(name: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in part(name).splitlines()[2:]]


def cells(machine: str, dtype: str) -> dict[Case, str]:
    return {
        Case(machine, dtype, int(m), int(k), n): cell
        for m, k, *line in rows(f"{machine} {dtype}")
        for n, cell in zip(SIZES, line, strict=True)
    }


@pytest.mark.parametrize(("machine", "dtype"), KINDS)
def test_products_reach_their_bound(machine: str, dtype: str) -> None:
    found = cells(machine, dtype)
    assert [*found] == [*cases(machine, dtype)]
    percent = [int(re.fullmatch(r"[\d,]+ \((\d+)%\)", cell)[1]) for cell in found.values()]  # type: ignore[index]
    assert max(percent) <= 100
    assert statistics.median(percent) >= 90
    assert min(percent) >= 60


@pytest.mark.parametrize(("machine", "dtype"), KINDS)
def test_sampled_products_are_todays(machine: str, dtype: str) -> None:
    found = cells(machine, dtype)
    for case in random.Random(f"{machine} {dtype}").sample([*found], SAMPLE):
        result = measured(case)
        assert found[case] == result.cell, f"{case}: {AGAIN}"
        assert result.bound.cycles <= result.cycles
        assert result.parts.cycles == result.cycles


def test_the_slowest_are_todays() -> None:
    results = [
        measured(Case(machine, dtype, *(int(size) for size in shape.split(" x "))))
        for machine, dtype, shape, *_ in rows("worst")
    ]
    assert worst(results) == part("worst"), AGAIN


def test_dependent_layers_are_todays() -> None:
    columns = {row[0]: row for row in rows("layers")}
    assert int(columns["groqchip"][1]) == layers.layers(preset("groqchip"), layers.LAYERS).cycles, AGAIN
    assert float(columns["groqchip"][2]) <= 75
    assert float(columns["base"][2]) <= 110


def test_large_matrices_and_one_row_are_todays() -> None:
    for case, row in zip(one_row.CASES, rows("one row"), strict=False):
        cycles = compile_gemm(case.config, blank_gemm(1, case.k, case.n)).cycles
        assert row[2] == one_row.cell(cycles, int(row[3])), f"{case}: {AGAIN}"


@pytest.mark.long
def test_every_part_is_todays() -> None:
    found = sections(measured(case) for kind in KINDS for case in cases(*kind)) | {
        "layers": layers.section(),
        "one row": one_row.section(),
    }
    assert {name: part(name) for name in found} == found, AGAIN
    assert set(re.findall(r"<!-- products (.+) -->", DOCUMENT)) == set(found)


@pytest.mark.parametrize(
    ("machine", "dtype", "shape"),
    [
        ("small", "int8", (7, 33, 200)),
        ("small", "fp16", (33, 16, 33)),
        ("base", "int8", (33, 200, 64)),
        ("base", "fp16", (1, 200, 200)),
    ],
)
def test_products_are_right_on_the_golden_model(machine: str, dtype: str, shape: tuple[int, int, int]) -> None:
    config = preset(machine)
    gemm = randomised(blank_gemm(*shape, dtype), seed=1)
    image = compile_gemm(config, gemm)
    result = measure(
        image, [{"a": gemm.a, "b": gemm.b}], GoldenBackend(), [{"c": np.asarray(gemm_reference(gemm, config))}]
    )
    assert result.right, result.mismatches


def test_a_product_of_one_element_is_nothing_but_latency() -> None:
    config = preset("small")
    parts = parts_of(compile_gemm(config, blank_gemm(1, 1, 1)))
    assert parts == replace(least_parts(config, "int8", 1, 1, 1), arrays=1)
    assert parts.waits == 0
    assert parts.rows == 1


def test_command_writes_every_part(tmp_path, monkeypatch) -> None:
    # All of them take minutes: two are enough to see that each lands between its markers.
    monkeypatch.setattr(command, "cases", lambda machine, dtype: [*cases(machine, dtype)][:1])
    monkeypatch.setattr(command, "sections", lambda found: {"summary": f"{len(found)} products"})
    monkeypatch.setattr(layers, "section", lambda: "layers, too")
    monkeypatch.setattr(one_row, "section", lambda: "and rows")
    page = tmp_path / "page.md"
    parts = [markers(f"products {name}") for name in ("summary", "layers", "one row")]
    page.write_text("".join(f"before\n{start}\nold\n{stop}\nafter\n" for start, stop in parts))
    assert CliRunner().invoke(command.main, ["--markdown", str(page)]).exit_code == 0
    texts = zip(parts, ("4 products", "layers, too", "and rows"), strict=True)
    assert page.read_text() == "".join(f"before\n{start}\n{text}\n{stop}\nafter\n" for (start, stop), text in texts)
