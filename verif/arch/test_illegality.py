from typing import Any

import numpy as np
import pytest

from arch.formats import DType
from arch.functions.function import Function
from arch.geometry import Unit, UnitKind, units
from arch.isa.codes import Source
from arch.isa.encoding import encode, illegality
from arch.isa.instruction import OPCODE_BITS
from arch.isa.table import BY_MNEMONIC, BY_OPCODE, INSTRUCTIONS
from arch.isa.vxm_rows import alu_column
from arch.presets import PRESETS, preset
from verif.arch.words import BUILT, LEGAL, legal_words, unit_for

NANO = preset("nano")  # 4 lanes, 2 superlanes, 16 streams, 512 addresses, 64 accumulators, a 4 x 4 mesh

_COUNT = [({"count": 0}, "count must be at least 1")]
_INTERVAL = [({"interval": 0}, "interval must be at least 1")]
_BURST = [*_COUNT, *_INTERVAL]
_MEM = [
    ({"stream": 16}, "stream must name a stream of the machine"),
    ({"addr": 512}, "addr must be below 2 * mem_depth"),
    *_BURST,
]


def _indexed(accesses: int) -> list[tuple[dict[str, int], str]]:
    return [
        *_MEM[:2],
        ({"count": 0}, "count must be at least 1"),
        ({"interval": accesses - 1}, "interval must be at least the cycles of an element's accesses"),
        ({"map": 16}, "map must name a stream of the machine"),
        ({"map": 3}, "map must be a multiple of 2"),
    ]


_AMOUNT = [({"amount": 9}, "amount must be at most the vector length")]

BROKEN: dict[str, list[tuple[dict[str, int], str]]] = {
    "NOP": _COUNT,
    "REPEAT": _BURST,
    "END": [],
    "IFETCH": [({"stream": 16}, "stream must name a stream of the machine"), *_COUNT],
    "SYNC": [],
    "NOTIFY": [],
    "CONFIG": [
        ({"superlanes": 0}, "superlanes must be 1 to the machine's"),
        ({"superlanes": 3}, "superlanes must be 1 to the machine's"),
    ],
    "READ": _MEM,
    "WRITE": _MEM,
    "GATHER": _indexed(4),
    "SCATTER": _indexed(12),
    "LW": [
        ({"stream": 16}, "stream must name a stream of the machine"),
        ({"stream": 2}, "stream must be a multiple of lanes"),
        ({"count": 0}, "count must be 1 to superlanes"),
        ({"count": 3}, "count must be 1 to superlanes"),
    ],
    "ABC": [
        ({"stream": 31}, "stream must name a stream of the machine"),
        *_BURST,
        ({"dtype": DType.FP32}, "dtype must be int8 or fp16"),
        ({"dtype": 7}, "dtype must be int8 or fp16"),
        ({"dtype": DType.FP16, "stream": 3, "interval": 2}, "fp16 streams must start at an even one"),
        ({"dtype": DType.FP16, "stream": 2, "interval": 1}, "fp16 interval must be at least 2"),
    ],
    "ACC": [
        ({"addr": 64}, "addr must be below acc_depth"),
        *_BURST,
        ({"stream": 16}, "stream must name a stream of the machine"),
        ({"stream": 6}, "stream must be a multiple of 4"),
        ({"float": 1, "interval": 1}, "float interval must be at least 2"),
    ],
    "SHIFT": [
        ({"src": 16}, "src must name a stream of the machine"),
        ({"dst": 16}, "dst must name a stream of the machine"),
        *_AMOUNT,
    ],
    "SELECT": [
        ({"src": 16}, "src must name a stream of the machine"),
        ({"dst": 16}, "dst must name a stream of the machine"),
        ({"low": 16}, "low must name a stream of the machine"),
        *_AMOUNT,
    ],
    "PERMUTE": [
        ({"src": 16}, "src must name a stream of the machine"),
        ({"dst": 16}, "dst must name a stream of the machine"),
        ({"map": 16}, "map must name a stream of the machine"),
        ({"map": 5}, "map must be a multiple of 2"),
    ],
    "DISTRIBUTE": [
        ({"src": 16}, "src must name a stream of the machine"),
        ({"dst": 16}, "dst must name a stream of the machine"),
        ({"map": 16}, "map must name a stream of the machine"),
    ],
    "ROTATE": [
        ({"src": 16}, "src must name a stream of the machine"),
        ({"dst": 16}, "dst must name a stream of the machine"),
        ({"dst": 6}, "dst must be a multiple of lanes"),
        ({"size": 1}, "size must be 2, 3 or 4, its square at most lanes"),
        ({"size": 3}, "size must be 2, 3 or 4, its square at most lanes"),
        ({"size": 5}, "size must be 2, 3 or 4, its square at most lanes"),
    ],
    "TRANSPOSE": [
        ({"src": 16}, "src must name a stream of the machine"),
        ({"dst": 16}, "dst must name a stream of the machine"),
        ({"src": 2}, "src must be a multiple of lanes"),
        ({"dst": 6}, "dst must be a multiple of lanes"),
    ],
    "LOADMAP": [
        ({"map": 16}, "map must name a stream of the machine"),
        ({"map": 3}, "map must be a multiple of 2 at a PERMUTE unit"),
    ],
}
"""Per mnemonic: what to change in `LEGAL`, and the rule that it breaks."""

_ALU: list[tuple[dict[str, int], str]] = [
    ({"a_index": 2}, "a_index must be a stream aligned to dtype"),
    ({"a_index": 16}, "a_index must be a stream aligned to dtype"),
    ({"a_src": Source.MESH, "a_index": 4}, "a_index must be a mesh row"),
    ({"b_src": Source.STREAM, "b_index": 1}, "b_index must be a stream aligned to dtype"),
    ({"b_index": 4}, "b_index must be a mesh row"),
    ({"dst": 16}, "dst must be a stream aligned to out_dtype"),
]

_ALU_MORE: dict[str, list[tuple[dict[str, int], str]]] = {
    "PASS": [({"dst": 10}, "dst must be a stream aligned to out_dtype")],
    "CMP": [({"relation": 6}, "relation must be 0 to 5"), ({"relation": 7}, "relation must be 0 to 5")],
    "SEL": [
        ({"c_index": 16}, "c_index must be a stream of the machine"),
        ({"c_src": Source.MESH, "c_index": 4}, "c_index must be a mesh row"),
    ],
    "CVT": [({"out_dtype": DType.FP16, "dst": 9}, "dst must be a stream aligned to out_dtype")],
}
"""Per mnemonic: rules that break nowhere else, or in another format."""

CASES = [
    (row.mnemonic, changes, text)
    for row in BUILT
    for changes, text in (
        [*_ALU, *_ALU_MORE.get(row.mnemonic, [])] if "out_dtype" in row.offsets else BROKEN[row.mnemonic]
    )
]


def alu_in_column(column: int) -> Unit:
    return next(unit for unit in units(NANO) if unit.kind is UnitKind.VXM and alu_column(unit, NANO) == column)


@pytest.mark.parametrize("preset_name", PRESETS)
@pytest.mark.parametrize("mnemonic", LEGAL)
def test_the_unbroken_words_are_legal(mnemonic: str, preset_name: str) -> None:
    config = preset(preset_name)
    assert illegality(config, unit_for(config, mnemonic), encode(mnemonic, **LEGAL[mnemonic])) is None


@pytest.mark.parametrize("mnemonic,changes,text", CASES)
def test_broken_rule_is_named(mnemonic: str, changes: dict[str, int], text: str) -> None:
    word = encode(mnemonic, **LEGAL[mnemonic] | changes)
    reason = illegality(NANO, unit_for(NANO, mnemonic), word)
    assert reason is not None
    assert reason.startswith(f"{mnemonic}: {text}, in ")


def test_every_rule_of_the_table_is_broken_above() -> None:
    broken = {(mnemonic, text) for mnemonic, _, text in CASES}
    rules = {(row.mnemonic, rule.text) for row in BUILT for rule in row.rules}
    own = ("dtype->out_dtype", " built in ", "a vector must hold whole words", "first plane of a pair")
    own_tests = {text for _, text in rules if any(part in text for part in own)}
    assert {text for _, text in rules - broken} == own_tests


def test_a_vector_of_text_is_whole_words() -> None:
    odd = preset("nano", ["superlanes=3"])
    reason = illegality(odd, unit_for(odd, "IFETCH"), encode("IFETCH", **LEGAL["IFETCH"]))
    assert reason is not None
    assert reason.startswith("IFETCH: a vector must hold whole words, in ")


def integer_pairs() -> set[tuple[DType, DType]]:
    integers = (DType.INT8, DType.INT16, DType.INT32)
    return {(a, b) for a in integers for b in integers}


@pytest.mark.parametrize("row", [row for row in BUILT if "out_dtype" in row.offsets], ids=lambda row: row.mnemonic)
def test_formats_of_the_alu(row: Any) -> None:
    integers = {a for a, _ in integer_pairs()}
    if row.mnemonic == "CVT":
        floats = {DType.FP16, DType.FP32}
        expected = {(a, b) for a in DType for b in DType if a != b} & {
            *((a, b) for a in floats for b in DType),
            *((a, b) for a in DType for b in floats),
        }
    elif row.mnemonic in Function.__members__:
        expected = {(DType.FP32, DType.FP32)}
    elif row.mnemonic == "CMP":
        expected = {(a, DType.INT8) for a in (*integers, DType.FP32)}
    elif row.mnemonic in ("SHL", "SHR", "SHRL", "AND", "OR", "XOR", "NOT"):
        expected = integer_pairs()
    else:
        expected = integer_pairs() | {(DType.FP32, DType.FP32)}
    found = set()
    for column in range(NANO.alu_cols):
        unit = alu_in_column(column)
        for dtype in range(8):
            for out_dtype in range(8):
                word = encode(row.mnemonic, **LEGAL[row.mnemonic] | {"dtype": dtype, "out_dtype": out_dtype})
                if illegality(NANO, unit, word) is None:
                    found.add((dtype, out_dtype))
    assert found == expected


@pytest.mark.parametrize("column", range(4))
def test_costly_functions_are_built_in_some_columns(column: int) -> None:
    unit = alu_in_column(column)
    fp32 = {"dtype": DType.FP32, "out_dtype": DType.FP32}
    even = column % 2 == 0
    assert (illegality(NANO, unit, encode("MUL", **LEGAL["MUL"])) is None) == even
    assert (illegality(NANO, unit, encode("MUL", **LEGAL["MUL"] | fp32)) is None) == even
    for mnemonic in ("ADD", "SUB"):
        assert illegality(NANO, unit, encode(mnemonic, **LEGAL[mnemonic])) is None
        assert (illegality(NANO, unit, encode(mnemonic, **LEGAL[mnemonic] | fp32)) is None) == (not even)
    for function in Function:
        assert (illegality(NANO, unit, encode(function.name, **LEGAL[function.name])) is None) == (column == 2)


@pytest.mark.parametrize("planes", [2, 4])
def test_fp16_belongs_to_the_first_plane_of_a_pair(planes: int) -> None:
    config = NANO.replace(planes=planes)
    word = encode("ABC", **LEGAL["ABC"] | {"dtype": DType.FP16, "interval": 2})
    for unit in units(config):
        if unit.kind is UnitKind.MXM_ACTIVATIONS:
            assert (illegality(config, unit, word) is None) == (planes == 4 and unit.index == 0)


def test_alignment_follows_the_format() -> None:
    unit = unit_for(NANO, "PASS")
    for dtype, alignment in ((DType.INT8, 1), (DType.INT16, 2), (DType.INT32, 4)):
        for index in range(NANO.streams):
            fields = {"dtype": dtype, "a_src": Source.STREAM, "a_index": index, "b_src": Source.ZERO}
            word = encode("PASS", **LEGAL["PASS"] | fields)
            assert (illegality(NANO, unit, word) is None) == (index % alignment == 0)


def test_unused_operand_and_destination_are_free() -> None:
    unit = unit_for(NANO, "PASS")
    free = {"a_src": Source.SELF, "a_index": 31, "b_src": Source.ZERO, "b_index": 31, "drive": 0, "dst": 31}
    assert illegality(NANO, unit, encode("PASS", **LEGAL["PASS"] | free)) is None
    assert illegality(NANO, unit, encode("SEL", **LEGAL["SEL"] | free | {"c_src": Source.SELF, "c_index": 31})) is None


def test_fields_of_other_instructions_are_free() -> None:
    unit = unit_for(NANO, "PASS")
    free = {"relation": 7, "c_src": Source.MESH, "c_index": 31}
    assert illegality(NANO, unit, encode("PASS", **LEGAL["PASS"] | free)) is None
    assert illegality(NANO, unit, encode("SEL", **LEGAL["SEL"] | {"relation": 7})) is None


@pytest.mark.parametrize("unit_kind", UnitKind)
def test_foreign_reserved_and_unknown_opcodes(unit_kind: UnitKind) -> None:
    config = preset("small")
    unit = next(unit for unit in units(config) if unit.kind is unit_kind)
    for opcode in range(1 << OPCODE_BITS):
        reason = illegality(config, unit, opcode)
        row = BY_OPCODE.get(opcode)
        if row is None:
            assert reason == f"opcode {opcode} is not in the instruction table"
        elif unit_kind not in row.kinds:
            assert reason == f"{row.mnemonic} does not belong to a {unit_kind.value} queue"
        elif not row.built:
            assert reason == f"{row.mnemonic} is not built yet"


def test_any_64_bits_are_judged(rng: np.random.Generator) -> None:
    nano_units = units(NANO)
    for word in rng.integers(0, 1 << 64, 2000, dtype=np.uint64):
        unit = nano_units[rng.integers(len(nano_units))]
        reason = illegality(NANO, unit, int(word))
        assert reason is None or "\n" not in reason


def test_random_legal_words_reach_every_built_instruction(rng: np.random.Generator) -> None:
    seen = {
        BY_OPCODE[word & (1 << OPCODE_BITS) - 1].mnemonic
        for unit in {unit.kind: unit for unit in units(NANO)}.values()
        for word in legal_words(NANO, unit, rng, tries=400)
    }
    vxm = [word for column in range(3) for word in legal_words(NANO, alu_in_column(column), rng, tries=400)]
    seen |= {BY_OPCODE[word & (1 << OPCODE_BITS) - 1].mnemonic for word in vxm}
    assert seen == {row.mnemonic for row in BUILT}
    assert {row.mnemonic for row in INSTRUCTIONS} == BY_MNEMONIC.keys()
