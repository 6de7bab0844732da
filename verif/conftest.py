"""What every test may use, a seeded random generator, and what reports say: seed, compiler and costs."""

import os

import numpy as np
import pytest

from arch.errors import TaktError
from runtime.simulator import MissingTool
from runtime.simulator.toolchain import simulator_text
from verif.bench import default_seed
from verif.cost import CostPlugin


def pytest_configure(config: pytest.Config) -> None:
    """Note what each test costs."""
    config.pluginmanager.register(CostPlugin(), "cost")


def pytest_report_header() -> list[str]:
    """Say how the random tests of this run are seeded, and what compiles the simulators."""
    seed = os.environ.get("TAKT_SEED")
    try:
        simulator = simulator_text("verilator")
    except (MissingTool, TaktError) as error:
        simulator = str(error)
    return [
        f"seed: {seed} (TAKT_SEED)" if seed else "seed: fixed per test (TAKT_SEED=n changes all of them)",
        f"simulator: {simulator}",
    ]


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> np.random.Generator:
    """NumPy's generator with a seed of the test's own, which is printed if the test fails."""
    seed = default_seed(request.node.nodeid)
    print(f"seed {seed}: TAKT_SEED={seed} repeats this run")
    return np.random.default_rng(seed)
