"""Instructions of the MXM: opcodes 24 to 31."""

from arch.formats import DType
from arch.geometry import UnitKind
from arch.isa.fields import BURST, BURST_RULES, even, group, in_streams, lane_group, stream_field
from arch.isa.instruction import Field, Instruction, Rule, implies, one_of

MXM: tuple[Instruction, ...] = (
    Instruction(
        mnemonic="LW",
        opcode=24,
        kinds=(UnitKind.MXM_WEIGHTS,),
        fields=(
            stream_field("stream", "first of `lanes` outward streams"),
            Field("count", 6, "column blocks, 1 to superlanes"),
        ),
        rules=(
            in_streams("stream"),
            lane_group("stream"),
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
            stream_field(
                "stream", "outward stream of activations; fp16: of their low bytes, the high ones on the next"
            ),
            *BURST,
            Field("install", 1, "1: the first activation meets the weights of the buffer, installed on its way"),
            Field("dtype", 3, "format of the activations: 0 int8, 3 fp16 (of both planes of a pair)"),
        ),
        rules=(
            in_streams("stream"),
            *BURST_RULES,
            Rule("dtype must be int8 or fp16", lambda f, c, u: one_of(f.dtype, (DType.INT8, DType.FP16))),
            Rule(
                "fp16 belongs to the first plane of a pair",
                lambda f, c, u: (f.dtype != DType.FP16) | (u.index % 2 == 0 and u.index + 1 < c.planes_per_hemisphere),
            ),
            Rule(
                "fp16 streams must start at an even one",
                lambda f, c, u: implies(f.dtype == DType.FP16, even(f.stream)),
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
            *BURST,
            Field("add", 1, "0: sum = result, 1: sum = stored + result (int32, wraps; fp32, rounded to nearest even)"),
            Field("emit", 1, "1: put the sum on streams as well as storing it"),
            stream_field("stream", "first of 4 inward streams"),
            Field("float", 1, "0: int32 sums of an int8 ABC, 1: fp32 sums of an fp16 ABC"),
        ),
        rules=(
            Rule("addr must be below acc_depth", lambda f, c, u: f.addr < c.acc_depth),
            *BURST_RULES,
            Rule("float interval must be at least 2", lambda f, c, u: implies(f.float == 1, f.interval >= 2)),
            in_streams("stream"),
            group("stream", 4),
        ),
        doc="Take `count` results of the array, one per `interval` cycles, into the accumulator memory.",
    ),
)
"""Rows of the instruction table."""
