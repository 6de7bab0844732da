"""A pair of planes with its controllers."""

import pytest

from arch.config import Config
from arch.geometry import Hemisphere
from arch.presets import preset
from hdl.mxm.pair import MxmPair
from verif.bench import each_simulator, run_bench


def _run(config: Config, hemisphere: Hemisphere, simulator: str, programs: int, tests: str = "pair_tests") -> None:
    parameters = {"config": config.as_dict(), "hemisphere": int(hemisphere), "programs": programs}
    run_bench(
        lambda: MxmPair(config=config, hemisphere=hemisphere),
        f"verif.mxm.{tests}",
        simulator,
        name=f"mxm_pair_{config.name}{'_ecc' if config.ecc else ''}",
        parameters=parameters,
    )


@each_simulator
def test_nano(simulator: str) -> None:
    """fp16 products over both planes of a pair, mixed with int8 ones, against the golden machine, cycle by cycle."""
    _run(preset("nano"), Hemisphere.EAST, simulator, programs=1 if simulator == "icarus" else 4)


@pytest.mark.long
def test_three_superlanes() -> None:
    """A stagger that is no power of two, and more than one block to travel."""
    _run(preset("nano", ["superlanes=3", "lanes=8"]), Hemisphere.WEST, "verilator", programs=2)


def test_small() -> None:
    """The same with 16 lanes: sums of 16 exact products rounded once."""
    _run(preset("small"), Hemisphere.WEST, "verilator", programs=2)


def test_nano_with_ecc() -> None:
    """With flipped bits on all streams."""
    _run(preset("nano", ["ecc=true"]), Hemisphere.WEST, "icarus", programs=4)


def test_flipped_bits() -> None:
    """Flipped bits of weights and activations are corrected and reported in the cycle of their read."""
    config = preset("nano", ["superlanes=3", "acc_depth=16", "ecc=true"])
    _run(config, Hemisphere.EAST, "icarus", 4, "ecc_tests")


@pytest.mark.long
def test_flipped_bits_of_16_lanes() -> None:
    """The same with the code words of 16 lanes, 137 bits each."""
    _run(preset("small", ["acc_depth=16", "ecc=true"]), Hemisphere.WEST, "verilator", 4, "ecc_tests")
