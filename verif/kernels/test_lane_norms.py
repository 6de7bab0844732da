"""Normalisation of rows in the lanes against its definition: sizes about whole vectors, values about its limits."""

import numpy as np
import pytest

from compiler.library.lane_norms import layernorm_in_lanes, rmsnorm_in_lanes
from golden.reference.normalisation import layernorm_in_lanes as defined_layernorm
from golden.reference.normalisation import rmsnorm_in_lanes as defined_rmsnorm
from verif.kernels.composed import BASE, NANO, SMALL, Composition, doubled, doubled_values

LIMITS = (0.0, -0.0, 6e-8, 181.0, 182.0, -60000.0, 65504.0, np.inf, np.nan)


def _normalise(config, m, n, x=None):
    """Hold both kinds, of a result and with a reader, against their definitions."""
    made = Composition(config, seed=m * 1000 + n)
    x = made.values(m, n) * np.float16(4) if x is None else x
    gamma, beta = made.values(n, dtype="float32"), made.values(n, dtype="float32")
    factor, addend = made.input(gamma), made.input(beta)
    source = made.result(x)
    outputs = {
        "layer": layernorm_in_lanes(made.program, source, factor, addend),
        "root": rmsnorm_in_lanes(made.program, source, factor, epsilon=1e-3),
    }
    expected = {
        "layer": defined_layernorm(x, gamma, beta, made.vector),
        "root": defined_rmsnorm(x, gamma, made.vector, 1e-3),
    }
    made.check(
        {name: doubled(made, tensor) for name, tensor in outputs.items()},
        {name: doubled_values(values) for name, values in expected.items()},
    )


@pytest.mark.parametrize(
    "config,m,n",
    [(NANO, 3, 8), (NANO, 5, 13), (SMALL, 7, 16), (SMALL, 1, 37), (SMALL, 20, 5), (BASE, 16, 64), (BASE, 3, 70)],
)
def test_sizes(config, m, n):
    _normalise(config, m, n)


@pytest.mark.parametrize("value", LIMITS)
def test_limits(value):
    """Rows of one value; of it and zeros; of it among others."""
    x = np.zeros((4, 16), np.float16)
    x[0] = value
    x[1, 3] = value
    x[2] = np.linspace(-300, 300, 16)
    x[2, 7] = value
    x[3] = np.linspace(-2, 2, 16)
    _normalise(SMALL, *x.shape, x)
