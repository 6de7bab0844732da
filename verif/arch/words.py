"""Instruction words for tests: one legal set of fields per mnemonic, and random legal words."""

from collections.abc import Iterator

import numpy as np

from arch.config import Config
from arch.formats import DType
from arch.functions.function import Function
from arch.geometry import Unit, units
from arch.isa.codes import Source
from arch.isa.encoding import encode, illegality
from arch.isa.instruction import Instruction
from arch.isa.table import BY_MNEMONIC, INSTRUCTIONS
from arch.isa.vxm_rows import alu_column

BUILT = [row for row in INSTRUCTIONS if row.built]

_BURST = {"count": 3, "interval": 1}
_ALU = {
    "dtype": DType.INT32, "out_dtype": DType.INT32, "a_src": Source.STREAM, "a_index": 4,
    "b_src": Source.MESH, "b_index": 1, "drive": 1, "dst": 8,
}  # fmt: skip

LEGAL: dict[str, dict[str, int]] = {
    "NOP": {"count": 1},
    "REPEAT": {"count": 1, "interval": 1},
    "END": {},
    "IFETCH": {"stream": 3, "count": 3},
    "SYNC": {},
    "NOTIFY": {},
    "CONFIG": {"superlanes": 1},
    "READ": {**_BURST, "addr": 5, "stride": -1, "stream": 3},
    "WRITE": {**_BURST, "addr": 5, "stride": 1, "stream": 3},
    "GATHER": {"count": 3, "interval": 64, "addr": 5, "stream": 3, "map": 2},
    "SCATTER": {"count": 3, "interval": 64, "addr": 5, "stream": 3, "map": 2},
    "LW": {"stream": 0, "count": 1},
    "ABC": {**_BURST, "stream": 2},
    "ACC": {**_BURST, "addr": 2, "stride": 1, "stream": 4},
    "SHIFT": {"src": 1, "dst": 2, "amount": 1},
    "SELECT": {"src": 1, "dst": 2, "low": 3, "amount": 1},
    "PERMUTE": {"src": 1, "dst": 2, "streamed": 1, "map": 4},
    "DISTRIBUTE": {"src": 1, "dst": 2, "streamed": 1, "map": 3},
    "ROTATE": {"src": 1, "dst": 0, "size": 2},
    "TRANSPOSE": {"src": 0, "dst": 0},
    "LOADMAP": {"map": 2, "register": 1},
    **{row.mnemonic: _ALU for row in BUILT if "out_dtype" in row.offsets},
    "CVT": {**_ALU, "out_dtype": DType.FP32},
    "CMP": {**_ALU, "out_dtype": DType.INT8},
    **{function.name: {**_ALU, "dtype": DType.FP32, "out_dtype": DType.FP32} for function in Function},
}
"""Fields that are legal in every preset, on the unit that `unit_for` returns."""


def unit_for(config: Config, mnemonic: str) -> Unit:
    """Return the first unit that may issue an instruction."""
    kinds = BY_MNEMONIC[mnemonic].kinds
    able = [unit for unit in units(config) if unit.kind in kinds]
    if mnemonic in Function.__members__:
        able = [unit for unit in able if alu_column(unit, config) == config.alu_cols - 2]
    return able[0]


def random_fields(row: Instruction, rng: np.random.Generator) -> dict[str, int]:
    """Return values that fit the fields' bits, their ends more often than by chance."""
    fields = {}
    for name, (_, field) in row.offsets.items():
        ends = [field.minimum, field.maximum, min(1, field.maximum)]
        fields[name] = int(rng.choice(ends) if rng.random() < 0.3 else rng.integers(field.minimum, field.maximum + 1))
    return fields


def legal_words(config: Config, unit: Unit, rng: np.random.Generator, tries: int) -> Iterator[int]:
    """Yield legal words of a unit: its instructions with random fields, as far as they are legal."""
    rows = [row for row in BUILT if unit.kind in row.kinds]
    for _ in range(tries):
        row = rows[rng.integers(len(rows))]
        fields = LEGAL[row.mnemonic] | {
            name: value for name, value in random_fields(row, rng).items() if rng.random() < 0.3
        }
        word = encode(row.mnemonic, **fields)
        if illegality(config, unit, word) is None:
            yield word
