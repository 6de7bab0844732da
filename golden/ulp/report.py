"""The table of errors."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from golden.numerics.functions import FUNCTIONS
from golden.ulp.errors import errors
from golden.ulp.operands import every_fp16_number, spread

__all__ = ["SEED", "Worst", "markdown", "worst"]

SEED = 1
"""Of the operands."""

_CHUNK = 1 << 18


@dataclass(frozen=True)
class Worst:
    """The largest error over some operands.

    Attributes
    ----------
    error : float
        Units of the last place.
    operand : int
        The fp32 pattern where it is.
    nearest : float
        Part of the results that are the fp32 number nearest to the true value, give or take 2**-20 units.
    """

    error: float
    operand: int
    nearest: float


def worst(mnemonic: str, operands: npt.NDArray[np.uint32]) -> Worst:
    """Return the largest error of a function over operands."""
    top, where, near = -1.0, 0, 0
    for start in range(0, len(operands), _CHUNK):
        chunk = operands[start : start + _CHUNK]
        error = errors(mnemonic, chunk)
        at = int(error.argmax())
        near += int((error <= 0.5 + 2.0**-20).sum())
        if error[at] > top:
            top, where = float(error[at]), int(chunk[at])
    return Worst(top, where, near / len(operands))


def markdown(count: int) -> str:
    """Return the table: all of fp16, and `count` fp32 operands of every function."""
    lines = [
        f"| function | fp16, all 65,536 | fp32, {count:,} | worst operand | rounded to nearest |",
        "|---|---|---|---|---|",
    ]
    for mnemonic in FUNCTIONS:
        fp16 = worst(mnemonic, every_fp16_number())
        single = worst(mnemonic, spread(np.random.default_rng(SEED), mnemonic, count))
        value = np.uint32(single.operand).view(np.float32)
        lines.append(
            f"| {mnemonic} | {fp16.error:.3f} | {single.error:.3f} | `{single.operand:#010x}` ({value:.6g}) | "
            f"{100 * single.nearest:.2f} % |"
        )
    return "\n".join(lines)
