"""Predicted cycles that the project promises: products within a few percent of one product per MAC and cycle."""

import pytest

from arch.presets import preset
from verif.compiler.layers import compile_layer, layer, random_int8, run

SMALL = preset("small")
WIDE = preset("small", ["superlanes=2", "mem_depth=2048"])
BASE = preset("base")


@pytest.mark.parametrize(
    ("config", "shape", "planes", "most"),
    [
        (SMALL, (64, 64, 64), 1, 1_100),
        (SMALL, (256, 256, 256), 1, 66_000),
        (SMALL, (256, 256, 256), 4, 66_000 / 3.6),
        (SMALL, (1, 512, 512), 1, 1_150),
        (WIDE, (512, 512, 512), 1, 131_700),
        (BASE, (128, 576, 1536), 1, 128 * 576 * 1536 / 64**2 / 0.97),
    ],
)
def test_cycles(config, shape, planes, most):
    image = compile_layer(config, *shape, planes=planes)
    assert image.cycles <= most
    assert image.notes["planes"] <= planes
    assert image.notes["macs"] == shape[0] * shape[1] * shape[2]


@pytest.mark.parametrize("size", [64, 80, 96, 127, 128])
def test_utilisation_of_one_plane_from_64_up(size):
    image = compile_layer(SMALL, size, size, size, planes=1)
    tiles = -(-size // 16)
    assert tiles * tiles * size / image.cycles >= 0.95


def test_four_planes_are_four_times_as_fast():
    cycles = {planes: compile_layer(SMALL, 256, 256, 256, planes=planes).cycles for planes in (1, 4)}
    assert cycles[1] / cycles[4] >= 3.6


def test_weights_stream_into_one_plane_every_cycle(rng):
    image = compile_layer(SMALL, 1, 512, 512, planes=1)
    x, w = random_int8(rng, 1, 512), random_int8(rng, 512, 512)
    assert (run(image, x=x, w=w)["y"] == layer(x, w)).all()


def test_planes_are_not_used_where_they_do_not_pay():
    assert compile_layer(SMALL, 1, 1, 1).notes["planes"] == 1
