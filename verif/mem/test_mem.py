"""The MEM slices of one position."""

import pytest

from arch.presets import preset
from verif.bench import run_bench
from verif.mem.mem_position import MemPosition

CASES = {
    "nano": ("slices_per_hop=2", "mem_depth=16"),
    "ecc": ("slices_per_hop=2", "mem_depth=16", "ecc=true"),
    "ecc_latency": ("slices_per_hop=4", "mem_depth=16", "sram_latency=2", "superlanes=3", "lanes=8", "ecc=true"),
    "latency": ("slices_per_hop=4", "mem_depth=32", "sram_latency=2", "superlanes=3", "streams=12"),
}


@pytest.mark.parametrize(
    "simulator,case,slice_number,programs",
    [
        ("icarus", "nano", 0, 3),
        ("icarus", "latency", 9, 2),
        ("icarus", "ecc", 2, 2),
        ("verilator", "ecc", 11, 12),
        pytest.param("verilator", "ecc_latency", 4, 4, marks=pytest.mark.long),
        ("verilator", "nano", 12, 20),
        ("verilator", "latency", 4, 8),
    ],
)
def test_mem(simulator: str, case: str, slice_number: int, programs: int) -> None:
    """READ, WRITE, GATHER and SCATTER of a position's slices against the golden machine, with latencies and ECC."""
    config = preset("nano", CASES[case])
    run_bench(
        lambda: MemPosition(config=config),
        "verif.mem.mem_tests",
        simulator,
        name=f"mem_{case}",
        parameters={"config": config.as_dict(), "slice": slice_number, "programs": programs},
    )
