"""Decoders and command files for Surfer.

Formats: the decoders' TOML as the crate instruction-decoder of Surfer 0.5 reads it, the commands as in that version's
manual; `zoom_to` came later, and an older Surfer shows the whole waveform instead.
"""

from collections.abc import Iterator

from arch.isa.instruction import OPCODE_BITS, WORD_BITS, Field, Instruction
from arch.isa.table import INSTRUCTIONS
from runtime.waves.view import View

__all__ = ["DECODER", "command_file", "decoder_toml"]

DECODER = "takt"
"""Name of the decoder, and of the folder in Surfer's ``decoders`` that holds its file."""

_FORMATS = {"hex": "Hexadecimal", "decimal": "Unsigned", "mnemonic": DECODER, "instruction": DECODER}
_OPCODE, _UNUSED = "opcode", "unused"


def command_file(view: View) -> str:
    """Return the commands (``.sucl``) that show a view.

    Folded groups are left out: Surfer folds only what is picked by hand.
    """
    lines = [f"# {view.title}", "zoom_fit", f"divider_add {_word(view.title)}", "item_focus a_"]
    for group in view.groups:
        if group.folded:
            continue
        lines.append(f"divider_add {_word(group.title)}")
        for trace in group.traces:
            lines.append(f"variable_add {trace.name.partition('[')[0]}")
            if trace.form in _FORMATS:
                lines.append(f"item_set_format {_FORMATS[trace.form]}")
    for number, (start, stop) in enumerate(view.runs, 1):
        lines += [f"marker_set start_{number} {start}", f"marker_set end_{number} {stop}"]
    lines += [f"cursor_set {view.runs[0][0]}", f"zoom_to {view.start} {view.stop}"]
    return "\n".join(lines) + "\n"


def decoder_toml() -> str:
    """Return the decoder of instruction words, made from the instruction table."""
    rows = [row for row in INSTRUCTIONS if row.built]
    parts = {_part(field): field for row in rows for _, field in row.offsets.values()}
    formats = ", ".join(f'"{_format(row)}"' for row in rows)
    types = ", ".join(f'"{_type(row)}"' for row in rows)
    lines = [f'set = "{DECODER}"', f"width = {WORD_BITS}", "", "[formats]", f"names = [{formats}]", "parts = ["]
    lines += [f'    ["{_OPCODE}", {OPCODE_BITS}, "u8"],', f'    ["{_UNUSED}", {WORD_BITS}, "u64"],']
    lines += [f'    ["{name}", {field.width}, "{"i64" if field.signed else "u64"}"],' for name, field in parts.items()]
    lines += ["]", "", "[types]", f"names = [{types}]"]
    for row in rows:
        slices = ", ".join(f'{{ name = "{name}", top = {width - 1}, bot = 0 }}' for name, width in _slices(row))
        lines.append(f"{_type(row)} = [{slices}]")
    for row in rows:
        shown = "".join(f" {name}=%{_part(field)}%" for name, (_, field) in row.offsets.items())
        lines += ["", f"[{_format(row)}]", f'type = "{_type(row)}"', f'repr = {{ default = "$name${shown}" }}']
        mask = (1 << OPCODE_BITS) - 1
        lines.append(f"instructions = {{ {row.mnemonic} = {{ mask = {mask:#x}, match = {row.opcode:#x} }} }}")
    return "\n".join([*lines, "", "[mappings]", "names = []", "number = 0", ""])


def _slices(row: Instruction) -> Iterator[tuple[str, int]]:
    """(part, bits) from the top of the word down."""
    used = OPCODE_BITS + sum(field.width for field in row.fields)
    if used < WORD_BITS:
        yield _UNUSED, WORD_BITS - used
    for field in reversed(row.fields):
        yield _part(field), field.width
    yield _OPCODE, OPCODE_BITS


def _part(field: Field) -> str:
    """Fields of one name have several widths; parts must not."""
    return f"{field.name}_{field.width}{'s' * field.signed}"


def _format(row: Instruction) -> str:
    return f"format_{row.mnemonic}"


def _type(row: Instruction) -> str:
    return f"type_{row.mnemonic}"


def _word(text: str) -> str:
    """Text as one word: the commands' names of dividers have no spaces, and ``#`` and ``;`` end a command."""
    return "_".join(text.replace("#", "").replace(";", "").split())
