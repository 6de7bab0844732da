"""GTKWave save files."""

import io
from pathlib import Path

from vcd.gtkw import GTKWSave

from arch.geometry import Unit, units
from arch.image import Image
from arch.isa.encoding import disassemble
from arch.isa.instruction import WORD_BITS
from runtime.console import write_text
from runtime.waves.hierarchy import Instance

__all__ = ["write_save_file"]

_BUS = ("clk", "rst", "cyc", "stb", "we", "adr", "dat_w", "ack", "dat_r")
_RUN = ("busy", "start", "run", "cycle", "done")
_FAULT = ("fault", "kind", "unit", "at")
_DECIMAL = ("cycle", "kind", "unit", "at")


def write_save_file(wave: Path, image: Image, chip: Instance) -> Path:
    """Write a GTKWave save file beside a waveform of the chip, under the same name with the suffix ``.gtkw``.

    Groups: the host's bus, the run, and every queue that the program uses, with its unit's events. Instruction words
    show as text, by way of a filter file with the suffix ``.mnemonics``.

    Parameters
    ----------
    wave
        The waveform.
    image
        The program it shows.
    chip
        The chip's instances and signals.

    Returns
    -------
    Path
        The save file.

    Raises
    ------
    TaktError
        When a file cannot be written.
    """
    wave = wave.resolve()
    mnemonics = wave.with_suffix(".mnemonics")
    words = {int(word) for queue in image.queues.values() for word in queue}
    write_text(mnemonics, "".join(f"{word:0{WORD_BITS // 4}x} {disassemble(word)}\n" for word in sorted(words)))
    path = wave.with_suffix(".gtkw")
    text = io.StringIO()
    save = GTKWSave(text)
    save.dumpfile(str(wave))
    save.timestart(0)
    save.zoom_markers(-4.0)
    save.treeopen(f"{chip.path}.")
    with save.group("host"):
        _traces(save, chip, _BUS)
    with save.group("run"):
        for instance in chip.having(*_RUN):
            _traces(save, instance, _RUN)
        for instance in chip.having(*_FAULT):
            _traces(save, instance, _FAULT)
    columns = list(chip.children())
    for queue in sorted(image.queues):
        _unit(save, columns, units(image.config)[queue], mnemonics)
    write_text(path, text.getvalue())
    return path


def _unit(save: GTKWSave, columns: list[Instance], unit: Unit, mnemonics: Path) -> None:
    """A group of everything between a queue and its unit; the column's wires carry the unit's name."""
    prefix = f"unit_{unit.name.lower().replace('.', '_')}__"
    column = next(column for column in columns if f"{prefix}issue_word" in column.wires)
    with save.group(unit.name, closed=True):
        save.trace(column.trace(f"{prefix}issue_valid"), alias="issue")
        save.trace(column.trace(f"{prefix}issue_word"), alias="instruction", translate_filter_file=str(mnemonics))
        for name in sorted(column.wires):
            what = name.removeprefix(prefix)
            if name.startswith(prefix) and not what.startswith("issue_") and "$" not in name:
                save.trace(column.trace(name), alias=what)


def _traces(save: GTKWSave, instance: Instance, names: tuple[str, ...]) -> None:
    for name in names:
        if name in instance.wires:
            save.trace(instance.trace(name), alias=name, datafmt="dec" if name in _DECIMAL else "hex")
