"""Stream checks and the fault register."""

import pytest

from arch.presets import preset
from hdl.checks.fault_register import FaultRegister
from hdl.checks.stream_checks import StreamChecks
from verif.bench import each_simulator, run_bench


@each_simulator
@pytest.mark.parametrize("units,checks", [(1, True), (6, True), (3, False)])
def test_stream_checks(simulator: str, units: int, checks: bool) -> None:
    """Reads of empty registers and double drives are found in their cycle, in every mix of drivers."""
    config = preset("nano", [f"checks={checks}"])
    run_bench(
        StreamChecks(config=config, units=units),
        "verif.checks.stream_checks_tests",
        simulator,
        parameters={"streams": config.streams, "units": units, "checks": checks},
    )


@each_simulator
def test_fault_register(simulator: str) -> None:
    """The first fault is kept: of the first cycle the lowest queue, of it the lowest code."""
    run_bench(FaultRegister(units=70), "verif.checks.fault_register_tests", simulator, parameters={"units": 70})
