"""Every kernel against its definition, bit for bit, on golden machine and RTL."""

from math import prod

import numpy as np
import pytest

from arch.presets import preset
from compiler.library.catalogue import KERNELS
from compiler.program import Program
from runtime.backend import GoldenBackend
from runtime.comparison import difference
from runtime.kernel import KernelRun, run_kernel
from runtime.kernel_samples import SAMPLES, sample
from runtime.rtl_backend import RtlBackend

FORMATS = [(name, dtype) for name, (_, dtypes) in SAMPLES.items() for dtype in dtypes]
BASE = preset("base")
NANO = preset("nano", ["mem_depth=2048"])
SMALL = preset("small")


def run(name: str, dtype: str, size: int, config, backend=None, **parameters: str) -> KernelRun:
    kernel = KERNELS[name]
    return run_kernel(kernel, config, sample(name, dtype, size), kernel.values(parameters), backend or GoldenBackend())


def check(found: KernelRun) -> None:
    measured = found.measurement
    assert measured.matches_golden
    assert measured.matches_expected
    assert measured.predicted_cycles == measured.golden_cycles == measured.cycles
    assert found.bound.cycles <= measured.cycles


def test_every_kernel_has_cases():
    assert set(SAMPLES) == set(KERNELS)


@pytest.mark.parametrize("config", [SMALL, BASE], ids=lambda config: config.name)
@pytest.mark.parametrize("size", [1, 5, 17, 33])
@pytest.mark.parametrize("name,dtype", FORMATS)
def test_definition(name, dtype, size, config):
    """Every kernel and format meets its definition on awkward sizes."""
    check(run(name, dtype, size, config))


@pytest.mark.parametrize("size", [1, 5, 9])
@pytest.mark.parametrize("name,dtype", FORMATS)
def test_definition_on_nano(name, dtype, size):
    """Every kernel and format meets its definition where vectors are short."""
    check(run(name, dtype, size, NANO))


@pytest.mark.parametrize("name", ["maxpool", "avgpool", "conv2d"])
@pytest.mark.parametrize("stride,padding", [(1, 0), (2, 1), (3, 1)])
def test_windows(name, stride, padding):
    """Convolution and pooling with every window, stride and padding."""
    check(run(name, "float16", 5, SMALL, stride=str(stride), padding=str(padding)))


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1)])
@pytest.mark.parametrize("name", ["softmax", "layernorm", "rmsnorm"])
def test_single_rows(name, shape):
    rng = np.random.default_rng(1)
    arrays = {"x": rng.normal(size=shape).astype(np.float32)}
    for argument in KERNELS[name].arguments[1:]:
        arrays[argument.name] = rng.normal(size=shape[1:]).astype(np.float32)
    for config in (NANO, SMALL):
        check(run_kernel(KERNELS[name], config, arrays, KERNELS[name].values({}), GoldenBackend()))


@pytest.mark.parametrize("name,dtype", [item for item in FORMATS if item[0] in ("gelu", "layernorm", "softmax")])
def test_cost(name, dtype):
    """Passes that depend on one another run at the same time."""
    found = run(name, dtype, 64, SMALL)
    check(found)
    assert found.measurement.cycles <= 1.2 * serial_bound(name, sample(name, dtype, 64), SMALL)


PRODUCTS = ("gemm", "conv2d")
CHAINS = ("elementwise", "gelu", "silu", "sigmoid")
POOLS = ("maxpool", "avgpool")
"""Their bound has all ALUs at work in every cycle; small ones are over before most of them have begun."""


def serial_bound(name: str, arrays, config) -> int:
    """Return the bound of a kernel that works on a vector per cycle, and not on as many as ALUs and slices allow."""
    kernel = KERNELS[name]
    parameters = kernel.values({})
    if name not in CHAINS:
        return kernel.bound(config, arrays, parameters).cycles
    x = arrays["x"]
    first = {key: array[(slice(1),) * (array.ndim - 1)][..., : config.vector_length] for key, array in arrays.items()}
    return (
        x.size // x.shape[-1] * -(-x.shape[-1] // config.vector_length)
        - 1
        + kernel.bound(config, first, parameters).cycles
    )


CLOSE_ON_NANO = (
    "softmax",
    "rmsnorm",
    "rope",
    "elementwise",
    "gelu",
    "silu",
    "sigmoid",
    "transpose",
    "embedding",
)

SLOW_TO_COMPILE = [("softmax", "float32"), ("rmsnorm", "float32")]
"""Kernels and formats that take half a minute each on nano; float16 takes the same paths."""


def check_closeness(name: str, dtype: str, size: int, config) -> None:
    arrays = sample(name, dtype, size)
    kernel = KERNELS[name]
    parameters = kernel.values({})
    program = Program(config)
    made = kernel.build(program, arrays, parameters)
    for key, tensor in made.items():
        program.output(key, tensor)
    cycles, bound = program.compile().cycles, kernel.bound(config, arrays, parameters)
    if name in POOLS:
        # A window of each vector after the other, and the latency of one.
        window = {"x": arrays["x"][: parameters["height"], : parameters["width"], :1]}
        windows = sum(prod(y.shape[:-1]) * -(-y.shape[-1] // config.vector_length) for y in made.values())
        series = windows - 1 + kernel.bound(config, window, parameters).cycles
        assert bound.cycles <= cycles <= 1.6 * series, size
    else:
        most = (1.1 if name in (*CHAINS, *PRODUCTS) else 1.3) * serial_bound(name, arrays, config)
        assert bound.cycles <= cycles <= most, size


@pytest.mark.parametrize("config", [SMALL, BASE], ids=lambda config: config.name)
@pytest.mark.parametrize("name,dtype", FORMATS)
def test_closeness_to_the_bound(name, dtype, config):
    """From sizes of 64 up: within 10 % for products and elementwise chains, 30 % for the rest.

    Elementwise chains within 10 % of a vector per cycle: `test_chains_side_by_side` says more.
    Pools within 60 % of a window per cycle: of those that are longer than a pass `test_window_kernels` says more.
    """
    for size in (64, 96):
        check_closeness(name, dtype, size, config)


@pytest.mark.parametrize(
    "name,dtype",
    [
        pytest.param(*item, marks=pytest.mark.long) if item in SLOW_TO_COMPILE else item
        for item in FORMATS
        if item[0] in CLOSE_ON_NANO
    ],
)
def test_closeness_on_nano(name, dtype):
    """Kernels stay close to the bound of cycles where vectors are short."""
    for size in (64, 96):
        check_closeness(name, dtype, size, NANO)


@pytest.mark.parametrize(
    "name,dtype,most", [("maxpool", "float32", 396), ("avgpool", "float32", 401), ("avgpool", "float16", 226)]
)
def test_pools_on_nano(name, dtype, most):
    """Where a window's taps find no slices of their own, pools are no slower than a sum over time."""
    kernel, arrays = KERNELS[name], sample(name, dtype, 64)
    program = Program(NANO)
    for key, tensor in kernel.build(program, arrays, kernel.values({})).items():
        program.output(key, tensor)
    assert program.compile().cycles <= most


@pytest.mark.parametrize(
    "name,dtype,share",
    [
        ("elementwise", "float32", 0.5),
        ("elementwise", "float16", 0.8),
        ("silu", "float32", 0.8),
        ("silu", "float16", 0.55),
        ("sigmoid", "float32", 0.85),
        ("sigmoid", "float16", 0.95),
    ],
)
def test_chains_side_by_side(name, dtype, share):
    """Elementwise chains of what the host writes use the ALUs that one chain leaves idle."""
    kernel, arrays = KERNELS[name], sample(name, dtype, 64)
    for config in (SMALL, BASE):
        found = run_kernel(kernel, config, arrays, kernel.values({}), GoldenBackend())
        check(found)
        assert found.measurement.cycles <= found.bound.cycles / share


@pytest.mark.parametrize("activation", range(4))
@pytest.mark.parametrize("config", [NANO, SMALL], ids=lambda config: config.name)
def test_epilogues_of_a_product(activation, config):
    """Every activation fused behind an fp16 product meets its definition."""
    for size in (5, 33):
        check(run("gemm", "float16", size, config, activation=str(activation)))


def test_bits_are_compared():
    found = run("softmax", "float32", 5, SMALL)
    changed = found.outputs["y"].copy()
    changed.view(np.uint32)[0, 0] ^= 1
    assert difference(changed, found.outputs["y"]).startswith("result differs in 1 of 25 elements:")


@pytest.mark.parametrize("name,dtype", [(name, dtypes[-1]) for name, (_, dtypes) in SAMPLES.items()])
def test_rtl(name, dtype):
    """Every kernel gives the golden machine's bits and cycles on the RTL."""
    check(run(name, dtype, 5, preset("nano"), RtlBackend("verilator")))


@pytest.mark.long
@pytest.mark.parametrize("name,dtype", [(name, dtypes[-1]) for name, (_, dtypes) in SAMPLES.items()])
def test_rtl_of_a_larger_machine(name, dtype):
    check(run(name, dtype, 33, SMALL, RtlBackend("verilator")))
