"""One ALU, fp32 operands by the million."""

import pytest

from verif.bench import run_bench
from verif.vxm.streaming import streaming_alu


@pytest.mark.parametrize("column", [0, 1, 2])
@pytest.mark.parametrize("vectors", [200_000, pytest.param(12_000_000, marks=pytest.mark.long)])
def test_campaign(column: int, vectors: int) -> None:
    """Rounding, alignment and normalisation of fp32 go wrong for few operands: hundreds of thousands of them."""
    run_bench(
        streaming_alu(column),
        "verif.vxm.campaign_tests",
        "verilator",
        name="streaming_alu",
        parameters={"column": column, "vectors": vectors},
    )
