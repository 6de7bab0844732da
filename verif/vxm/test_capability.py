"""What the table's rules ask of the mesh columns."""

import pytest

from arch.presets import preset
from hdl.vxm.capability import Capability, capability


@pytest.mark.parametrize("columns", [2, 4])
def test_costly_functions_alternate(columns: int) -> None:
    config = preset("nano", [f"alu_cols={columns}"])
    found = [capability(config, column) for column in range(columns)]
    assert found == [Capability(column % 2 == 0, column % 2 == 1) for column in range(columns)]
