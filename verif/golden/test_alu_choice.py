"""CMP and SEL against Python's numbers."""

import operator

import numpy as np
import pytest

from arch.formats import INTEGERS, DType
from arch.isa.codes import Relation
from golden.vxm.alu import operate
from verif.golden import exact_float
from verif.vxm.vectors import FLOAT_CORNERS, INTEGER_CORNERS

FP32 = DType.FP32
PYTHON = {relation: getattr(operator, relation.name.lower()) for relation in Relation}


def pairs(corners: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Every pair of corners."""
    a, b = np.meshgrid(corners, corners)
    return a.ravel(), b.ravel()


@pytest.mark.parametrize("relation", Relation)
@pytest.mark.parametrize("dtype", [*INTEGERS, FP32])
def test_compare(dtype, relation):
    a, b = pairs(FLOAT_CORNERS if dtype == FP32 else INTEGER_CORNERS)
    got = operate("CMP", dtype, DType.INT8, False, a, b, relation=relation)
    # Python compares floats as IEEE 754 says.
    numbers = [bits.astype(dtype.numpy) if dtype != FP32 else bits.view(np.float32) for bits in (a, b)]
    holds = [PYTHON[relation](x, y) for x, y in zip(*(part.tolist() for part in numbers), strict=True)]
    assert (got == np.where(holds, 0xFFFFFFFF, 0)).all()


@pytest.mark.parametrize("dtype", INTEGERS)
@pytest.mark.parametrize("out_dtype", INTEGERS)
@pytest.mark.parametrize("saturate", [False, True])
def test_select_narrows_what_it_takes(rng, dtype, out_dtype, saturate):
    a, b = pairs(INTEGER_CORNERS)
    c = rng.choice(np.array([0, 1, 0x80, 0xFF, 0x100, 0xFFFFFF00], np.uint32), len(a))
    got = operate("SEL", dtype, out_dtype, saturate, a, b, c)
    passed = [operate("PASS", dtype, out_dtype, saturate, part, 0) for part in (a, b)]
    assert (got == np.where([mask % 256 != 0 for mask in c.tolist()], *passed)).all()


def test_select_of_floats_makes_nan_canonical():
    a, b = pairs(FLOAT_CORNERS)
    for mask, taken in ((1, a), (0x100, b)):
        got = operate("SEL", FP32, FP32, False, a, b, mask)
        expected = [exact_float.NAN if exact_float.is_nan(bits) else bits for bits in taken.tolist()]
        assert got.tolist() == expected
