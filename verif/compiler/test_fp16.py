"""Matrix products of float16: right bits, in the predicted cycles."""

from typing import Any

import numpy as np
import pytest

from arch.errors import TaktError
from arch.presets import preset
from compiler.program import Program
from golden.reference.matmul_fp16 import matmul_fp16
from verif.bits import same_bits
from verif.compiler.layers import compile_layer, layer, random_float16, random_int8, run

NANO = preset("nano")
SMALL = preset("small")
MACHINES = {
    "nano": NANO,
    "small": SMALL,
    "no spare streams": NANO.replace(streams=4),
    "weights on all streams": NANO.replace(streams=8),
    "tiny accumulators": NANO.replace(acc_depth=4),
    "slow memory": NANO.replace(sram_latency=2, slices_per_hop=1),
    "fewest slices": NANO.replace(mem_slices=4, slices_per_hop=4),
    "8 lanes": NANO.replace(lanes=8),
    "three superlanes": SMALL.replace(superlanes=3),
}


def check(config, m, k, n, rng, planes=None, x=None, w=None):
    x = random_float16(rng, m, k) if x is None else x
    w = random_float16(rng, k, n) if w is None else w
    image = compile_layer(config, m, k, n, "float16", planes=planes)
    same_bits(run(image, x=x, w=w)["y"], matmul_fp16(x, w, config.vector_length), f"{m}x{k}x{n}, {planes} planes")
    return image


@pytest.mark.parametrize("planes", [2, 4])
@pytest.mark.parametrize("name", ["nano", "small"])
def test_sizes_around_a_tile(name, planes, rng):
    config = MACHINES[name]
    vector, lanes = config.vector_length, config.lanes
    sizes = [1, 2, 7, lanes - 1, lanes + 1, vector - 1, vector, vector + 1, 2 * vector + 1, 37]
    for _ in range(10):
        m, k, n = (int(size) for size in rng.choice(sizes, 3))
        check(config, m, k, n, rng, planes)


@pytest.mark.parametrize("name", MACHINES)
def test_every_kind_of_machine(name, rng):
    config = MACHINES[name]
    vector = config.vector_length
    for m, k, n in ((1, 1, 1), (1, 3 * vector, 2 * vector), (config.acc_depth % 97 + 5, 2 * vector + 1, vector + 3)):
        check(config, m, k, n, rng)


@pytest.mark.parametrize("shape", [(5, 32, 3), (17, 13, 17), (24, 32, 1), (1, 1, 1), (37, 129, 83), (31, 1, 2)])
@pytest.mark.parametrize("planes", [2, 4])
def test_awkward_sizes(shape, planes, rng):
    m, k, n = shape
    for config in (NANO, SMALL):
        check(config, m, k, n, rng, planes)


@pytest.mark.parametrize("planes", [2, 4])
def test_more_rows_than_accumulators(planes, rng):
    image = check(NANO, 2 * NANO.acc_depth + 3, 17, 9, rng, planes)
    assert image.notes["planes"] == planes


def test_any_bits(rng):
    x = rng.integers(0, 1 << 16, (9, 21)).astype(np.uint16).view(np.float16)
    w = rng.integers(0, 1 << 16, (21, 13)).astype(np.uint16).view(np.float16)
    check(NANO, 9, 21, 13, rng, None, x, w)


@pytest.mark.parametrize(("planes", "least"), [(2, 0.988), (4, 0.988)])
@pytest.mark.parametrize("size", [128, 256])
def test_rate(size, planes, least):
    image = compile_layer(SMALL, size, size, size, "float16", planes=planes)
    rate = image.notes["planes"] * SMALL.vector_length**2 / 4
    assert size**3 / (image.cycles * rate) >= least


def test_weights_come_over_two_groups_of_streams_where_that_is_faster(rng):
    """One row on `base`: four cycles of loading, one for the activations, instead of eight."""
    config = preset("base")
    image = check(config, 1, 256, 256, rng, 2)
    assert image.cycles < 16 * 5 + 45


@pytest.mark.parametrize(("int8_planes", "float16_planes"), [(1, 2), (4, 4)])
def test_int8_and_float16_products_share_the_planes(int8_planes, float16_planes, rng):
    """Their sums take different times to the accumulators, whose words they both use."""
    program = Program(NANO, "mixed")
    inputs: dict[str, Any] = {}
    wanted: dict[str, Any] = {}
    some = [tuple(int(size) for size in rng.integers(1, 20, 3)) for _ in range(4)]
    for number, (m, k, n) in enumerate([(9, 8, 3), (1, 24, 3), (1, 8, 3), *some]):
        halves = number % 2 == 1
        make = random_float16 if halves else random_int8
        x, w = make(rng, m, k), make(rng, k, n)
        a, b = program.input(f"x{number}", (m, k), str(x.dtype)), program.input(f"w{number}", (k, n), str(w.dtype))
        program.output(f"y{number}", program.matmul(a, b, planes=float16_planes if halves else int8_planes))
        inputs |= {f"x{number}": x, f"w{number}": w}
        wanted[f"y{number}"] = matmul_fp16(x, w, NANO.vector_length) if halves else layer(x, w)
    found = run(program.compile(), **inputs)
    for name, value in wanted.items():
        same_bits(found[name], value, name)


def test_refusals():
    program = Program(NANO)
    x, w = program.input("x", (4, 5), "float16"), program.input("w", (5, 3), "float16")
    with pytest.raises(TaktError, match="x and w must have one dtype, not float16 and int8"):
        program.matmul(x, program.input("b", (5, 3)))
    with pytest.raises(TaktError, match="planes must be 2 to 4, not 1"):
        program.matmul(x, w, planes=1)
    program = Program(NANO.replace(planes=2))
    x, w = program.input("x", (4, 5), "float16"), program.input("w", (5, 3), "float16")
    with pytest.raises(TaktError, match="planes of a machine for float16 products must be 4, not 2"):
        program.matmul(x, w)
