"""Operand selector of an ALU: stream, mesh, itself or zero."""

from amaranth.hdl import Cat, ClockSignal, Const, Instance, Module, Mux, Signal, Value
from amaranth.lib import data

from arch.config import Config
from arch.formats import DType
from arch.isa.codes import Source
from hdl.ecc.reader import EccReader
from hdl.vxm.width import is_two_bytes

__all__ = ["OPERAND_BYTES", "take_operand"]

OPERAND_BYTES = 4
"""Streams of a group, bytes of an operand."""


def take_operand(
    m: Module,
    config: Config,
    ecc: EccReader,
    name: str,
    op: data.View,
    *,
    en: Value,
    east: Value,
    west: Value,
    mesh: Value,
    own: Value,
    size: int = OPERAND_BYTES,
    domain: str = "sync",
) -> Value:
    """Add the register of an operand to an ALU.

    Latency: one cycle. With ECC the words of streams are corrected behind the register, so that decoders cost a
    simulator nothing while the ALU's clock stands still.

    Parameters
    ----------
    m : Module
    config : Config
    ecc : EccReader
        To which flipped bits are reported; of the streams that belong to the operand only, not of all of their group.
    name : str
        ``a``, ``b`` or ``c``.
    op : View of MICRO_OP
    en : Value
        Take the operand at the end of this cycle.
    east, west : Value
        The position's stream registers.
    mesh : Value
        Results of the previous mesh column, row 0 lowest, four streams each.
    own : Value
        Result of this ALU.
    size : int
        Streams to take: 4, or 1 for a mask.
    domain : str
        Of the register.

    Returns
    -------
    Value
        ``size * lanes * 8`` bits; a narrow operand where it is in its group.
    """
    assert (Source.STREAM, Source.MESH, Source.SELF, Source.ZERO) == (0, 1, 2, 3), "takt_operand has these codes"
    word_bits, vector = config.stream_bits, OPERAND_BYTES * config.lanes * 8
    groups = config.streams // size
    index = op[f"{name}_index"]
    first = (size - 1).bit_length()
    taken = Signal(size * word_bits, name=f"s1_{domain}_{name}")
    rows = (mesh.word_select(row, vector) for row in range(config.alu_rows))
    m.submodules[f"{domain}_{name}"] = Instance(
        "takt_operand",
        p_WIDTH=len(taken),
        p_GROUPS=groups,
        p_ROWS=config.alu_rows,
        i_clk=ClockSignal(domain),
        i_en=en,
        i_source=op[f"{name}_src"],
        i_direction=op[f"{name}_dir"],
        i_group=index[first : first + max(1, (groups - 1).bit_length())],
        i_row=index[:2],
        i_east=east,
        i_west=west,
        i_mesh=Cat(_as_words(config, row, size) for row in rows),
        i_own=_as_words(config, own, size),
        o_word=taken,
    )
    if not config.ecc:
        return taken
    read = Signal(size, name=f"s1_{domain}_{name}_read")
    # Only streams carry check bits, and only those that belong to the operand may be reported.
    m.d[domain] += read.eq(Mux(en & (op[f"{name}_src"] == Source.STREAM), _streams(op, index, size), 0))
    found = []
    for stream in range(size):
        word = taken.word_select(stream, word_bits)
        corrected = ecc.read(word, after=1, when=read[stream])
        found.append(Mux(read[stream], corrected, word[: config.lanes * 8]))
    return Cat(found)


def _as_words(config: Config, result: Value, size: int) -> Value:
    """Return the first streams of a result as words; nobody looks at their check bits."""
    if not config.ecc:
        return result[: size * config.lanes * 8]
    lanes = (result.word_select(stream, config.lanes * 8) for stream in range(size))
    return Cat(Cat(word, Const(0, config.ecc_bits)) for word in lanes)


def _streams(op: data.View, index: Value, size: int) -> Value:
    """Return which streams of a group are the operand, a bit each."""
    if size == 1:
        return Const(1, 1)
    wide = Mux(is_two_bytes(op.dtype), 0b0011, 0b1111)
    return (Mux(op.dtype == DType.INT8, 0b0001, wide) << index[:2])[:size]
