"""The fetch port and its tiles."""

import pytest

from arch.presets import preset
from verif.bench import run_bench
from verif.icu.fetch_path import FetchPath

MACHINES = {
    "nano": (),
    "lanes8": ("lanes=8", "superlanes=3"),
    "lanes16": ("lanes=16", "mem_slices=16", "superlanes=1"),
    "lanes16_5": ("lanes=16", "mem_slices=16", "superlanes=5"),
    "ecc": ("superlanes=4", "ecc=true"),
    "ecc_lanes16": ("lanes=16", "mem_slices=16", "superlanes=2", "ecc=true"),
}


@pytest.mark.parametrize(
    "simulator,machine",
    [
        ("icarus", "nano"),
        ("icarus", "lanes8"),
        ("icarus", "ecc"),
        ("verilator", "lanes16"),
        ("verilator", "lanes16_5"),
        ("verilator", "ecc_lanes16"),
    ],
)
def test_fetch(simulator: str, machine: str) -> None:
    """Text from streams comes into queues in the cycles that are due, on 1 to 5 superlanes, with flipped bits."""
    config = preset("nano", MACHINES[machine])
    run_bench(
        FetchPath(config=config, queues=3),
        "verif.icu.fetch_tests",
        simulator,
        name=f"fetch_{machine}",
        parameters={"config": config.as_dict(), "queues": 3},
    )
