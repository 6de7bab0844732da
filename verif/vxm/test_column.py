"""The VXM's controllers and tiles."""

import pytest

from arch.presets import preset
from verif.bench import run_bench
from verif.vxm.column import VxmColumn


@pytest.mark.parametrize(
    "simulator,machine,settings,cycles",
    [
        ("icarus", "nano", (), 24),
        ("icarus", "nano", ("alu_rows=3", "alu_cols=2", "superlanes=1"), 60),
        ("icarus", "nano", ("alu_rows=1", "ecc=true"), 16),
        ("verilator", "nano", (), 250),
        pytest.param(
            *("verilator", "nano", ("lanes=8", "superlanes=3", "alu_rows=2", "alu_cols=2", "ecc=true"), 100),
            marks=pytest.mark.long,
        ),
        pytest.param("verilator", "small", ("alu_rows=1",), 250, marks=pytest.mark.long),
    ],
)
def test_column(simulator: str, machine: str, settings: tuple[str, ...], cycles: int) -> None:
    """The VXM's controllers, mesh and chaining: random words at full rate, and faults, against the golden machine."""
    config = preset(machine, settings)
    run_bench(
        VxmColumn(config),
        "verif.vxm.column_tests",
        simulator,
        parameters={"config": config.as_dict(), "cycles": cycles, "faults": 4 if simulator == "icarus" else 20},
    )
