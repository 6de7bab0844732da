"""One hemisphere's SXM with its controllers."""

from arch.config import Config
from arch.geometry import Hemisphere
from arch.presets import preset
from hdl.sxm.sxm import Sxm
from verif.bench import each_simulator, run_bench


def _run(config: Config, hemisphere: Hemisphere, simulator: str, tests: str = "sxm_tests") -> None:
    parameters = {"config": config.as_dict(), "hemisphere": int(hemisphere), "programs": 4}
    name = f"sxm_{config.name}{'_ecc' if config.ecc else ''}"
    run_bench(lambda: Sxm(config=config), f"verif.sxm.{tests}", simulator, name=name, parameters=parameters)


@each_simulator
def test_nano(simulator: str) -> None:
    """Every unit of the switch and its map registers against the golden machine, cycle by cycle."""
    _run(preset("nano"), Hemisphere.WEST, simulator)


def test_three_superlanes() -> None:
    """A vector length that is no power of two."""
    _run(preset("nano", ["superlanes=3"]), Hemisphere.EAST, "icarus")


def test_small() -> None:
    """The same with 16 lanes and one superlane, as `make sim` uses it."""
    _run(preset("small"), Hemisphere.EAST, "verilator")


def test_rotations_that_leave_streams_alone() -> None:
    """A ROTATE of fewer results than its group of streams drives no others."""
    _run(preset("nano", ["lanes=8"]), Hemisphere.WEST, "icarus")


def test_nano_with_ecc() -> None:
    """With flipped bits on all streams."""
    _run(preset("nano", ["ecc=true"]), Hemisphere.EAST, "icarus")


def test_flipped_bits() -> None:
    """Flipped bits of the switch's operands and maps are corrected and reported in the cycle of their read."""
    _run(preset("nano", ["superlanes=3", "ecc=true"]), Hemisphere.WEST, "icarus", "ecc_tests")


def test_flipped_bits_of_16_lanes() -> None:
    """The same with the code words of 16 lanes, 137 bits each."""
    _run(preset("small", ["ecc=true"]), Hemisphere.WEST, "icarus", "ecc_tests")
