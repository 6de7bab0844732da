"""One hemisphere's SXM with its controllers."""

from arch.config import Config
from arch.geometry import Hemisphere
from arch.presets import preset
from hdl.sxm.sxm import Sxm
from verif.bench import each_simulator, run_bench


def _run(config: Config, hemisphere: Hemisphere, simulator: str) -> None:
    parameters = {"config": config.as_dict(), "hemisphere": int(hemisphere), "programs": 4}
    run_bench(
        lambda: Sxm(config=config), "verif.sxm.sxm_tests", simulator, name=f"sxm_{config.name}", parameters=parameters
    )


@each_simulator
def test_nano(simulator: str) -> None:
    _run(preset("nano"), Hemisphere.WEST, simulator)


def test_three_superlanes() -> None:
    """A vector length that is no power of two."""
    _run(preset("nano", ["superlanes=3"]), Hemisphere.EAST, "icarus")


def test_small() -> None:
    _run(preset("small"), Hemisphere.EAST, "verilator")


def test_rotations_that_leave_streams_alone() -> None:
    _run(preset("nano", ["lanes=8"]), Hemisphere.WEST, "icarus")
