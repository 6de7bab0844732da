"""The host port and run control."""

import pytest

from arch.presets import preset
from arch.timing import timing
from hdl.host.port import HostPort
from hdl.host.run_control import RunControl
from verif.bench import each_simulator, run_bench


@each_simulator
@pytest.mark.parametrize(
    "lanes,sram_latency,ecc", [(4, 1, False), (8, 2, False), (16, 1, False), (4, 2, True), (16, 1, True)]
)
def test_port(simulator: str, lanes: int, sram_latency: int, ecc: bool) -> None:
    """The host reads and writes MEM, queues and registers, back to back, with pauses, and while the machine is busy."""
    config = preset("nano", [f"lanes={lanes}", "mem_slices=16", f"sram_latency={sram_latency}", f"ecc={ecc}"])
    run_bench(
        HostPort(config=config),
        "verif.host.port_tests",
        simulator,
        name=f"host_port_{lanes}{'_ecc' * ecc}",
        parameters={"config": config.as_dict()},
    )


@each_simulator
def test_run_control(simulator: str) -> None:
    """Start, end, cycle count and fault of runs against the definition of a run's end."""
    config = preset("nano")
    retires = tuple(timing(config)[name].retire for name in ("ABC", "WRITE", "ADD"))
    run_bench(
        RunControl(config=config, retires=retires),
        "verif.host.run_control_tests",
        simulator,
        parameters={"config": config.as_dict(), "retires": retires},
    )
