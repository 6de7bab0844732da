"""One VXM operation on 32-bit patterns, without time."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from arch.errors import TaktError
from arch.formats import DType
from arch.isa.codes import Relation
from golden.numerics.compare import compare
from golden.numerics.convert import to_float, to_fp16, to_integer, widen
from golden.numerics.floating import FLOAT, canonical
from golden.numerics.integer import EXACT
from golden.numerics.narrow import narrow

Bits = npt.NDArray[np.uint32]
Operation = Callable[[Bits, Bits, Bits], Bits]

_KNOWN = {*EXACT, *FLOAT, "CVT", "CMP", "SEL"}

_MASK = 0xFF
"""Of the third operand the lowest byte counts."""


def operate(
    mnemonic: str,
    dtype: DType,
    out_dtype: DType,
    saturate: bool,
    a: npt.ArrayLike,
    b: npt.ArrayLike,
    c: npt.ArrayLike = 0,
    *,
    relation: int = Relation.EQ,
) -> Bits:
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
        Operands; of a narrower format the low bits count.
    c : array_like of uint32, same shape or scalar
        SEL: the mask, of which the lowest byte counts.
    relation : int
        CMP: what is asked.

    Returns
    -------
    ndarray of uint32
        Integers sign-extended to 32 bits, fp32 as its pattern, fp16 as its pattern with zeros above.

    Raises
    ------
    TaktError
        For a mnemonic that is not an ALU operation, or a pair of formats that it does not have.
    """
    # Plain integers are taken too, as words hold them; a code of no format is refused here.
    function = operation(mnemonic, DType(dtype), DType(out_dtype), bool(saturate), Relation(relation))
    with np.errstate(all="ignore"):
        return function(*(np.asarray(operand, np.uint32) for operand in (a, b, c)))


@lru_cache
def operation(mnemonic: str, dtype: DType, out_dtype: DType, saturate: bool, relation: Relation) -> Operation:
    """Return the function ``(a, b, c) -> result`` on uint32 arrays that `operate` applies, under `numpy.errstate`."""
    if mnemonic not in _KNOWN:
        raise TaktError(f"mnemonic must be one of {', '.join(sorted(_KNOWN))}, not {mnemonic!r}")
    integers = not (dtype.is_float or out_dtype.is_float)
    floats = dtype == out_dtype == DType.FP32
    if mnemonic == "CVT":
        # CVT between integers is PASS, which narrows; that of a format to itself is none of the table's pairs.
        if not integers and dtype != out_dtype:
            return _convert(dtype, out_dtype)
    elif mnemonic == "CMP":
        if out_dtype == DType.INT8 and dtype != DType.FP16:
            numbers = _numbers(dtype)
            return lambda a, b, c: compare(relation, numbers(a), numbers(b))
    elif mnemonic == "SEL":
        if integers or floats:
            # SEL narrows what it chose as PASS does, NaN included.
            passed = operation("PASS", dtype, out_dtype, saturate, relation)
            return lambda a, b, c: passed(np.where(c & _MASK, a, b), b, c)
    elif mnemonic in FLOAT and floats:
        function = FLOAT[mnemonic]
        return lambda a, b, c: function(a, b)
    elif mnemonic in EXACT and integers:
        return _integer(mnemonic, dtype, out_dtype, saturate)
    raise TaktError(f"formats must be ones that {mnemonic} has, not {dtype.name.lower()}->{out_dtype.name.lower()}")


def _integer(mnemonic: str, dtype: DType, out_dtype: DType, saturate: bool) -> Operation:
    exact = EXACT[mnemonic]
    numbers = _numbers(dtype)

    def function(a: Bits, b: Bits, c: Bits) -> Bits:
        return _pattern(narrow(exact(numbers(a), numbers(b), dtype), out_dtype, saturate))

    return function


def _convert(dtype: DType, out_dtype: DType) -> Operation:
    numbers = _numbers(dtype)
    if out_dtype == DType.FP16:
        return lambda a, b, c: to_fp16(numbers(a))
    if out_dtype == DType.FP32:
        to_single = widen if dtype == DType.FP16 else to_float
        return lambda a, b, c: canonical(to_single(numbers(a)))
    return lambda a, b, c: _pattern(to_integer(numbers(a), out_dtype))


def _numbers(dtype: DType) -> Callable[[Bits], npt.NDArray[Any]]:
    """Return what takes the low bits of patterns as numbers: int64, float16 or float32."""
    if dtype == DType.FP32:
        return lambda bits: bits.view(np.float32)
    if dtype == DType.FP16:
        return lambda bits: bits.astype(np.uint16).view(np.float16)
    # Through the narrow format, whose sign then extends.
    low_bits = dtype.numpy
    return lambda bits: bits.astype(low_bits).astype(np.int64)


def _pattern(numbers: npt.NDArray[np.int64]) -> Bits:
    return numbers.astype(np.uint32)
