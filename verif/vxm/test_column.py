"""The VXM's controllers and tiles."""

import pytest

from arch.presets import preset
from verif.bench import run_bench
from verif.vxm.column import VxmColumn


@pytest.mark.parametrize(
    "simulator,machine,settings,cycles",
    [
        ("icarus", "nano", (), 30),
        ("verilator", "nano", (), 300),
        ("verilator", "small", (), 120),
    ],
)
def test_column(simulator: str, machine: str, settings: tuple[str, ...], cycles: int) -> None:
    config = preset(machine, settings)
    run_bench(
        VxmColumn(config),
        "verif.vxm.column_tests",
        simulator,
        parameters={"config": config.as_dict(), "cycles": cycles, "faults": 4 if simulator == "icarus" else 20},
    )
