"""Instructions of the VXM: opcodes 32 to 55."""

from functools import lru_cache
from typing import Any

from arch.config import Config
from arch.formats import INTEGERS, DType
from arch.geometry import Unit, UnitKind
from arch.isa.codes import Relation, Source
from arch.isa.fields import direction, stream_field
from arch.isa.instruction import Field, Instruction, Rule, implies, one_of

_ALU_FIELDS = (
    Field("dtype", 3, "format of the operands: " + ", ".join(f"{d.value} {d.name.lower()}" for d in DType)),
    Field("out_dtype", 3, "format of the result"),
    Field("saturate", 1, "1: an integer result saturates to out_dtype, 0: it wraps"),
    Field("a_src", 2, "source of a: " + ", ".join(f"{s.value} {s.name.lower()}" for s in Source)),
    direction("a_dir", "direction of a's streams"),
    Field("a_index", 5, "a's first stream, or mesh row"),
    Field("b_src", 2, "source of b, as a_src"),
    direction("b_dir", "direction of b's streams"),
    Field("b_index", 5, "b's first stream, or mesh row"),
    Field("drive", 1, "1: put the result on streams"),
    direction("dst_dir", "direction of the result's streams"),
    stream_field("dst", "first stream of the result"),
    Field("relation", 3, "CMP: " + ", ".join(f"{r.value} {r.name.lower()}" for r in Relation)),
    Field("c_src", 2, "SEL: source of the mask, as a_src"),
    direction("c_dir", "direction of the mask's stream"),
    Field("c_index", 5, "the mask's stream, or mesh row"),
)


def _operand_rules(name: str) -> tuple[Rule, ...]:
    def aligned(f: Any, c: Config, u: Unit) -> Any:
        source, index = getattr(f, f"{name}_src"), getattr(f, f"{name}_index")
        pair = implies(one_of(f.dtype, (DType.INT16, DType.FP16)), (index & 1) == 0)
        quad = implies(one_of(f.dtype, (DType.INT32, DType.FP32)), (index & 3) == 0)
        return implies(source == Source.STREAM, pair & quad & (index < c.streams))

    def in_mesh(f: Any, c: Config, u: Unit) -> Any:
        return implies(getattr(f, f"{name}_src") == Source.MESH, getattr(f, f"{name}_index") < c.alu_rows)

    return (
        Rule(f"{name}_index must be a stream aligned to dtype", aligned),
        Rule(f"{name}_index must be a mesh row", in_mesh),
    )


def _aligned_result(f: Any, c: Config, u: Unit) -> Any:
    pair = implies(one_of(f.out_dtype, (DType.INT16, DType.FP16)), (f.dst & 1) == 0)
    quad = implies(one_of(f.out_dtype, (DType.INT32, DType.FP32)), (f.dst & 3) == 0)
    return implies(f.drive == 1, pair & quad & (f.dst < c.streams))


_ALU_RULES = (
    *_operand_rules("a"),
    *_operand_rules("b"),
    Rule("dst must be a stream aligned to out_dtype", _aligned_result),
)

Pairs = tuple[tuple[DType, DType], ...]

_INT_TO_INT: Pairs = tuple((a, b) for a in INTEGERS for b in INTEGERS)
_FLOAT: Pairs = ((DType.FP32, DType.FP32),)
_COMPARE: Pairs = tuple((a, DType.INT8) for a in (*INTEGERS, DType.FP32))
_CONVERT: Pairs = tuple((a, b) for a in DType for b in DType if a != b and (a.is_float or b.is_float))


def alu_column(unit: Unit, config: Config) -> int:
    """Return the mesh column of a VXM unit."""
    return unit.index % config.alu_cols


def alu_row(unit: Unit, config: Config) -> int:
    """Return the mesh row of a VXM unit."""
    return unit.index // config.alu_cols


@lru_cache
def _pairs_rule(pairs: Pairs) -> Rule:
    def holds(f: Any, c: Config, u: Unit) -> Any:
        found: Any = None
        for a, b in pairs:
            match = (f.dtype == a) & (f.out_dtype == b)
            found = match if found is None else found | match
        return found

    names = ", ".join(f"{a.name.lower()}->{b.name.lower()}" for a, b in pairs)
    return Rule(f"dtype->out_dtype must be one of {names}", holds)


_MUL_COLUMN = Rule("mul is built in even mesh columns only", lambda f, c, u: alu_column(u, c) % 2 == 0)
_FADD_COLUMN = Rule(
    "fp32 add and sub are built in odd mesh columns only",
    lambda f, c, u: (f.dtype != DType.FP32) | (alu_column(u, c) % 2 == 1),
)
_FUNCTION_COLUMN = Rule(
    "functions are built in mesh column alu_cols - 2 only",
    lambda f, c, u: alu_column(u, c) == c.alu_cols - 2,
)


def _alu(mnemonic: str, opcode: int, pairs: Pairs, doc: str, *extra: Rule) -> Instruction:
    return Instruction(
        mnemonic=mnemonic,
        opcode=opcode,
        kinds=(UnitKind.VXM,),
        fields=_ALU_FIELDS,
        rules=(_pairs_rule(pairs), *_ALU_RULES, *extra),
        doc=doc,
    )


VXM: tuple[Instruction, ...] = (
    _alu("PASS", 32, (*_INT_TO_INT, *_FLOAT), "a, narrowed or widened to out_dtype."),
    _alu("ADD", 33, (*_INT_TO_INT, *_FLOAT), "a + b.", _FADD_COLUMN),
    _alu("SUB", 34, (*_INT_TO_INT, *_FLOAT), "a - b.", _FADD_COLUMN),
    _alu("MUL", 35, (*_INT_TO_INT, *_FLOAT), "a * b.", _MUL_COLUMN),
    _alu("MAX", 36, (*_INT_TO_INT, *_FLOAT), "The larger; fp32: IEEE 754-2019 maximum (NaN wins, +0 > -0)."),
    _alu("MIN", 37, (*_INT_TO_INT, *_FLOAT), "The smaller; fp32: IEEE 754-2019 minimum (NaN wins, -0 < +0)."),
    _alu("SHL", 38, _INT_TO_INT, "a * 2**s, s = b mod 32, exact before narrowing."),
    _alu("SHR", 39, _INT_TO_INT, "floor(a / 2**s), s = b mod 32: the sign moves in."),
    _alu("SHRL", 40, _INT_TO_INT, "a as an unsigned number of dtype's width, shifted right by s = b mod 32."),
    _alu("RELU", 41, (*_INT_TO_INT, *_FLOAT), "a if a > 0 else 0; fp32: NaN stays (canonical), -0 gives +0."),
    _alu(
        "CVT",
        42,
        _CONVERT,
        "Between integers, fp16 and fp32, rounded once, nearest even; to an integer always saturating, NaN gives 0.",
    ),
    _alu("AND", 43, _INT_TO_INT, "a & b, bit by bit, before narrowing."),
    _alu("OR", 44, _INT_TO_INT, "a | b, bit by bit, before narrowing."),
    _alu("XOR", 45, _INT_TO_INT, "a ^ b, bit by bit, before narrowing."),
    _alu("NOT", 46, _INT_TO_INT, "~a, bit by bit, before narrowing."),
    _alu(
        "CMP",
        47,
        _COMPARE,
        "The mask of `a relation b`: int8 -1 where it holds, 0 where not; with a NaN only ne holds.",
        Rule("relation must be 0 to 5", lambda f, c, u: f.relation <= Relation.GE),
    ),
    _alu(
        "SEL",
        48,
        (*_INT_TO_INT, *_FLOAT),
        "a where the mask (int8) is not 0, else b.",
        Rule(
            "c_index must be a stream of the machine",
            lambda f, c, u: implies(f.c_src == Source.STREAM, f.c_index < c.streams),
        ),
        Rule(
            "c_index must be a mesh row",
            lambda f, c, u: implies(f.c_src == Source.MESH, f.c_index < c.alu_rows),
        ),
    ),
    *(
        _alu(mnemonic, 49 + index, _FLOAT, doc, _FUNCTION_COLUMN)
        for index, (mnemonic, doc) in enumerate(
            (
                ("EXP", "e to the a."),
                ("TANH", "Hyperbolic tangent of a."),
                ("RSQRT", "1 / sqrt(a); a below 0 gives NaN, +0 and -0 give infinities of their sign."),
                ("RECIP", "1 / a."),
                ("LOG", "Natural logarithm of a; a below 0 gives NaN, a zero -infinity."),
                ("SIGMOID", "1 / (1 + exp(-a))."),
            )
        )
    ),
)
"""Rows of the instruction table."""
