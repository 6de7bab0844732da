"""Definitions of kernels with windows against onnxruntime: pooling and convolution of sequences and images."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from arch.errors import TaktError
from golden.reference.conv2d import conv2d_fp16, conv2d_int8, depthwise_fp16, depthwise_int8
from golden.reference.pooling import avgpool, global_average, maxpool
from golden.reference.windows import Window
from verif.bits import same_bits
from verif.golden.onnx_operator import run_operator

WINDOWS = [
    Window(sizes=(2, 2), strides=2),
    Window(sizes=(3, 3), padding=1),
    Window(sizes=(3, 2), strides=2),
    Window(sizes=(3, 2), strides=(2, 3), padding=((0, 1), (1, 0))),
    Window(sizes=(3, 3), strides=2, padding=1, ceil=True),
    Window(sizes=(3, 2), strides=(4, 3), padding=((1, 0), (0, 1)), ceil=True),
    Window(sizes=(3,), strides=2, padding=((1, 0),)),
    Window(sizes=(4,), strides=3, ceil=True),
]
DILATED = [
    Window(sizes=(2, 3), dilation=2, padding=1),
    Window(sizes=(3, 2), strides=2, dilation=(1, 3), padding=((1, 2), (0, 1))),
    Window(sizes=(3,), dilation=2, padding=2),
]


def values(seed: int, *shape: int, dtype: Any = np.float32, scale: float = 3) -> npt.NDArray[Any]:
    return (np.random.default_rng(seed).normal(size=shape) * scale).astype(dtype)


def image_of(window: Window, dtype: Any, channels: int = 5) -> npt.NDArray[Any]:
    return values(8, *(9, 8)[: len(window.sizes)], channels, dtype=dtype)


def per_axis(value: Any, rank: int) -> list[int]:
    return [value] * rank if isinstance(value, int) else list(value)


def defined(operator: str, window: Window, *operands: npt.NDArray[Any], **attributes: Any) -> npt.NDArray[Any]:
    """Return what onnxruntime makes of an image and filters with channels last, channels last."""
    rank = len(window.sizes)
    moved = [np.moveaxis(operands[0], -1, 0)[None], *(np.moveaxis(array, (-1, -2), (0, 1)) for array in operands[1:])]
    inputs = {name: np.ascontiguousarray(array).astype(np.float32) for name, array in zip("xw", moved, strict=False)}
    found = run_operator(
        operator,
        inputs,
        np.float32,
        kernel_shape=list(window.sizes),
        strides=per_axis(window.strides, rank),
        dilations=per_axis(window.dilation, rank),
        pads=[pair[0] for pair in window.sides] + [pair[1] for pair in window.sides],
        **attributes,
    )
    return np.moveaxis(found[0], 0, -1)


@pytest.mark.parametrize("window", WINDOWS + DILATED, ids=repr)
@pytest.mark.parametrize("dtype", [np.float32, np.float16, np.int8])
def test_maxpool(window, dtype):
    x = image_of(window, dtype)
    same_bits(maxpool(x, window), defined("MaxPool", window, x, ceil_mode=int(window.ceil)).astype(dtype))


@pytest.mark.parametrize("include", [True, False])
@pytest.mark.parametrize("window", WINDOWS + DILATED, ids=repr)
def test_avgpool(window, include):
    x = image_of(window, np.float32)
    expected = defined("AveragePool", window, x, ceil_mode=int(window.ceil), count_include_pad=int(include))
    np.testing.assert_allclose(avgpool(x, window, include), expected, rtol=1e-5, atol=1e-6)


def test_global_average():
    x = values(3, 5, 4, 7)
    np.testing.assert_allclose(global_average(x), x.mean(axis=(0, 1)), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("groups", [1, 2, 3])
@pytest.mark.parametrize("window", [window for window in WINDOWS + DILATED if not window.ceil], ids=repr)
def test_convolution(window, groups):
    for dtype in (np.int8, np.float16):
        x, w = image_of(window, dtype, 18), values(2, *window.sizes, 18 // groups, 12, dtype=dtype)
        expected = defined("Conv", window, x, w, group=groups)
        how = {"padding": window.padding, "dilation": window.dilation, "groups": groups, "stride": window.strides}
        if dtype == np.int8:
            same_bits(conv2d_int8(x, w, **how), expected.astype(np.int32))
        else:
            np.testing.assert_allclose(conv2d_fp16(x, w, 16, **how), expected, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("window", [window for window in WINDOWS + DILATED if not window.ceil], ids=repr)
def test_depthwise(window):
    """A filter per channel is a convolution in as many groups as there are channels."""
    for dtype in (np.int8, np.float16):
        x, w = image_of(window, dtype, 7), values(2, *window.sizes, 7, dtype=dtype)
        how = {"stride": window.strides, "padding": window.padding, "dilation": window.dilation}
        if dtype == np.int8:
            same_bits(depthwise_int8(x, w, **how), conv2d_int8(x, w[..., None, :], groups=7, **how))
        else:
            expected = defined("Conv", window, x, w[..., None, :], group=7)
            np.testing.assert_allclose(depthwise_fp16(x, w, **how), expected, rtol=1e-5, atol=1e-4)


def test_filters_that_do_not_fit():
    with pytest.raises(TaktError, match=r"w must be .* for x of shape \(4, 4, 6\) in 2 groups, not \(1, 1, 6, 4\)"):
        conv2d_int8(np.zeros((4, 4, 6), np.int8), np.zeros((1, 1, 6, 4), np.int8), groups=2)
