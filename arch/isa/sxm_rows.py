"""Instructions of the SXM: opcodes 56 to 63."""

from arch.geometry import UnitKind
from arch.isa.fields import direction, in_streams, lane_group, stream_field
from arch.isa.instruction import Field, Instruction, Rule, implies, one_of

_MAPPED_FIELDS = (
    direction("src_dir", "direction of the source"),
    stream_field("src", "source stream"),
    direction("dst_dir", "direction of the result"),
    stream_field("dst", "stream of the result"),
    Field("streamed", 1, "0: the map is register `register`, 1: it comes on streams"),
    Field("register", 2, "map register"),
    direction("map_dir", "direction of the map's streams"),
    stream_field("map", "first stream of the map, low byte first"),
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


_SHIFT = (UnitKind.SXM_SHIFT,)
_AMOUNT = Rule("amount must be at most the vector length", lambda f, c, u: f.amount <= c.vector_length)

SXM: tuple[Instruction, ...] = (
    Instruction(
        mnemonic="SHIFT",
        opcode=56,
        kinds=_SHIFT,
        fields=(
            direction("src_dir", "direction of the source"),
            stream_field("src", "source stream"),
            direction("dst_dir", "direction of the result"),
            stream_field("dst", "stream of the result"),
            Field("amount", 9, "lanes, 0 to the vector length"),
            Field("down", 1, "0: towards higher lanes, 1: towards lane 0"),
        ),
        rules=(in_streams("src"), in_streams("dst"), _AMOUNT),
        doc="Move a vector by `amount` lanes across superlanes; zeros move in.",
    ),
    Instruction(
        mnemonic="SELECT",
        opcode=57,
        kinds=_SHIFT,
        fields=(
            direction("src_dir", "direction of the source"),
            stream_field("src", "source stream for lanes from `amount` up"),
            direction("dst_dir", "direction of the result"),
            stream_field("dst", "stream of the result"),
            Field("amount", 9, "first lane taken from src, 0 to the vector length"),
            direction("low_dir", "direction of the second source"),
            stream_field("low", "source stream for lanes below `amount`"),
        ),
        rules=(in_streams("src"), in_streams("dst"), in_streams("low"), _AMOUNT),
        doc="Join two vectors: lanes below `amount` from `low`, the others from `src`.",
    ),
    Instruction(
        mnemonic="PERMUTE",
        opcode=58,
        kinds=(UnitKind.SXM_PERMUTE,),
        fields=_MAPPED_FIELDS,
        rules=(in_streams("src"), in_streams("dst"), *_mapped_rules(2)),
        doc="Lane i of the result is lane map[i] of the source, of all superlanes; 0 where map[i] >= vector_length.",
    ),
    Instruction(
        mnemonic="DISTRIBUTE",
        opcode=59,
        kinds=(UnitKind.SXM_DISTRIBUTE,),
        fields=_MAPPED_FIELDS,
        rules=(in_streams("src"), in_streams("dst"), *_mapped_rules(1)),
        doc="In every superlane, lane l of the result is lane map[l] of the source; 0 where map[l] >= lanes.",
    ),
    Instruction(
        mnemonic="ROTATE",
        opcode=60,
        kinds=(UnitKind.SXM_ROTATE,),
        fields=(
            direction("src_dir", "direction of the source"),
            stream_field("src", "source stream"),
            direction("dst_dir", "direction of the results"),
            stream_field("dst", "first of size * size result streams"),
            Field("size", 3, "rows and columns of the window: 2, 3 or 4"),
        ),
        rules=(
            in_streams("src"),
            in_streams("dst"),
            lane_group("dst"),
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
            direction("src_dir", "direction of the sources"),
            stream_field("src", "first of `lanes` source streams"),
            direction("dst_dir", "direction of the results"),
            stream_field("dst", "first of `lanes` result streams"),
        ),
        rules=(in_streams("src"), in_streams("dst"), lane_group("src"), lane_group("dst")),
        doc="In every superlane, lane l of result stream j is lane j of source stream l.",
    ),
    Instruction(
        mnemonic="LOADMAP",
        opcode=62,
        kinds=(UnitKind.SXM_PERMUTE, UnitKind.SXM_DISTRIBUTE),
        fields=(
            direction("map_dir", "direction of the map's streams"),
            stream_field("map", "first of 2 (PERMUTE unit) or 1 (DISTRIBUTE unit) streams of the map, low byte first"),
            Field("register", 2, "map register to load"),
        ),
        rules=(
            in_streams("map"),
            Rule(
                "map must be a multiple of 2 at a PERMUTE unit",
                lambda f, c, u: ((f.map & 1) == 0) | (u.kind is not UnitKind.SXM_PERMUTE),
            ),
        ),
        doc="Load a map register of this unit from streams; words that issue later see it.",
    ),
)
"""Rows of the instruction table."""
