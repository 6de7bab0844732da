"""One VXM operation on 32-bit patterns, without time."""

from collections.abc import Callable
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from arch.errors import TaktError
from arch.formats import DType
from golden.numerics.convert import to_float, to_integer
from golden.numerics.floating import FLOAT, canonical
from golden.numerics.integer import EXACT
from golden.numerics.narrow import narrow

Bits = npt.NDArray[np.uint32]
Operation = Callable[[Bits, Bits], Bits]


def operate(mnemonic: str, dtype: DType, out_dtype: DType, saturate: bool, a: npt.ArrayLike, b: npt.ArrayLike) -> Bits:
    """Return the results of one VXM operation, element by element.

    Parameters
    ----------
    mnemonic : str
        A built VXM instruction.
    dtype, out_dtype : DType
        Formats of the operands and of the result, a pair that the instruction allows.
    saturate : bool
        Saturate integer results to `out_dtype` instead of wrapping them.
    a, b : array_like of uint32, same shape
        Operands; of a narrower integer format the low bits count.

    Returns
    -------
    ndarray of uint32
        Integers sign-extended to 32 bits, fp32 as its pattern.

    Raises
    ------
    TaktError
        For a mnemonic that is not an ALU operation, or a pair of formats that it does not have.
    """
    function = operation(mnemonic, DType(dtype), DType(out_dtype), bool(saturate))
    with np.errstate(all="ignore"):
        return function(np.asarray(a, np.uint32), np.asarray(b, np.uint32))


@lru_cache
def operation(mnemonic: str, dtype: DType, out_dtype: DType, saturate: bool) -> Operation:
    """Return the function ``(a, b) -> result`` on uint32 arrays that `operate` applies, under `numpy.errstate`."""
    known = {*EXACT, *FLOAT, "CVT"}
    if mnemonic not in known:
        raise TaktError(f"mnemonic must be one of {', '.join(sorted(known))}, not {mnemonic!r}")
    if mnemonic == "CVT" and dtype.is_float != out_dtype.is_float:
        if DType.FP16 not in (dtype, out_dtype):
            return _from_float(out_dtype) if dtype.is_float else _to_float(dtype)
    elif mnemonic in FLOAT and dtype == out_dtype == DType.FP32:
        return FLOAT[mnemonic]
    elif mnemonic in EXACT and not (dtype.is_float or out_dtype.is_float):
        return _integer(mnemonic, dtype, out_dtype, saturate)
    raise TaktError(f"formats must be ones that {mnemonic} has, not {dtype.name.lower()}->{out_dtype.name.lower()}")


def _integer(mnemonic: str, dtype: DType, out_dtype: DType, saturate: bool) -> Operation:
    exact = EXACT[mnemonic]
    number = _number(dtype)

    def function(a: Bits, b: Bits) -> Bits:
        return _pattern(narrow(exact(number(a), number(b), dtype), out_dtype, saturate))

    return function


def _to_float(dtype: DType) -> Operation:
    number = _number(dtype)
    return lambda a, b: canonical(to_float(number(a)))


def _from_float(out_dtype: DType) -> Operation:
    return lambda a, b: _pattern(to_integer(a.view(np.float32), out_dtype))


def _number(dtype: DType) -> Callable[[Bits], npt.NDArray[np.int64]]:
    low_bits = dtype.numpy
    return lambda bits: bits.astype(low_bits).astype(np.int64)


def _pattern(numbers: npt.NDArray[np.int64]) -> Bits:
    return numbers.astype(np.uint32)
