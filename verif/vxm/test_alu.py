"""One ALU of each kind of mesh column: with a multiplier, with an fp32 adder, with functions."""

import pytest

from arch.presets import preset
from verif.bench import each_simulator, run_bench
from verif.vxm.lone_alu import LoneAlu

CONFIG = preset("small", ["alu_rows=1", "streams=16"])


@each_simulator
@pytest.mark.parametrize("column", [0, 1, 2])
def test_alu(simulator: str, column: int) -> None:
    """Every operation and pair of formats of an ALU on corner and random operands, against the golden model."""
    slow = simulator == "icarus"
    run_bench(
        LoneAlu(config=CONFIG, column=column),
        "verif.vxm.alu_tests",
        simulator,
        parameters={
            "column": column,
            "integer_corner_vectors": 3 if slow else 60,
            "float_corner_vectors": 10 if slow else 1000,
            "random_vectors": 300 if slow else 10_000,
        },
    )
