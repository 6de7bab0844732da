"""Matrix products of awkward sizes: right bits, in the predicted cycles."""

import numpy as np
import pytest

from arch.presets import preset
from compiler.program import Program
from verif.bits import same_bits
from verif.compiler.layers import compile_layer, layer, random_int8, run

NANO = preset("nano")
SMALL = preset("small")
MACHINES = {
    "nano": NANO,
    "small": SMALL,
    "two planes": NANO.replace(planes=2),
    "no spare streams": NANO.replace(streams=4),
    "tiny accumulators": NANO.replace(streams=8, acc_depth=4),
    "slow memory": NANO.replace(sram_latency=2, slices_per_hop=1),
    "fewest slices": NANO.replace(mem_slices=4, slices_per_hop=4),
    "three superlanes": SMALL.replace(superlanes=3),
}


def check(config, m, k, n, rng, planes=None, x=None, w=None):
    x = random_int8(rng, m, k) if x is None else x
    w = random_int8(rng, k, n) if w is None else w
    image = compile_layer(config, m, k, n, planes=planes)
    same_bits(run(image, x=x, w=w)["y"], layer(x, w), f"{m}x{k}x{n}, {planes} planes")
    return image


@pytest.mark.parametrize("planes", [1, 2, 3, 4])
@pytest.mark.parametrize("name", ["nano", "small"])
def test_sizes_around_a_tile(name, planes, rng):
    config = MACHINES[name]
    vector, lanes = config.vector_length, config.lanes
    sizes = [1, 2, 7, lanes - 1, lanes + 1, vector - 1, vector, vector + 1, 2 * vector + 1, 37]
    for _ in range(12):
        m, k, n = (int(size) for size in rng.choice(sizes, 3))
        check(config, m, k, n, rng, planes)


@pytest.mark.parametrize("name", MACHINES)
def test_every_kind_of_machine(name, rng):
    config = MACHINES[name]
    vector = config.vector_length
    for m, k, n in ((1, 1, 1), (1, 3 * vector, 2 * vector), (config.acc_depth % 97 + 5, 2 * vector + 1, vector + 3)):
        check(config, m, k, n, rng)


@pytest.mark.parametrize("name", ["nano", "small"])
@pytest.mark.parametrize("planes", [1, 4])
def test_primes(name, planes, rng):
    check(MACHINES[name], 37, 129, 83, rng, planes)


@pytest.mark.parametrize("planes", [1, 4])
def test_more_rows_than_accumulators(planes, rng):
    image = check(NANO, 2 * NANO.acc_depth + 3, 17, 9, rng, planes)
    assert image.notes["planes"] == planes


@pytest.mark.parametrize("name", ["nano", "small"])
def test_extremes(name, rng):
    lowest = np.full((19, 40), -128, np.int8)
    check(MACHINES[name], 19, 40, 19, rng, x=lowest, w=np.full((40, 19), -128, np.int8))
    check(MACHINES[name], 19, 40, 19, rng, x=lowest, w=np.full((40, 19), 127, np.int8))


def test_an_image_runs_again_with_other_inputs(rng):
    image = compile_layer(NANO, 5, 20, 9)
    for _ in range(2):
        x, w = random_int8(rng, 5, 20), random_int8(rng, 20, 9)
        same_bits(run(image, x=x, w=w)["y"], layer(x, w))


@pytest.mark.parametrize("name", ["nano", "small"])
@pytest.mark.parametrize("relu", [False, True])
@pytest.mark.parametrize(("m", "blocks", "n"), [(4, 2, 4), (6, 3, 5), (12, 2, 3)])
def test_rows_of_zeros_beside_those_of_a_result(m, blocks, n, relu, name, rng):
    """Planes that share out rows: some of them may read nothing but zeros, or zeros where others read none."""
    config = MACHINES[name]
    k = blocks * config.vector_length
    x, w = rng.integers(-9, 9, (m, k)).astype(np.int8), random_int8(rng, k, n)
    for before, after in ((m, 0), (0, m), (2, 1)):
        program = Program(config)
        double = program.map(lambda e: e + e, program.input("x", x.shape))
        rows = double.pad(((before, after), (0, 0)))
        program.output("y", program.matmul(rows, program.constant("w", w), relu=relu))
        expected = layer(np.pad(x + x, ((before, after), (0, 0))), w, relu=relu)
        same_bits(run(program.compile(), x=x)["y"], expected, f"{before} rows of zeros before, {after} after")
