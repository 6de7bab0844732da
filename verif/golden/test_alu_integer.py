"""Integer operations against Python integers."""

import math

import numpy as np
import pytest

from arch.formats import INTEGERS, DType
from golden.vxm.alu import operate

EDGES = [0, 1, 2, 7, 31, 32, 33, 100, 127, 128, 255, 256, 32767, 32768, 65535, 65536, 2**30, 2**31 - 1]
PATTERNS = sorted({edge & 0xFFFFFFFF for edge in EDGES} | {-edge & 0xFFFFFFFF for edge in [*EDGES, 2**31]})


def number(pattern: int, dtype: DType) -> int:
    bits = 8 * dtype.size
    low = pattern % 2**bits
    return low - 2**bits if low >= 2 ** (bits - 1) else low


EXACT = {
    "PASS": lambda a, b, width: a,
    "ADD": lambda a, b, width: a + b,
    "SUB": lambda a, b, width: a - b,
    "MUL": lambda a, b, width: a * b,
    "MAX": lambda a, b, width: max(a, b),
    "MIN": lambda a, b, width: min(a, b),
    "SHL": lambda a, b, width: a * 2 ** (b % 32),
    "SHR": lambda a, b, width: math.floor(a / 2 ** (b % 32)),
    "SHRL": lambda a, b, width: (a % 2**width) // 2 ** (b % 32),
    "RELU": lambda a, b, width: a if a > 0 else 0,
    "AND": lambda a, b, width: a & b,
    "OR": lambda a, b, width: a | b,
    "XOR": lambda a, b, width: a ^ b,
    "NOT": lambda a, b, width: -1 - a,
}


def narrowed(result: int, dtype: DType, saturate: bool) -> int:
    half = 2 ** (8 * dtype.size - 1)
    return min(max(result, -half), half - 1) if saturate else number(result, dtype)


@pytest.mark.parametrize("saturate", [False, True])
@pytest.mark.parametrize("out_dtype", INTEGERS)
@pytest.mark.parametrize("dtype", INTEGERS)
@pytest.mark.parametrize("mnemonic", EXACT)
def test_equals_python_integers(rng, mnemonic, dtype, out_dtype, saturate):
    corner = np.array([(a, b) for a in PATTERNS for b in PATTERNS], np.uint32)
    pairs = np.concatenate([corner, rng.integers(0, 2**32, (100, 2), dtype=np.uint32)])
    got = operate(mnemonic, dtype, out_dtype, saturate, pairs[:, 0], pairs[:, 1])
    for (a, b), result in zip(pairs.tolist(), got.tolist(), strict=True):
        expected = narrowed(EXACT[mnemonic](number(a, dtype), number(b, dtype), 8 * dtype.size), out_dtype, saturate)
        assert result == expected % 2**32, (hex(a), hex(b), hex(result), hex(expected % 2**32))
