"""EXP, TANH, RSQRT, RECIP, LOG and SIGMOID of the golden model against float64, and IEEE 754's special cases."""

import numpy as np
import pytest

from arch.errors import TaktError
from arch.formats import DType
from arch.functions.function import Function
from arch.isa.table import BY_MNEMONIC
from golden.numerics.functions import FUNCTIONS
from golden.ulp.errors import errors
from golden.ulp.operands import every_fp16_number, spread
from golden.ulp.report import worst
from golden.vxm.alu import operate
from verif.vxm.function_operands import corners

BOUND = 0.65
"""Units of the last place; the project's own limit is 1."""

INF, NAN, SIGN, ONE = 0x7F800000, 0x7FC00000, 1 << 31, 0x3F800000
each_function = pytest.mark.parametrize("function", Function, ids=lambda function: function.name)


def assert_close(function: Function, operands: np.ndarray) -> None:
    found = worst(function.name, operands)
    assert found.error < BOUND, f"{function.name} of {found.operand:#010x} is wrong by {found.error} units"


@pytest.mark.parametrize(
    "mnemonic,of_zero,of_minus_zero,of_infinity,of_minus_infinity,of_one,of_minus_two",
    [
        ("EXP", ONE, ONE, INF, 0, 0x402DF854, 0x3E0A9555),
        ("TANH", 0, SIGN, ONE, SIGN | ONE, 0x3F42F7D6, 0xBF76CA83),
        ("RSQRT", INF, SIGN | INF, 0, NAN, ONE, NAN),
        ("RECIP", INF, SIGN | INF, 0, SIGN, ONE, 0xBF000000),
        ("LOG", SIGN | INF, SIGN | INF, INF, NAN, 0, NAN),
        ("SIGMOID", 0x3F000000, 0x3F000000, ONE, 0, 0x3F3B26A8, 0x3DF420A9),
    ],
)
def test_special_cases(mnemonic, of_zero, of_minus_zero, of_infinity, of_minus_infinity, of_one, of_minus_two):
    quiet_and_signalling = (NAN, 0x7F800001, 0xFFFFFFFF)
    operands = np.array([0, SIGN, INF, SIGN | INF, ONE, 0xC0000000, *quiet_and_signalling], np.uint32)
    expected = [of_zero, of_minus_zero, of_infinity, of_minus_infinity, of_one, of_minus_two, NAN, NAN, NAN]
    assert FUNCTIONS[mnemonic](operands).tolist() == expected


@pytest.mark.parametrize(
    "mnemonic,operand,result",
    [
        ("EXP", 0x42B17217, 0x7F7FFF84),  # the greatest finite result
        ("EXP", 0x42B17218, INF),
        ("EXP", 0xC2CFF1B4, 1),  # the smallest results
        ("EXP", 0xC2CFF1B5, 0),
        ("EXP", 0xC2AEAC50, 0x007FFFE6),  # gradual underflow
        ("TANH", 1, 1),
        ("TANH", SIGN | 0x007FFFFF, SIGN | 0x007FFFFF),
        ("RSQRT", 1, 0x64B504F3),
        ("RSQRT", 0x7F7FFFFF, 0x1F800000),
        ("RECIP", 0x00200000, INF),  # 2**-128
        ("RECIP", 0x00200001, 0x7F7FFFF8),
        ("RECIP", 0x7F7FFFFF, 0x00200000),
        ("RECIP", SIGN | 0x7E800001, SIGN | 0x007FFFFF),
        ("LOG", 1, 0xC2CE8ED0),
        ("LOG", 0x3F7FFFFF, 0xB3800000),
        ("LOG", 0x3F800001, 0x33FFFFFF),
        ("LOG", 0x7F7FFFFF, 0x42B17218),
        ("SIGMOID", 0xC2CFF1B4, 1),
        ("SIGMOID", 0x41A00000, ONE),
    ],
)
def test_ends_of_the_ranges(mnemonic, operand, result):
    got = int(FUNCTIONS[mnemonic](np.array([operand], np.uint32))[0])
    assert f"{got:#010x}" == f"{result:#010x}"


@each_function
def test_every_fp16_operand(function):
    assert_close(function, every_fp16_number())


@each_function
def test_corners(function):
    assert_close(function, corners(function))


@each_function
def test_a_sample_of_fp32(function, rng):
    assert_close(function, spread(rng, function.name, 50_000))


@pytest.mark.long
@each_function
def test_a_large_sample_of_fp32(function, rng):
    for _ in range(16):
        assert_close(function, spread(rng, function.name, 1 << 20))


@pytest.mark.long
@pytest.mark.parametrize("function,binades", [(Function.RECIP, 1), (Function.RSQRT, 2), (Function.LOG, 2)])
def test_every_significand(function, binades):
    """An exponent further on changes nothing but the result's: RECIP by 1, RSQRT by 2; LOG is at its worst near 1."""
    assert_close(function, np.arange(0x3F000000, 0x3F000000 + (binades << 23), dtype=np.uint32))


@each_function
def test_operate(function, rng):
    a = spread(rng, function.name, 64).reshape(4, 16)
    assert (operate(function.name, DType.FP32, DType.FP32, False, a, a) == FUNCTIONS[function.name](a)).all()
    assert operate(function.name, DType.FP32, DType.FP32, False, ONE, 0).shape == ()
    with pytest.raises(TaktError, match=f"formats must be ones that {function.name} has, not int8->int8"):
        operate(function.name, DType.INT8, DType.INT8, False, a, a)


@each_function
def test_code(function):
    assert BY_MNEMONIC[function.name].opcode == BY_MNEMONIC["EXP"].opcode + function


def test_errors_see_wrong_results():
    one = np.array([ONE], np.uint32)
    assert errors("EXP", one, np.array([0x402DF856], np.uint32)) > 1.5
    for wrong in (0xC02DF854, INF, NAN):
        assert errors("EXP", one, np.array([wrong], np.uint32)) == np.inf
    assert errors("RECIP", np.array([SIGN], np.uint32), np.array([INF], np.uint32)) == np.inf
    assert errors("LOG", one, np.array([SIGN], np.uint32)) == np.inf
    assert errors("LOG", np.array([SIGN | ONE], np.uint32), np.array([0xFFC00000], np.uint32)) == np.inf
