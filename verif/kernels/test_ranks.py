"""Every kernel whose help says (..., n) takes arrays of every rank."""

import numpy as np
import pytest

from arch.errors import TaktError
from compiler.library.catalogue import KERNELS
from runtime.backend import GoldenBackend
from runtime.kernel import run_kernel
from verif.kernels.test_kernels import NANO, SMALL, check

FORMATS = [(name, dtype) for name, item in KERNELS.items() for dtype in item.arguments[0].dtypes]
ANY_RANK = [(name, dtype) for name, dtype in FORMATS if KERNELS[name].arguments[0].shape == "..., n"]
SHAPES = [(1,), (17,), (3, 5), (2, 3, 9), (2, 1, 3, 4), (1, 2, 1, 2, 3)]


def arguments(name, dtype, shape, rng):
    """Return arguments of a kernel: those of any rank have `shape`, the others its last size."""
    found = {}
    for argument in KERNELS[name].arguments:
        sizes = shape if argument.shape.startswith("...") else shape[-1:]
        values = rng.normal(size=sizes) * 9
        found[argument.name] = values.astype(dtype if dtype in argument.dtypes else argument.dtypes[0])
    return found


def test_the_kernels_that_promise_it():
    names = {"elementwise", "gelu", "silu", "sigmoid", "softmax", "layernorm", "rmsnorm", "transpose"}
    assert {name for name, _ in ANY_RANK} == names
    assert not any("..." in item.arguments[0].shape for name, item in KERNELS.items() if name not in names)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name,dtype", ANY_RANK)
def test_rank(name, dtype, shape, rng):
    kernel, arrays = KERNELS[name], arguments(name, dtype, shape, rng)
    config = NANO if len(shape) % 2 else SMALL
    found = run_kernel(kernel, config, arrays, kernel.values({}), GoldenBackend())
    check(found)
    assert found.outputs["y"].shape == (shape[::-1] if name == "transpose" else shape)


@pytest.mark.parametrize("name,dtype", ANY_RANK)
def test_a_single_number_is_refused(name, dtype, rng):
    kernel = KERNELS[name]
    arrays = arguments(name, dtype, (3,), rng) | {"x": np.zeros((), dtype)}
    with pytest.raises(TaktError, match=r"x must be .* of shape \(\.\.\., n\), not \(\)"):
        run_kernel(kernel, NANO, arrays, kernel.values({}), GoldenBackend())
