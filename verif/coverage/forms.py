"""Instructions and the forms of them that the published machine tells apart: the rows of the table."""

from collections.abc import Mapping
from itertools import product
from typing import NamedTuple

from arch.config import Config
from arch.formats import DType
from arch.geometry import Unit, UnitKind, units
from arch.isa.codes import Relation
from arch.isa.encoding import decode, encode, illegality
from arch.isa.instruction import Instruction
from arch.isa.table import INSTRUCTIONS
from arch.presets import preset

__all__ = ["Form", "every_form", "forms_of", "linked"]


class Form(NamedTuple):
    """A row: an instruction, and which form of it, empty if it has one only."""

    mnemonic: str
    form: str


_FORMS: Mapping[str, tuple[str, ...]] = {
    "ABC": ("int8", "int8, installs", "fp16", "fp16, installs"),
    "ACC": ("int32", "fp32"),
    "SHIFT": ("up", "down"),
    "PERMUTE": ("map on streams", "map register"),
    "DISTRIBUTE": ("map on streams", "map register"),
    "ROTATE": ("2 x 2", "3 x 3", "4 x 4"),
    "TRANSPOSE": ("16 x 16",),
    "LOADMAP": ("for PERMUTE", "for DISTRIBUTE"),
}
"""Of all units but the VXM."""


def linked(row: Instruction) -> bool:
    """Return whether an instruction is for links between chips only, which have no place in a single chip's table."""
    return row.kinds == (UnitKind.C2C,)


def every_form() -> list[Form]:
    """Return the rows, in the order of the instruction table."""
    found: list[Form] = []
    for row in INSTRUCTIONS:
        if linked(row):
            continue
        names = _alu_forms(row.mnemonic) if row.kinds == (UnitKind.VXM,) else _FORMS.get(row.mnemonic, ("",))
        found += [Form(row.mnemonic, name) for name in names]
    return found


def forms_of(config: Config, unit: Unit, word: int) -> tuple[Form, ...]:
    """Return the forms that a legal word has; not always of `every_form`, if the machine has other sizes."""
    row, fields = decode(word)
    names: tuple[str, ...] = ("",)
    if row.kinds == (UnitKind.VXM,):
        names = (_alu_form(row.mnemonic, fields),)
    match row.mnemonic:
        case "ABC":
            dtype = DType(fields["dtype"]).name.lower()
            names = (dtype, f"{dtype}, installs") if fields["install"] else (dtype,)
        case "ACC":
            names = ("fp32" if fields["float"] else "int32",)
        case "SHIFT":
            names = ("down" if fields["down"] else "up",)
        case "PERMUTE" | "DISTRIBUTE":
            names = ("map on streams" if fields["streamed"] else "map register",)
        case "ROTATE":
            names = (f"{fields['size']} x {fields['size']}",)
        case "TRANSPOSE":
            names = (f"{config.lanes} x {config.lanes}",)
        case "LOADMAP":
            names = (f"for {unit.kind.value.partition('.')[2]}",)
    return tuple(Form(row.mnemonic, name) for name in names)


def _alu_forms(mnemonic: str) -> tuple[str, ...]:
    """Return the forms that the rules of the table allow in some column of the mesh."""
    config = preset("nano")
    alus = [unit for unit in units(config) if unit.kind is UnitKind.VXM]
    found: dict[str, None] = {}
    for dtype, out_dtype, saturate, relation in product(DType, DType, (0, 1), Relation):
        fields = {"dtype": dtype, "out_dtype": out_dtype, "saturate": saturate, "relation": relation}
        word = encode(mnemonic, **fields)
        if any(illegality(config, alu, word) is None for alu in alus):
            found[_alu_form(mnemonic, fields)] = None
    return tuple(found)


def _alu_form(mnemonic: str, fields: Mapping[str, int]) -> str:
    dtype, out_dtype = DType(fields["dtype"]), DType(fields["out_dtype"])
    if mnemonic == "CMP":
        return Relation(fields["relation"]).name.lower()
    if mnemonic == "CVT":
        return f"{_kind(dtype)} to {_kind(out_dtype)}"
    if dtype is DType.FP32:
        return "fp32"
    return "saturating" if fields["saturate"] else "modulo"


def _kind(dtype: DType) -> str:
    return dtype.name.lower() if dtype.is_float else "integer"
