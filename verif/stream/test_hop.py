"""The stream registers of one position."""

import pytest

from arch.presets import preset
from hdl.stream.hop import StreamHop
from verif.bench import each_simulator, run_bench

CASES = {
    "edge": ((), ()),
    "mem": ((1, 1), ()),
    "switch": ((1, 1, 4), ("streams=12",)),
    "wide": ((1, 16), ("lanes=16", "streams=16", "mem_slices=16")),
    "vxm": ((4,) * 9, ("lanes=8", "streams=24")),
    "ecc": ((1, 4), ("ecc=true", "streams=12")),
    "ecc_coded": ((1, 1), ("ecc=true", "lanes=8", "streams=8")),
}


@each_simulator
@pytest.mark.parametrize("case", CASES)
def test_hop(simulator: str, case: str) -> None:
    """Stream registers move on, and drivers of every width replace what they drive only, with and without ECC."""
    drivers, settings = CASES[case]
    config = preset("nano", settings)
    run_bench(
        StreamHop(config=config, drivers=drivers, coded=case.endswith("coded")),
        "verif.stream.hop_tests",
        simulator,
        name=f"hop_{case}",
        parameters={
            "drivers": drivers,
            "streams": config.streams,
            "lanes": config.lanes,
            "ecc_bits": config.ecc_bits,
            "coded": case.endswith("coded"),
        },
    )
