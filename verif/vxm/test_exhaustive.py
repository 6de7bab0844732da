"""One ALU, every operand that can be gone through."""

import pytest

from verif.bench import run_bench
from verif.vxm.streaming import streaming_alu


@pytest.mark.parametrize("column", [0, 1])
@pytest.mark.parametrize("every_format", [False, pytest.param(True, marks=pytest.mark.long)])
def test_exhaustive(column: int, every_format: bool) -> None:
    """Operands of 8 and 16 bits are gone through, so that no value is left to chance."""
    run_bench(
        streaming_alu(column),
        "verif.vxm.exhaustive_tests",
        "verilator",
        name="streaming_alu",
        parameters={"column": column, "every_format": every_format},
    )
