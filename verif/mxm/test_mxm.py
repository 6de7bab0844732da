"""One plane with its controllers."""

from arch.config import Config
from arch.geometry import Hemisphere
from arch.presets import preset
from hdl.mxm.mxm import Mxm
from verif.bench import each_simulator, run_bench


def _run(config: Config, hemisphere: Hemisphere, simulator: str, programs: int) -> None:
    parameters = {"config": config.as_dict(), "hemisphere": int(hemisphere), "programs": programs}
    run_bench(
        lambda: Mxm(config=config, hemisphere=hemisphere),
        "verif.mxm.mxm_tests",
        simulator,
        name=f"mxm_{config.name}{'_ecc' if config.ecc else ''}",
        parameters=parameters,
    )


@each_simulator
def test_nano(simulator: str) -> None:
    """Loads, products and accumulators of a plane with 2 superlanes against the golden machine, cycle by cycle."""
    _run(preset("nano"), Hemisphere.WEST, simulator, programs=4)


def test_three_superlanes() -> None:
    """A stagger that is no power of two, and more than one block to travel."""
    _run(preset("nano", ["superlanes=3", "lanes=8"]), Hemisphere.EAST, "verilator", programs=4)


def test_small() -> None:
    """The same with 16 lanes and one superlane, as `make sim` uses it."""
    _run(preset("small"), Hemisphere.EAST, "verilator", programs=4)


def test_nano_with_ecc() -> None:
    """With flipped bits on all streams."""
    _run(preset("nano", ["ecc=true"]), Hemisphere.EAST, "icarus", programs=6)
