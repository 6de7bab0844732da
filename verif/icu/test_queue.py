"""The instruction queue."""

import pytest

from arch.geometry import UnitKind
from arch.presets import preset
from hdl.icu.queue import InstructionQueue
from verif.bench import each_simulator, run_bench


@each_simulator
@pytest.mark.parametrize(
    ("kind", "column"),
    [(UnitKind.MEM, 0), (UnitKind.VXM, 0), (UnitKind.VXM, 1), (UnitKind.MXM_RESULTS, 0), (UnitKind.C2C, 0)],
)
def test_queue(simulator: str, kind: UnitKind, column: int) -> None:
    """Programs, text that comes in time or late, and illegal words of each kind of queue, against the golden queue."""
    config = preset("nano", ["queue_depth=16"])
    run_bench(
        InstructionQueue(config=config, kind=kind, column=column),
        "verif.icu.queue_tests",
        simulator,
        name=f"queue_{kind.name.lower()}_{column}",
        parameters={"kind": kind.name, "column": column},
    )
