import numpy as np
import pytest

from arch.formats import CANONICAL_NAN, INTEGERS, DType


@pytest.mark.parametrize("dtype", DType)
def test_numpy_type_has_the_size(dtype: DType) -> None:
    assert dtype.numpy.itemsize == dtype.size
    assert dtype.numpy.name.replace("float", "fp").upper() == dtype.name
    assert dtype.is_float == (dtype.numpy.kind == "f")
    assert (dtype in INTEGERS) != dtype.is_float


def test_canonical_nan() -> None:
    value = np.array(CANONICAL_NAN, np.uint32)
    assert np.isnan(value.view(np.float32))
    assert int(value) == 0xFF << 23 | 1 << 22
