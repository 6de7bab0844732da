"""The table: a row per form of an instruction, a column per thing that it must have."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from itertools import groupby

from arch.geometry import UnitKind
from arch.isa.table import BY_MNEMONIC, INSTRUCTIONS
from arch.presets import preset
from verif.coverage.decoders import rtl_decoders
from verif.coverage.forms import Form, every_form, linked
from verif.coverage.operations import OPERATIONS
from verif.coverage.published import published
from verif.coverage.recorder import Recorder, tests_of

__all__ = ["COLUMNS", "MISSING", "Evidence", "evidence", "markdown"]

MISSING = "**missing**"
"""What the table shows where there is nothing."""

COLUMNS = ("instruction table", "RTL", "golden model", "compiler operation", "unit bench", "chip-level program")
"""What every instruction must have; headings of the columns after the first two."""

_CHIP = "verif/chip/"
_OPERATIONS = "verif/chip/test_operations.py"
_BENCHES: Mapping[str | UnitKind, str] = {
    **dict.fromkeys(("NOP", "REPEAT", "END", "IFETCH", "SYNC", "NOTIFY", "CONFIG"), "verif/icu/"),
    UnitKind.MEM: "verif/mem/",
    UnitKind.VXM: "verif/vxm/",
    **{kind: f"verif/{kind.value[:3].lower()}/" for kind in UnitKind if kind.value[:3] in ("MXM", "SXM")},
}
"""Folder of the unit benches that count, by mnemonic or kind of unit."""


@dataclass(frozen=True)
class Evidence:
    """What a form has; an empty text where it has nothing.

    Attributes
    ----------
    table : str
        Number of its opcode.
    rtl, golden : str
        Files that decode or execute it.
    operation : str
        One of `OPERATIONS`.
    bench, program : str
        Tests.
    """

    table: str
    rtl: str
    golden: str
    operation: str
    bench: str
    program: str

    def cells(self) -> tuple[str, ...]:
        """Return the cells below `COLUMNS`."""
        return tuple(getattr(self, field.name) or MISSING for field in fields(self))

    def lacking(self) -> tuple[str, ...]:
        """Return the columns where there is nothing."""
        return tuple(name for name, cell in zip(COLUMNS, self.cells(), strict=True) if cell == MISSING)


def evidence() -> dict[Form, Evidence]:
    """Return what every form has, from the chip's elaboration, and from tests run on the golden machine."""
    found = tests_of(_CHIP, *sorted(set(_BENCHES.values())))
    decoders = rtl_decoders(preset("nano"))
    compiled = _compiled()
    return {form: _evidence(form, found, decoders, compiled) for form in every_form()}


def markdown(found: Mapping[Form, Evidence]) -> str:
    """Return the table; neighbouring forms of an instruction that have the same share a row."""
    lines = ["| published | instruction | " + " | ".join(COLUMNS) + " |", "|---" * (2 + len(COLUMNS)) + "|"]
    alike = groupby(found.items(), lambda item: (published(item[0]), item[0].mnemonic, item[1]))
    for (name, mnemonic, row), items in alike:
        forms = "; ".join(form.form for form, _ in items)
        instruction = f"`{mnemonic}` {forms}".strip()
        lines.append(f"| {name} | {instruction} | " + " | ".join(row.cells()) + " |")
    kept = ", ".join(f"`{row.mnemonic}`" for row in INSTRUCTIONS if linked(row))
    return "\n".join([*lines, "", f"Kept for links between chips, of which there is one here: {kept}."])


def _compiled() -> dict[str, set[Form]]:
    """Return the forms in the program of each operation."""
    recorder = Recorder()
    for name, operation in OPERATIONS.items():
        recorder.record_image(name, operation.compile())
    return recorder.forms


def _evidence(
    form: Form, found: Recorder, decoders: Mapping[str, set[str]], compiled: Mapping[str, set[Form]]
) -> Evidence:
    row = BY_MNEMONIC[form.mnemonic]
    folder = _BENCHES.get(form.mnemonic) or _BENCHES[row.kinds[0]]
    benches = {name: forms for name, forms in found.forms.items() if name.startswith(folder)}
    programs = {name: forms for name, forms in found.forms.items() if name.startswith(_CHIP)}
    return Evidence(
        table=f"opcode {row.opcode}" if row.built else "",
        rtl=_files(decoders.get(form.mnemonic, set())),
        golden=_files(found.golden.get(form, set())),
        operation=_operation(form, compiled),
        bench=_link(_nearest(form, benches)),
        program=_link(_nearest(form, programs)),
    )


def _operation(form: Form, compiled: Mapping[str, set[Form]]) -> str:
    if all(form in forms for forms in compiled.values()):
        return "every one"
    method, comma, rest = _nearest(form, compiled).partition(", ")
    return f"`{method}`{comma}{rest}" if method else ""


def _nearest(form: Form, found: Mapping[str, set[Form]]) -> str:
    """Return what has the form and as few others as possible; of equals, the first."""
    having = [name for name, forms in found.items() if form in forms]
    return min(having, key=lambda name: len(found[name]), default="")


def _files(names: set[str]) -> str:
    return ", ".join(f"[`{name.partition('/')[2]}`](../{name})" for name in sorted(names))


def _link(test: str) -> str:
    path, _, name = test.partition("::")
    return f"[`{path.removeprefix('verif/')}::{name}`](../{path})" if test else ""
