"""Operands on which errors are measured."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

__all__ = ["every_fp16_number", "spread"]

Bits = npt.NDArray[np.uint32]

_RANGES: Mapping[str, tuple[float, float]] = {
    "EXP": (2.0**-26, 2.0**7),
    "TANH": (2.0**-14, 2.0**4),
    "RSQRT": (2.0**-149, 2.0**127),
    "RECIP": (2.0**-149, 2.0**127),
    "LOG": (2.0**-149, 2.0**127),
    "SIGMOID": (2.0**-26, 2.0**7),
}
"""Magnitudes between which a function is neither constant nor its operand."""

_ONE = 0x3F800000


def every_fp16_number() -> Bits:
    """Return all 65,536 numbers of fp16, NaN too, as fp32."""
    with np.errstate(invalid="ignore"):  # signalling NaNs
        return np.arange(1 << 16, dtype=np.uint16).view(np.float16).astype(np.float32).view(np.uint32)


def spread(rng: np.random.Generator, mnemonic: str, count: int) -> Bits:
    """Return `count` fp32 patterns: a quarter any bits, the others where the function is not trivial.

    Of those, a third lie evenly by exponent, a third evenly by value up to 128, a third between 1/4 and 4.
    """
    low, high = (int(np.float32(limit).view(np.uint32)) for limit in _RANGES[mnemonic])
    sign = rng.integers(0, 2, count, dtype=np.uint32) << 31
    kinds = [
        rng.integers(0, 1 << 32, count, dtype=np.uint32),
        rng.integers(low, high, count, dtype=np.uint32) | sign,
        rng.uniform(-128, 128, count).astype(np.float32).view(np.uint32),
        rng.integers(_ONE - (2 << 23), _ONE + (2 << 23), count, dtype=np.uint32) | sign,
    ]
    return np.choose(rng.integers(0, len(kinds), count), kinds).astype(np.uint32)
