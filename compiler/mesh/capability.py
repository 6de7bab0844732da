"""Capability of ALUs: which ones can do an operation, as the instruction table's own rules decide."""

from functools import lru_cache

from arch.config import Config
from arch.errors import TaktError
from arch.formats import DType
from arch.geometry import UnitKind, units
from arch.isa.codes import Relation, Source
from arch.isa.encoding import encode, illegality
from arch.isa.table import BY_MNEMONIC


@lru_cache(maxsize=4096)
def columns_for(
    config: Config, mnemonic: str, dtype: DType, out_dtype: DType, relation: Relation = Relation.EQ
) -> tuple[int, ...]:
    """Return the mesh columns in which an operation is built.

    Raises
    ------
    TaktError
        When it is built in none, with the rule that forbids it.
    """
    # A word with operands that are legal everywhere: what is illegal about it is operation and formats.
    fields = {"a_src": Source.ZERO, "b_src": Source.ZERO, "dtype": dtype, "out_dtype": out_dtype, "relation": relation}
    if "c_src" in BY_MNEMONIC[mnemonic].offsets:
        fields["c_src"] = Source.ZERO
    word = encode(mnemonic, **fields)
    found = []
    reason = None
    for unit in units(config):
        if unit.kind is UnitKind.VXM and unit.index < config.alu_cols:
            reason = illegality(config, unit, word)
            if reason is None:
                found.append(unit.index)
    if not found:
        name = f"{mnemonic} {dtype.numpy.name} -> {out_dtype.numpy.name}"
        raise TaktError(f"{name} must be an operation of the VXM: {reason}")
    return tuple(found)
