"""Pictures and tables of README and docs against what the tool makes today."""

from itertools import pairwise
from pathlib import Path

import matplotlib
import numpy as np
import pytest

from arch.config import Config
from arch.image import Image
from arch.presets import PRESETS, preset
from runtime.digits.evaluate import BATCH
from runtime.digits.mlp import HIDDEN
from runtime.digits.program import compile_digits
from runtime.digits.quantised import QuantisedLayer, QuantisedMlp
from runtime.floorplan import floorplan_svg
from runtime.timetable.chart import chart_digest, chart_title, draw_chart
from verif.repo.files import ROOT
from verif.walkthrough.example import residual_layer

PICTURES = ROOT / "docs" / "img"
AGAIN = "run: make docs"


def untrained(config: Config, seed: int) -> Image:
    """The digits network with any weights: what it does when depends on their shapes alone."""
    rng = np.random.default_rng(seed)
    sizes = (64, *HIDDEN, 10)
    layers = tuple(
        QuantisedLayer(
            weights=rng.integers(-128, 128, (before, after), dtype=np.int8),
            bias=rng.integers(-1000, 1000, after, dtype=np.int32),
            scale=None if number == len(HIDDEN) else rng.random(after, np.float32) / np.float32(1000),
        )
        for number, (before, after) in enumerate(pairwise(sizes))
    )
    return compile_digits(config, QuantisedMlp(layers), BATCH)


@pytest.fixture(scope="module")
def image() -> Image:
    return untrained(preset("small"), 1)


def test_every_picture_is_checked_here() -> None:
    assert {path.name for path in PICTURES.iterdir()} == {"chip.svg", "compiler.svg", "timetable.svg"}
    for picture in PICTURES.iterdir():
        assert picture.stat().st_size < 250_000, picture


def test_the_chip_is_todays() -> None:
    assert (PICTURES / "chip.svg").read_text() == floorplan_svg(PRESETS["small"]), AGAIN


def test_the_timetable_is_todays(image, tmp_path) -> None:
    check_timetable(image, PICTURES / "timetable.svg", tmp_path)


def test_the_compilers_timetable_is_todays(tmp_path) -> None:
    check_timetable(residual_layer().compile(), PICTURES / "compiler.svg", tmp_path)


def check_timetable(image: Image, picture: Path, tmp_path: Path) -> None:
    drawn = picture.read_text()
    assert chart_title(image) in drawn, AGAIN
    assert f">{chart_digest(image)}<" in drawn, AGAIN
    if f">matplotlib {matplotlib.__version__}<" in drawn:
        draw_chart(image, tmp_path / picture.name)
        assert (tmp_path / picture.name).read_text() == drawn, AGAIN


def test_a_picture_that_is_no_longer_true_is_noticed(image) -> None:
    assert chart_digest(untrained(preset("small"), 2)) == chart_digest(image)
    slower = Image(**{**vars(image), "cycles": image.cycles + 1})
    assert chart_digest(slower) != chart_digest(image)
    queue, words = next((queue, words) for queue, words in image.queues.items() if len(words) > 3)
    shorter = Image(**{**vars(image), "queues": {**image.queues, queue: words[[0, -1]]}})
    assert chart_digest(shorter) != chart_digest(image)
