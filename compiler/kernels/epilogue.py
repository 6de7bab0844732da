"""What the VXM does to results on their way to MEM, and which ALUs do it."""

from dataclasses import dataclass

from arch.config import Config
from arch.formats import DType
from compiler.operation import MatMul


@dataclass(frozen=True)
class Step:
    """One VXM operation on every result.

    Attributes
    ----------
    mnemonic : str
    dtype, out_dtype : DType
    constant : str or None
        Name of the vector that is operand b.
    saturate : bool
    """

    mnemonic: str
    dtype: DType
    out_dtype: DType
    constant: str | None = None
    saturate: bool = False


@dataclass(frozen=True)
class Chain:
    """ALUs in neighbouring mesh columns that perform the steps one after another.

    Attributes
    ----------
    alus : tuple of int
        One per step.
    keepers : tuple of (int or None)
        Per step, the ALU that holds its constant and repeats it through the mesh.
    """

    alus: tuple[int, ...]
    keepers: tuple[int | None, ...]


def epilogue(op: MatMul) -> tuple[Step, ...]:
    """Return the steps from accumulated int32 to the result; none when the result is the sum itself.

    Requantisation is ONNX QLinearMatMul's: multiply in fp32, round half to even, add the zero point, saturate.
    """
    steps = []
    if op.bias is not None:
        steps.append(Step("ADD", DType.INT32, DType.INT32, "bias"))
    if op.scale is None:
        if op.relu:
            steps.append(Step("RELU", DType.INT32, DType.INT32))
        return tuple(steps)
    steps.append(Step("CVT", DType.INT32, DType.FP32))
    steps.append(Step("MUL", DType.FP32, DType.FP32, "scale"))
    if op.relu:
        steps.append(Step("RELU", DType.FP32, DType.FP32))
    if op.zero_point is None:
        steps.append(Step("CVT", DType.FP32, DType.INT8))
    else:
        steps.append(Step("CVT", DType.FP32, DType.INT32))
        steps.append(Step("ADD", DType.INT32, DType.INT8, "zero_point", saturate=True))
    return tuple(steps)


def chains(config: Config, steps: tuple[Step, ...]) -> list[Chain]:
    """Return as many chains of ALUs, none shared, as the mesh has room for.

    Step i stands i columns after the first (the columns form a ring), the keeper of its constant one column before
    it; MUL is built in even columns only.
    """
    found: list[Chain] = []
    rows = [0] * config.alu_cols
    while steps:
        best = min(
            (used for start in range(config.alu_cols) if (used := _columns(config, steps, start)) is not None),
            key=lambda used: max(rows[column] + used.count(column) for column in range(config.alu_cols)),
            default=None,
        )
        if best is None:
            return found
        alus = []
        for column in best:
            alus.append(rows[column] * config.alu_cols + column)
            rows[column] += 1
        if max(rows) > config.alu_rows:
            return found
        keepers = iter(alus[len(steps) :])
        found.append(Chain(tuple(alus[: len(steps)]), tuple(next(keepers) if s.constant else None for s in steps)))
    return found


def _columns(config: Config, steps: tuple[Step, ...], start: int) -> list[int] | None:
    """Return the columns of the steps, then of the keepers, with the first step in column `start`."""
    columns = [(start + index) % config.alu_cols for index in range(len(steps))]
    if any(step.mnemonic == "MUL" and column % 2 for step, column in zip(steps, columns, strict=True)):
        return None
    keepers = [(column - 1) % config.alu_cols for step, column in zip(steps, columns, strict=True) if step.constant]
    return columns + keepers
