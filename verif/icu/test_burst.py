"""The burst engine."""

import pytest

from hdl.icu.burst import BurstEngine
from verif.bench import each_simulator, run_bench


@each_simulator
@pytest.mark.parametrize("addr_bits,stride_bits", [(0, 0), (5, 11), (13, 11)])
def test_burst(simulator: str, addr_bits: int, stride_bits: int) -> None:
    """Counts, intervals and addresses of bursts, and words that issue into a running one."""
    run_bench(
        BurstEngine(addr_bits=addr_bits, stride_bits=stride_bits),
        "verif.icu.burst_tests",
        simulator,
        name=f"burst_{addr_bits}",
        parameters={"addr_bits": addr_bits},
    )
