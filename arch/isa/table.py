"""The instruction table itself.

Opcode space by unit: 0-7 instruction control, 8-15 C2C, 16-23 MEM, 24-31 MXM, 32-55 VXM, 56-63 SXM.
Rows with ``built=False`` keep the place of instructions that are not built yet.
"""

import enum
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from arch.config import Config
from arch.formats import INTEGERS, DType
from arch.geometry import Unit, UnitKind
from arch.isa.instruction import Field, Instruction, Rule, implies, one_of


class Source(enum.IntEnum):
    """Where a VXM operand comes from, by its code."""

    STREAM = 0
    """Stream group ``dir, index``."""
    MESH = 1
    """Result of the ALU in row `index` of the previous mesh column (a ring), valid in this very cycle."""
    SELF = 2
    """This ALU's own last result, held since it appeared; 0 before the first."""
    ZERO = 3
    """The constant 0."""


class Relation(enum.IntEnum):
    """What CMP asks, by its code."""

    EQ = 0
    NE = 1
    LT = 2
    LE = 3
    GT = 4
    GE = 5


MAP_REGISTERS = 4
"""Lane maps that a permute or distribute unit holds."""


def _direction(name: str, doc: str) -> Field:
    return Field(name, 1, f"{doc}: 0 moves east, 1 west")


def _stream(name: str, doc: str) -> Field:
    return Field(name, 5, doc)


_BURST = (
    Field("count", 13, "elements of the burst, at least 1"),
    Field("interval", 12, "cycles from one element to the next, at least 1"),
)
_BURST_RULES = (
    Rule("count must be at least 1", lambda f, c, u: f.count >= 1),
    Rule("interval must be at least 1", lambda f, c, u: f.interval >= 1),
)


def _in_streams(name: str) -> Rule:
    return Rule(f"{name} must name a stream of the machine", lambda f, c, u: getattr(f, name) < c.streams)


def _group(name: str, size: int) -> Rule:
    return Rule(f"{name} must be a multiple of {size}", lambda f, c, u: (getattr(f, name) & (size - 1)) == 0)


def _even(stream: Any) -> Any:
    return (stream & 1) == 0


def _lane_group(name: str) -> Rule:
    return Rule(f"{name} must be a multiple of lanes", lambda f, c, u: (getattr(f, name) & (c.lanes - 1)) == 0)


_MEM_FIELDS = (
    _direction("dir", "direction of the stream"),
    _stream("stream", "stream read or driven"),
    Field("addr", 14, "first word; bank = addr / mem_depth; addresses wrap at 2 * mem_depth"),
    Field("stride", 11, "words from one element to the next", signed=True),
    *_BURST,
    Field("cont", 1, "1: start one stride after the engine's last address instead of at addr"),
)
_MEM_RULES = (
    _in_streams("stream"),
    Rule("addr must be below 2 * mem_depth", lambda f, c, u: f.addr < 2 * c.mem_depth),
    *_BURST_RULES,
)

_GATHER_FIELDS = (
    _direction("dir", "direction of the data stream"),
    _stream("stream", "data stream driven or read"),
    Field("addr", 14, "word to which indices are added, modulo mem_depth; its bank is the bank accessed"),
    *_BURST,
    _direction("map_dir", "direction of the index streams"),
    _stream("map", "first of 2 streams of indices, low byte on the first"),
)


def _gather_rules(busy: Callable[[Config], int]) -> tuple[Rule, ...]:
    return (
        _in_streams("stream"),
        Rule("addr must be below 2 * mem_depth", lambda f, c, u: f.addr < 2 * c.mem_depth),
        Rule("count must be at least 1", lambda f, c, u: f.count >= 1),
        Rule(
            "interval must be at least the cycles of an element's accesses",
            lambda f, c, u: f.interval >= busy(c),
        ),
        _in_streams("map"),
        _group("map", 2),
    )


def gather_accesses(config: Config) -> int:
    """Return the cycles for which an element of GATHER occupies its bank: one access per lane."""
    return config.lanes


def scatter_accesses(config: Config) -> int:
    """Return the cycles for which an element of SCATTER occupies its bank: per lane a read, its latency, a write."""
    return config.lanes * (1 + config.sram_latency)


_ALU_FIELDS = (
    Field("dtype", 3, "format of the operands: " + ", ".join(f"{d.value} {d.name.lower()}" for d in DType)),
    Field("out_dtype", 3, "format of the result"),
    Field("saturate", 1, "1: an integer result saturates to out_dtype, 0: it wraps"),
    Field("a_src", 2, "source of a: " + ", ".join(f"{s.value} {s.name.lower()}" for s in Source)),
    _direction("a_dir", "direction of a's streams"),
    Field("a_index", 5, "a's first stream, or mesh row"),
    Field("b_src", 2, "source of b, as a_src"),
    _direction("b_dir", "direction of b's streams"),
    Field("b_index", 5, "b's first stream, or mesh row"),
    Field("drive", 1, "1: put the result on streams"),
    _direction("dst_dir", "direction of the result's streams"),
    _stream("dst", "first stream of the result"),
    Field("relation", 3, "CMP: " + ", ".join(f"{r.value} {r.name.lower()}" for r in Relation)),
    Field("c_src", 2, "SEL: source of the mask, as a_src"),
    _direction("c_dir", "direction of the mask's stream"),
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


def _reserved(mnemonic: str, opcode: int, doc: str, *kinds: UnitKind) -> Instruction:
    return Instruction(mnemonic=mnemonic, opcode=opcode, kinds=kinds, doc=doc, built=False)


_MAPPED_FIELDS = (
    _direction("src_dir", "direction of the source"),
    _stream("src", "source stream"),
    _direction("dst_dir", "direction of the result"),
    _stream("dst", "stream of the result"),
    Field("streamed", 1, "0: the map is register `register`, 1: it comes on streams"),
    Field("register", 2, "map register"),
    _direction("map_dir", "direction of the map's streams"),
    _stream("map", "first stream of the map, low byte first"),
)


def _mapped_rules(size: int) -> tuple[Rule, ...]:
    named = Rule(
        "map must name a stream of the machine",
        lambda f, c, u: implies(f.streamed == 1, f.map < c.streams),
    )
    aligned = Rule(
        f"map must be a multiple of {size}",
        lambda f, c, u: implies(f.streamed == 1, (f.map & (size - 1)) == 0),
    )
    return (named, aligned) if size > 1 else (named,)


_EVERY = tuple(UnitKind)
_SHIFT = (UnitKind.SXM_SHIFT,)
_AMOUNT = Rule("amount must be at most the vector length", lambda f, c, u: f.amount <= c.vector_length)

INSTRUCTIONS: tuple[Instruction, ...] = (
    Instruction(
        mnemonic="NOP",
        opcode=0,
        kinds=_EVERY,
        fields=(Field("count", 16, "cycles, at least 1"),),
        rules=(Rule("count must be at least 1", lambda f, c, u: f.count >= 1),),
        doc="Let `count` cycles pass: the next word issues `count` cycles later.",
    ),
    Instruction(
        mnemonic="REPEAT",
        opcode=1,
        kinds=_EVERY,
        fields=(
            Field("count", 16, "further issues, at least 1"),
            Field("interval", 16, "cycles from one issue to the next, at least 1"),
        ),
        rules=(
            Rule("count must be at least 1", lambda f, c, u: f.count >= 1),
            Rule("interval must be at least 1", lambda f, c, u: f.interval >= 1),
        ),
        doc=(
            "Issue the word before it again: if that issued at t, then at t + k * interval for k = 1..count; the next "
            "word issues one cycle after the last. Takes no cycle itself. After another REPEAT, t is that one's last "
            "issue. Illegal first in a queue and after NOP."
        ),
    ),
    Instruction(mnemonic="END", opcode=2, kinds=_EVERY, doc="Close the queue. The last word of every program."),
    Instruction(
        mnemonic="IFETCH",
        opcode=3,
        kinds=_EVERY,
        fields=(
            _direction("dir", "direction of the stream"),
            _stream("stream", "stream of program text"),
            Field("count", 10, "vectors, at least 1"),
        ),
        rules=(
            _in_streams("stream"),
            Rule("count must be at least 1", lambda f, c, u: f.count >= 1),
            Rule("a vector must hold whole words", lambda f, c, u: one_of(c.vector_length % 8, (0,))),
        ),
        doc=(
            "Append `count` vectors of program text to this queue, one read every 2 * superlanes cycles; a vector "
            "holds vector_length / 8 words, lane 0 lowest. One IFETCH at a time per position."
        ),
    ),
    Instruction(
        mnemonic="SYNC",
        opcode=4,
        kinds=_EVERY,
        doc="Park this queue until a NOTIFY releases it.",
    ),
    Instruction(
        mnemonic="NOTIFY",
        opcode=5,
        kinds=_EVERY,
        doc="Release every queue that is parked when the barrier latency has passed.",
    ),
    Instruction(
        mnemonic="CONFIG",
        opcode=6,
        kinds=_EVERY,
        fields=(Field("superlanes", 5, "superlanes that stay on, from superlane 0 up"),),
        rules=(
            Rule(
                "superlanes must be 1 to the machine's",
                lambda f, c, u: (f.superlanes >= 1) & (f.superlanes <= c.superlanes),
            ),
        ),
        doc="From the next word on, this queue's instructions act on the first `superlanes` superlanes only.",
        built=False,
    ),
    _reserved("DESKEW", 8, "Align a link.", UnitKind.C2C),
    _reserved("SEND", 9, "Send a vector over a link.", UnitKind.C2C),
    _reserved("RECEIVE", 10, "Receive a vector from a link.", UnitKind.C2C),
    Instruction(
        mnemonic="READ",
        opcode=16,
        kinds=(UnitKind.MEM,),
        fields=_MEM_FIELDS,
        rules=_MEM_RULES,
        doc="Read `count` words, one per `interval` cycles, onto a stream.",
    ),
    Instruction(
        mnemonic="WRITE",
        opcode=17,
        kinds=(UnitKind.MEM,),
        fields=_MEM_FIELDS,
        rules=_MEM_RULES,
        doc="Write `count` words, one per `interval` cycles, from a stream.",
    ),
    Instruction(
        mnemonic="GATHER",
        opcode=18,
        kinds=(UnitKind.MEM,),
        fields=_GATHER_FIELDS,
        rules=_gather_rules(gather_accesses),
        doc="Read `count` vectors whose lane l comes from lane l of word addr + index[l], and drive them.",
    ),
    Instruction(
        mnemonic="SCATTER",
        opcode=19,
        kinds=(UnitKind.MEM,),
        fields=_GATHER_FIELDS,
        rules=_gather_rules(scatter_accesses),
        doc="Write lane l of `count` vectors to lane l of word addr + index[l].",
    ),
    Instruction(
        mnemonic="LW",
        opcode=24,
        kinds=(UnitKind.MXM_WEIGHTS,),
        fields=(
            _stream("stream", "first of `lanes` outward streams"),
            Field("count", 6, "column blocks, 1 to superlanes"),
        ),
        rules=(
            _in_streams("stream"),
            _lane_group("stream"),
            Rule("count must be 1 to superlanes", lambda f, c, u: (f.count >= 1) & (f.count <= c.superlanes)),
        ),
        doc=(
            "Load weights into the plane's buffer: step i of `count` reads `lanes` outward streams and carries column "
            "block count - 1 - i; stream j is the block's column j, lane l of superlane r is row lanes * r + l. Column "
            "blocks from `count` up keep the buffer they have."
        ),
    ),
    Instruction(
        mnemonic="ABC",
        opcode=26,
        kinds=(UnitKind.MXM_ACTIVATIONS,),
        fields=(
            _stream("stream", "outward stream of activations; fp16: of their low bytes, the next has the high ones"),
            *_BURST,
            Field("install", 1, "1: the first activation meets the weights of the buffer, installed on its way"),
            Field("dtype", 3, "format of the activations: 0 int8, 3 fp16 (both planes of a pair in tandem)"),
        ),
        rules=(
            _in_streams("stream"),
            *_BURST_RULES,
            Rule("dtype must be int8 or fp16", lambda f, c, u: one_of(f.dtype, (DType.INT8, DType.FP16))),
            Rule(
                "fp16 belongs to the first plane of a pair",
                lambda f, c, u: (f.dtype != DType.FP16) | (u.index % 2 == 0 and u.index + 1 < c.planes_per_hemisphere),
            ),
            Rule(
                "fp16 streams must start at an even one",
                lambda f, c, u: implies(f.dtype == DType.FP16, _even(f.stream)),
            ),
            Rule("fp16 interval must be at least 2", lambda f, c, u: implies(f.dtype == DType.FP16, f.interval >= 2)),
        ),
        doc=(
            "Feed `count` activation vectors, one per `interval` cycles, to the array; fp16: to the array of the pair, "
            "whose weights have their low bytes in this plane's buffer and their high bytes in the other's."
        ),
    ),
    Instruction(
        mnemonic="ACC",
        opcode=27,
        kinds=(UnitKind.MXM_RESULTS,),
        fields=(
            Field("addr", 12, "first word of the accumulator memory; addresses wrap at acc_depth"),
            Field("stride", 11, "words from one element to the next", signed=True),
            *_BURST,
            Field("add", 1, "0: sum = result, 1: sum = stored + result (int32, wraps; fp32, rounded to nearest even)"),
            Field("emit", 1, "1: put the sum on streams as well as storing it"),
            _stream("stream", "first of 4 inward streams"),
            Field("float", 1, "0: int32 sums of an int8 ABC, 1: fp32 sums of an fp16 ABC"),
        ),
        rules=(
            Rule("addr must be below acc_depth", lambda f, c, u: f.addr < c.acc_depth),
            *_BURST_RULES,
            Rule("float interval must be at least 2", lambda f, c, u: implies(f.float == 1, f.interval >= 2)),
            _in_streams("stream"),
            _group("stream", 4),
        ),
        doc="Take `count` results of the array, one per `interval` cycles, into the accumulator memory.",
    ),
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
    Instruction(
        mnemonic="SHIFT",
        opcode=56,
        kinds=_SHIFT,
        fields=(
            _direction("src_dir", "direction of the source"),
            _stream("src", "source stream"),
            _direction("dst_dir", "direction of the result"),
            _stream("dst", "stream of the result"),
            Field("amount", 9, "lanes, 0 to the vector length"),
            Field("down", 1, "0: towards higher lanes, 1: towards lane 0"),
        ),
        rules=(_in_streams("src"), _in_streams("dst"), _AMOUNT),
        doc="Move a vector by `amount` lanes across superlanes; zeros move in.",
    ),
    Instruction(
        mnemonic="SELECT",
        opcode=57,
        kinds=_SHIFT,
        fields=(
            _direction("src_dir", "direction of the source"),
            _stream("src", "source stream for lanes from `amount` up"),
            _direction("dst_dir", "direction of the result"),
            _stream("dst", "stream of the result"),
            Field("amount", 9, "first lane taken from src, 0 to the vector length"),
            _direction("low_dir", "direction of the second source"),
            _stream("low", "source stream for lanes below `amount`"),
        ),
        rules=(_in_streams("src"), _in_streams("dst"), _in_streams("low"), _AMOUNT),
        doc="Join two vectors: lanes below `amount` from `low`, the others from `src`.",
    ),
    Instruction(
        mnemonic="PERMUTE",
        opcode=58,
        kinds=(UnitKind.SXM_PERMUTE,),
        fields=_MAPPED_FIELDS,
        rules=(_in_streams("src"), _in_streams("dst"), *_mapped_rules(2)),
        doc="Lane i of the result is lane map[i] of the source, of all superlanes; 0 where map[i] >= vector_length.",
    ),
    Instruction(
        mnemonic="DISTRIBUTE",
        opcode=59,
        kinds=(UnitKind.SXM_DISTRIBUTE,),
        fields=_MAPPED_FIELDS,
        rules=(_in_streams("src"), _in_streams("dst"), *_mapped_rules(1)),
        doc="In every superlane, lane l of the result is lane map[l] of the source; 0 where map[l] >= lanes.",
    ),
    Instruction(
        mnemonic="ROTATE",
        opcode=60,
        kinds=(UnitKind.SXM_ROTATE,),
        fields=(
            _direction("src_dir", "direction of the source"),
            _stream("src", "source stream"),
            _direction("dst_dir", "direction of the results"),
            _stream("dst", "first of size * size result streams"),
            Field("size", 3, "rows and columns of the window: 2, 3 or 4"),
        ),
        rules=(
            _in_streams("src"),
            _in_streams("dst"),
            _lane_group("dst"),
            Rule(
                "size must be 2, 3 or 4, its square at most lanes",
                lambda f, c, u: one_of(f.size, tuple(n for n in (2, 3, 4) if n * n <= c.lanes)),
            ),
        ),
        doc=(
            "In every superlane the first size * size lanes are a window, row by row; lane size * i + j of result "
            "stream size * a + b is element ((i + a) mod size, (j + b) mod size), and all further lanes are 0."
        ),
    ),
    Instruction(
        mnemonic="TRANSPOSE",
        opcode=61,
        kinds=(UnitKind.SXM_TRANSPOSE,),
        fields=(
            _direction("src_dir", "direction of the sources"),
            _stream("src", "first of `lanes` source streams"),
            _direction("dst_dir", "direction of the results"),
            _stream("dst", "first of `lanes` result streams"),
        ),
        rules=(_in_streams("src"), _in_streams("dst"), _lane_group("src"), _lane_group("dst")),
        doc="In every superlane, lane l of result stream j is lane j of source stream l.",
    ),
    Instruction(
        mnemonic="LOADMAP",
        opcode=62,
        kinds=(UnitKind.SXM_PERMUTE, UnitKind.SXM_DISTRIBUTE),
        fields=(
            _direction("map_dir", "direction of the map's streams"),
            _stream("map", "first of 2 (PERMUTE unit) or 1 (DISTRIBUTE unit) streams of the map, low byte first"),
            Field("register", 2, "map register to load"),
        ),
        rules=(
            _in_streams("map"),
            Rule(
                "map must be a multiple of 2 at a PERMUTE unit",
                lambda f, c, u: ((f.map & 1) == 0) | (u.kind is not UnitKind.SXM_PERMUTE),
            ),
        ),
        doc="Load a map register of this unit from streams; words that issue later see it.",
    ),
)

BY_OPCODE: dict[int, Instruction] = {row.opcode: row for row in INSTRUCTIONS}
BY_MNEMONIC: dict[str, Instruction] = {row.mnemonic: row for row in INSTRUCTIONS}


def instructions_of(kind: UnitKind) -> tuple[Instruction, ...]:
    """Return the rows that a unit's queue may hold, control instructions included."""
    return tuple(row for row in INSTRUCTIONS if kind in row.kinds)
