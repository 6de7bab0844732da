"""What the table's rules ask of the mesh columns."""

import pytest

from arch.presets import preset
from hdl.vxm.capability import Capability, capability


@pytest.mark.parametrize("columns", [2, 4])
def test_costly_operations_alternate_and_one_column_has_functions(columns: int) -> None:
    config = preset("nano", [f"alu_cols={columns}"])
    found = [capability(config, column) for column in range(columns)]
    assert found == [
        Capability(multiply=column % 2 == 0, float_add=column % 2 == 1, functions=column == columns - 2)
        for column in range(columns)
    ]
