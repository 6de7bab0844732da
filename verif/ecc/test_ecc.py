"""Encoders, decoders and the registers of what was found."""

import pytest

from arch.presets import preset
from verif.bench import each_simulator, run_bench
from verif.ecc.flipped_path import FlippedPath
from verif.ecc.registers import EccRegisters


@each_simulator
@pytest.mark.parametrize("lanes", [4, 8, 16])
def test_code(simulator: str, lanes: int) -> None:
    """Single flipped bits are corrected and pairs detected, for each length of code word."""
    config = preset("nano", [f"lanes={lanes}", "mem_slices=16", "ecc=true"])
    run_bench(
        FlippedPath(config=config),
        "verif.ecc.code_tests",
        simulator,
        name=f"ecc_{lanes}",
        parameters={"config": config.as_dict()},
    )


@each_simulator
def test_registers(simulator: str) -> None:
    """Counts and first places of corrected reads against the definition."""
    run_bench(
        EccRegisters(units=9, rows=3),
        "verif.ecc.registers_tests",
        simulator,
        name="ecc_registers",
        parameters={"units": 9, "rows": 3},
    )
