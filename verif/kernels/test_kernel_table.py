"""The table of docs/kernels.md against what the compiler makes today."""

import re

import pytest

from arch.presets import preset
from compiler.library.catalogue import KERNELS
from compiler.program import Program
from runtime.kernel_samples import SAMPLES, sample
from verif.repo.files import ROOT

TABLE = (ROOT / "docs" / "kernels.md").read_text().partition("<!-- takt kernels -->\n")[2].partition("\n<!--")[0]
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in TABLE.splitlines()[2:]]
SLOW = {"softmax", "layernorm", "lstm", "gru", "attention"}
"""Compiled in seconds."""


def test_every_kernel_has_its_rows() -> None:
    formats = [(name, dtype) for name in KERNELS for dtype in SAMPLES[name][1]]
    assert [(row[0], row[1], row[3]) for row in ROWS] == [
        (name, machine, dtype) for machine in ("small", "base") for name, dtype in formats
    ]
    assert all(row[7] == "yes" for row in ROWS)


@pytest.mark.parametrize(
    "row",
    [pytest.param(row, marks=[pytest.mark.long] if row[0] in SLOW or row[1] == "base" else []) for row in ROWS],
    ids=lambda row: "-".join((row[0], row[1], row[3])),
)
def test_cycles_and_bound_are_todays(row) -> None:
    name, machine, size, dtype, cycles, bound, over, _, limit = row
    kernel, config = KERNELS[name], preset(machine)
    arrays, values = sample(name, dtype, int(size)), kernel.values({})
    program = Program(config, name)
    for result, tensor in kernel.build(program, arrays, values).items():
        program.output(result, tensor)
    image, least = program.compile(), kernel.bound(config, arrays, values)
    again = "run: make docs"
    assert (f"{image.cycles:,}", f"{least.cycles:,}", least.limit) == (cycles, bound, limit), again
    assert over == f"{image.cycles / least.cycles - 1:.1%}"
    assert re.fullmatch(r"[\d,]+", cycles)
