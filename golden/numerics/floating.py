"""fp32 operations of the VXM on bit patterns.

NumPy's float32 arithmetic is IEEE 754: round to nearest even, subnormals in and out. What it leaves open (NaN payloads,
the sign of a zero in maximum and minimum) is settled here.
"""

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from arch.formats import CANONICAL_NAN
from golden.numerics.functions import FUNCTIONS

Bits = npt.NDArray[np.uint32]
Float32 = npt.NDArray[np.float32]


def canonical(values: Float32) -> Bits:
    """Return the bit patterns of float32 values, every NaN as the canonical one."""
    bits = values.view(np.uint32)
    nan = np.isnan(values)
    return np.where(nan, np.uint32(CANONICAL_NAN), bits) if nan.any() else bits


def _arithmetic(function: Callable[[Float32, Float32], Float32]) -> Callable[[Bits, Bits], Bits]:
    def operation(a: Bits, b: Bits) -> Bits:
        return canonical(function(a.view(np.float32), b.view(np.float32)))

    return operation


def _unary(function: Callable[[Bits], Bits]) -> Callable[[Bits, Bits], Bits]:
    return lambda a, b: function(a)


def _order(bits: Bits) -> npt.NDArray[np.int32]:
    # Integers in the order of the numbers, -0 below +0: negative patterns are counted from the other end.
    signed = bits.view(np.int32)
    return np.where(signed < 0, signed ^ np.int32(0x7FFFFFFF), signed)


def _maximum(a: Bits, b: Bits) -> Bits:
    # By integers, since NumPy's maximum does not say which of two zeros it returns.
    return _with_nan(a, b, np.where(_order(a) >= _order(b), a, b))


def _minimum(a: Bits, b: Bits) -> Bits:
    return _with_nan(a, b, np.where(_order(a) <= _order(b), a, b))


def _with_nan(a: Bits, b: Bits, result: Bits) -> Bits:
    nan = np.isnan(a.view(np.float32)) | np.isnan(b.view(np.float32))
    return np.where(nan, np.uint32(CANONICAL_NAN), result)


def _relu(a: Bits, b: Bits) -> Bits:
    values = a.view(np.float32)
    # A NaN is not <= 0, and passes on; -0 is, and becomes +0.
    return canonical(np.where(values <= 0, np.float32(0), values))


FLOAT: Mapping[str, Callable[[Bits, Bits], Bits]] = {
    "PASS": lambda a, b: canonical(a.view(np.float32)),
    "ADD": _arithmetic(np.add),
    "SUB": _arithmetic(np.subtract),
    "MUL": _arithmetic(np.multiply),
    "MAX": _maximum,
    "MIN": _minimum,
    "RELU": _relu,
    **{mnemonic: _unary(function) for mnemonic, function in FUNCTIONS.items()},
}
"""By mnemonic: ``FLOAT[m](a, b)`` on uint32 bit patterns, the result's NaNs canonical. Callers silence NumPy's
floating-point warnings (`numpy.errstate`)."""
