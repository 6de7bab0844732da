"""Convolutions and pools of every form, of inputs and of results, against their definitions."""

import pytest

from arch.errors import TaktError
from compiler.ir.tensor import Tensor, View
from compiler.library.conv2d import conv
from compiler.library.depthwise import depthwise, depthwise_bound
from compiler.library.pooling import avgpool, maxpool
from compiler.library.windows import Windows
from golden.reference import conv2d as defined
from golden.reference.pooling import avgpool as defined_avgpool
from golden.reference.pooling import maxpool as defined_maxpool
from golden.reference.windows import Window
from verif.kernels.composed import BASE, NANO, SMALL, Composition, doubled, doubled_values

machines = pytest.mark.parametrize("config", [NANO, SMALL, BASE], ids=lambda config: config.name)
LONG = pytest.mark.long
dtypes = pytest.mark.parametrize("dtype", ["int8", "float16"])

POOLS = [
    ((6, 5), {"sizes": (3, 2), "strides": (2, 3), "padding": ((0, 1), (1, 0))}),
    ((6, 5), {"sizes": (3, 3), "strides": 2, "padding": 1, "ceil": True}),
    ((7, 4), {"sizes": (2, 2), "strides": 3, "dilation": (3, 1), "padding": 1}),
    ((9,), {"sizes": (4,), "strides": 3, "ceil": True}),
    ((9,), {"sizes": (3,), "dilation": 2, "padding": 2}),
]
CONVOLUTIONS = [
    ((5, 4), (2, 3), {"padding": ((0, 1), (2, 0))}),
    ((5, 4), (3, 2), {"stride": (2, 1), "dilation": (1, 2), "padding": 1}),
    ((9,), (3,), {"stride": 2, "padding": ((2, 1),)}),
    ((9,), (2,), {"dilation": 4}),
]


def named(how):
    """Return what a definition is given under the names of the kernel."""
    return {{"stride": "strides", "sizes": "window"}.get(name, name): value for name, value in how.items()}


@machines
@pytest.mark.parametrize("shape,how", POOLS)
def test_pools(config, shape, how):
    made = Composition(config)
    x, small = made.values(*shape, 5), made.values(*shape, 9, dtype="int8")
    image, window = made.result(x), Window(**how)
    outputs: dict[str, Tensor | View] = {
        "mean": doubled(made, avgpool(made.program, image, **named(how))),
        "inner mean": avgpool(made.program, image, **named(how), count_include_pad=False),
        "largest": doubled(made, maxpool(made.program, made.input(small), **named(how))),
    }
    expected = {
        "mean": doubled_values(defined_avgpool(x, window)),
        "inner mean": defined_avgpool(x, window, count_include_pad=False),
        "largest": doubled_values(defined_maxpool(small, window)),
    }
    made.check(outputs, expected)


@pytest.mark.parametrize(
    "config,kernel,dtype,shape,stride,most",
    [
        (SMALL, maxpool, "float32", (8, 8, 64), 1, 500),
        (BASE, maxpool, "int8", (112, 112, 64), 2, 1260),
        (BASE, maxpool, "int8", (28, 28, 192), 1, 740),
        (BASE, maxpool, "float16", (28, 28, 192), 1, 1260),
        pytest.param(SMALL, maxpool, "int8", (28, 28, 192), 1, 3450, marks=LONG),
        pytest.param(BASE, maxpool, "float16", (112, 112, 64), 2, 3900, marks=LONG),
        pytest.param(BASE, avgpool, "float16", (112, 112, 64), 2, 5600, marks=LONG),
        pytest.param(BASE, avgpool, "float16", (28, 28, 192), 1, 4270, marks=LONG),
    ],
)
def test_overlapping_pools_of_real_sizes(config, kernel, dtype, shape, stride, most):
    """Text and cycles stay far below one read per tap: nine for every vector."""
    made = Composition(config)
    x, window = made.values(*shape, dtype=dtype), Window(sizes=(3, 3), strides=stride, padding=1)
    defined_pool = defined_maxpool if kernel is maxpool else defined_avgpool
    cycles = made.check({"y": kernel(made.program, made.input(x), 3, stride, 1)}, {"y": defined_pool(x, window)})
    assert cycles <= most


@pytest.mark.parametrize("config", [SMALL, BASE], ids=lambda config: config.name)
@pytest.mark.parametrize(
    "kernel,dtype,shape,how",
    [
        (maxpool, "int8", (14, 14, 40), {"sizes": (3, 3), "strides": 2, "padding": 1}),
        (maxpool, "float32", (9, 8, 20), {"sizes": (7, 5), "strides": (2, 1), "padding": 2}),
        (avgpool, "float32", (14, 9, 20), {"sizes": (3, 2), "strides": (2, 1), "padding": 1}),
    ],
)
def test_overlapping_pools_of_results(config, kernel, dtype, shape, how):
    made = Composition(config)
    x, window = made.values(*shape, dtype=dtype), Window(**how)
    defined_pool = defined_maxpool if kernel is maxpool else defined_avgpool
    y = doubled(made, kernel(made.program, made.result(x), **named(how)))
    made.check({"y": y}, {"y": doubled_values(defined_pool(x, window))})


@machines
@dtypes
@pytest.mark.parametrize("shape,taps,how", CONVOLUTIONS)
def test_convolutions(config, dtype, shape, taps, how):
    made = Composition(config)
    x, w = made.values(*shape, 5, dtype=dtype), made.values(*taps, 5, 3, dtype=dtype)
    y = conv(made.program, made.result(x), made.input(w), **named(how))
    expected = defined.conv2d_int8(x, w, **how) if dtype == "int8" else defined.conv2d_fp16(x, w, made.vector, **how)
    made.check({"y": doubled(made, y)}, {"y": doubled_values(expected)})


@pytest.mark.parametrize("groups", [2, 3, 6])
@pytest.mark.parametrize(
    "config,dtype", [(NANO, "int8"), (SMALL, "int8"), (BASE, "int8"), (NANO, "float16"), (BASE, "float16")]
)
def test_groups(config, dtype, groups):
    made = Composition(config)
    x, w = made.values(4, 3, 6, dtype=dtype), made.values(2, 2, 6 // groups, 6, dtype=dtype)
    y = conv(made.program, made.input(x), made.input(w), padding=1, groups=groups)
    how = {"padding": 1, "groups": groups}
    expected = defined.conv2d_int8(x, w, **how) if dtype == "int8" else defined.conv2d_fp16(x, w, made.vector, **how)
    made.check({"y": doubled(made, y)}, {"y": doubled_values(expected)})


@dtypes
@pytest.mark.parametrize("config", [SMALL, BASE], ids=lambda config: config.name)
def test_groups_of_whole_vectors(config, dtype):
    made = Composition(config)
    channels, groups = 2 * config.vector_length, 2
    x, w = made.values(3, channels, dtype=dtype), made.values(2, channels // 2, 2 * config.vector_length, dtype=dtype)
    y = conv(made.program, made.result(x), made.input(w), groups=groups)
    how = {"groups": groups}
    expected = defined.conv2d_int8(x, w, **how) if dtype == "int8" else defined.conv2d_fp16(x, w, made.vector, **how)
    made.check({"y": doubled(made, y)}, {"y": doubled_values(expected)})


@machines
def test_epilogue(config):
    made = Composition(config)
    x, w, bias = made.values(4, 4, 3), made.values(2, 2, 3, 5), made.values(5, dtype="float32")
    y = conv(made.program, made.result(x), made.input(w), epilogue=lambda a, b: a + b, operands=(made.input(bias),))
    made.check({"y": y}, {"y": defined.conv2d_fp16(x, w, made.vector) + bias})


@machines
@dtypes
@pytest.mark.parametrize("shape,taps,how", CONVOLUTIONS)
def test_depthwise(config, dtype, shape, taps, how):
    made = Composition(config)
    x, w = made.values(*shape, 10, dtype=dtype), made.values(*taps, 10, dtype=dtype)
    y = depthwise(made.program, made.result(x), made.program.constant("w", w), **named(how))
    expected = defined.depthwise_int8(x, w, **how) if dtype == "int8" else defined.depthwise_fp16(x, w, **how)
    made.check({"y": doubled(made, y)}, {"y": doubled_values(expected)})


def test_filters_may_be_inputs():
    made = Composition(BASE)
    x, w = made.values(4, 4, 7), made.values(2, 2, 7)
    y = depthwise(made.program, made.input(x), made.input(w))
    made.check({"y": y}, {"y": defined.depthwise_fp16(x, w)})


@pytest.mark.parametrize(
    "dtype,share,limit",
    [("int8", 0.8, "VXM: 1764 MUL on 8 ALUs"), ("float16", 0.65, "VXM: 3528 operations on 16 ALUs")],
)
def test_cycles_of_a_filter_per_channel(dtype, share, limit):
    """Chains side by side come close to what multipliers can do; float16 vectors have to be converted before."""
    made = Composition(BASE)
    x, w = made.values(14, 14, 64, dtype=dtype), made.values(3, 3, 64, dtype=dtype)
    y = depthwise(made.program, made.input(x), made.program.constant("w", w), padding=1)
    reference = defined.depthwise_int8 if dtype == "int8" else defined.depthwise_fp16
    cycles = made.check({"y": y}, {"y": reference(x, w, padding=1)})
    windows = Windows.over((14, 14), (3, 3), padding=1)
    assert windows.places == (14, 14)
    bound = depthwise_bound(BASE, windows, 64, dtype)
    assert bound.limit.startswith(limit)
    assert share * cycles <= bound.cycles <= cycles


def test_mistakes():
    made = Composition(SMALL)
    x = made.input(made.values(4, 4, 6))
    filters = made.input(made.values(2, 2, 3, 4))
    with pytest.raises(TaktError, match="groups must divide the 6 channels and 4 filters, not be 3"):
        conv(made.program, x, filters, groups=3)
    with pytest.raises(TaktError, match="w must take 6 channels of x, not 3"):
        conv(made.program, x, filters)
    with pytest.raises(TaktError, match="w must have 4 axes for x of shape"):
        conv(made.program, x, filters[0])
    with pytest.raises(TaktError, match="epilogue, operands and dtype must be left out of a convolution of 2 groups"):
        conv(made.program, x, filters, groups=2, dtype="float16")
    with pytest.raises(TaktError, match="window's height must be at most 4, not 5"):
        maxpool(made.program, x, 5)
    with pytest.raises(TaktError, match="strides must be one number or 2, not 3"):
        maxpool(made.program, x, 2, strides=(1, 1, 1))
    with pytest.raises(TaktError, match="each of strides must be at least 1, not 0"):
        maxpool(made.program, x, 2, strides=(0, 1))
    with pytest.raises(TaktError, match="padding must be one number or one per axis of 2, not 3"):
        avgpool(made.program, x, 2, padding=(1, 1, 1))
    with pytest.raises(TaktError, match=r"padding must be less than the window, 2, not \(2, 2\)"):
        maxpool(made.program, x, 2, padding=2)
    with pytest.raises(TaktError, match="window must meet the image everywhere, not lie in padding"):
        avgpool(made.program, x, 2, padding=2, count_include_pad=False)
    with pytest.raises(TaktError, match="w must have 3 axes, the last of the 6 channels of x"):
        depthwise(made.program, x, filters)
