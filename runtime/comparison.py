"""The comparison behind every verdict: results are equal when format, shape and bits are.

A NaN that an operation of the machine makes is the canonical quiet one, 0x7fc00000 in float32 and 0x7e00 in float16
(`arch.formats`); what only moves data keeps the NaN that it is given. So a NaN equals itself bit for bit, and -0 is not
+0. Definitions in `golden.reference` are made of the machine's operations and give the very bits. A reference that
NumPy computes by itself carries the signs and payloads of the host's processor: `canonical` brings it into this form.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from arch.formats import CANONICAL_NAN, CANONICAL_NAN_FP16

__all__ = ["canonical", "difference", "differences"]

Array = npt.NDArray[Any]

_SHOWN = 5
"""Elements that a difference shows."""

_NANS = {2: CANONICAL_NAN_FP16, 4: CANONICAL_NAN}
"""Bits of the machine's NaN by bytes of a number."""


def canonical(values: Array) -> Array:
    """Return float16 or float32 values with the canonical NaN for every NaN; other formats as they are."""
    if values.dtype.kind != "f" or not np.isnan(values).any():
        return values
    nan = np.array(_NANS[values.itemsize], f"u{values.itemsize}").view(values.dtype)
    return np.where(np.isnan(values), nan, values)


def difference(found: Array, expected: Array, name: str = "result") -> str:
    """Return how a result differs from what it must be: lines of text, none if every bit is right.

    Parameters
    ----------
    found, expected : ndarray
        Of any format and shape, which count too.
    name : str
        What they are.

    Returns
    -------
    str
        How many elements differ, and of the first few the index, and both values as numbers and bits.
    """
    if found.dtype != expected.dtype or found.shape != expected.shape:
        wanted = f"{expected.dtype} of shape {expected.shape}"
        return f"{name} must be {wanted}, not {found.dtype} of shape {found.shape}"
    bits, wanted_bits = (_bits(array) for array in (found, expected))
    wrong = np.flatnonzero(bits != wanted_bits)
    if not wrong.size:
        return ""
    lines = [f"{name} differs in {wrong.size:,} of {found.size:,} elements:"]
    digits = 2 * found.itemsize
    for place in wrong[:_SHOWN]:
        index = [int(number) for number in np.unravel_index(place, found.shape)]
        is_, must_be = (
            f"{values.reshape(-1)[place]} (0x{int(patterns[place]):0{digits}x})"
            for values, patterns in ((found, bits), (expected, wanted_bits))
        )
        lines.append(f"  {name}{index} must be {must_be}, not {is_}")
    if wrong.size > _SHOWN:
        lines.append(f"  and {wrong.size - _SHOWN:,} more")
    return "\n".join(lines)


def differences(found: Mapping[str, Array], expected: Mapping[str, Array]) -> list[str]:
    """Return how tensors of the same names differ, one text each; a name that only one side has is a difference."""
    texts = [f"result must be one of {', '.join(expected)}, not {name!r}" for name in found if name not in expected]
    for name, values in expected.items():
        texts.append(difference(found[name], values, name) if name in found else f"result {name} is missing")
    return [text for text in texts if text]


def _bits(array: Array) -> Array:
    """Return the bit patterns of all elements, in C order."""
    return np.ascontiguousarray(array).view(f"u{array.itemsize}").reshape(-1)
