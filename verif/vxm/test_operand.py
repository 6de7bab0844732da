"""What ALUs take from streams, with ECC."""

import pytest

from arch.presets import preset
from hdl.vxm.capability import capability
from verif.bench import run_bench
from verif.vxm.lone_alu import LoneAlu


@pytest.mark.parametrize(
    "simulator,lanes,pairs", [("icarus", 4, 200), pytest.param("verilator", 16, 1000, marks=pytest.mark.long)]
)
def test_operand(simulator: str, lanes: int, pairs: int) -> None:
    """Flipped bits of an ALU's operands are corrected and reported for the streams that it reads, and no others."""
    settings = [f"lanes={lanes}", f"mem_slices={lanes}", "alu_rows=1", "streams=16", "ecc=true"]
    config = preset("nano", settings)
    column = next(column for column in range(config.alu_cols) if capability(config, column).functions)
    run_bench(
        LoneAlu(config=config, column=column),
        "verif.vxm.operand_tests",
        simulator,
        name=f"operand_lanes{lanes}",
        parameters={"config": config.as_dict(), "pairs": pairs},
    )
