"""One ALU of an even and of an odd mesh column."""

import pytest

from arch.presets import preset
from hdl.vxm.alu import VxmAlu
from hdl.vxm.capability import capability
from verif.bench import each_simulator, run_bench


@each_simulator
@pytest.mark.parametrize("column", [0, 1])
def test_alu(simulator: str, column: int) -> None:
    able = capability(preset("small"), column)
    slow = simulator == "icarus"
    run_bench(
        VxmAlu(lanes=16, streams=4, rows=1, multiply=able.multiply, float_add=able.float_add),
        "verif.vxm.alu_tests",
        simulator,
        parameters={
            "column": column,
            "integer_corner_vectors": 3 if slow else 60,
            "float_corner_vectors": 10 if slow else 1000,
            "random_vectors": 300 if slow else 10_000,
        },
    )
