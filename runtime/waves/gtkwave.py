"""GTKWave save files, as version 3.3 reads them."""

import io
import string
from collections.abc import Mapping
from math import log2
from pathlib import Path

from vcd.gtkw import GTKWSave

from arch.isa.encoding import disassemble, row_of
from arch.isa.instruction import WORD_BITS
from runtime.timetable.colours import NAMES, NAMES_OTHER
from runtime.waves.view import Trace, View

__all__ = ["save_file", "word_filter"]

_WINDOW = (1600, 900)
_SIGNALS = 260
"""Pixels of the window, and of its column of names."""
_WAVES = _WINDOW[0] - _SIGNALS - 100
"""Pixels of its waves at least."""
_FRAME = 200
"""Pixels that show 2 to the power of -zoom units of time."""
_FORMATS = {"bit": "bin", "hex": "hex", "decimal": "dec", "mnemonic": "hex", "instruction": "hex"}


def word_filter(view: View, form: str) -> str:
    """Return the filter that shows instruction words as text of a form, in the colours of the timetable."""
    lines = [f"{0:0{WORD_BITS // 4}x} ?gray10? "]  # an empty queue
    for word in view.words:
        row = row_of(word)
        mnemonic = row.mnemonic if row else ".word"
        text = mnemonic if form == "mnemonic" else disassemble(word)
        lines.append(f"{word:0{WORD_BITS // 4}x} ?{NAMES.get(mnemonic, NAMES_OTHER)}?{text}")
    return "\n".join(lines) + "\n"


def save_file(view: View, wave: Path, path: Path, filters: Mapping[str, Path]) -> str:
    """Return the save file that opens a waveform as a view.

    Window and zoom are such that the first run fills the waves; the marker and A stand at its cycle 0, B at its end,
    C to Z at those of the next runs. GTKWave finds the files in relation to the save file, wherever their folder goes.

    Parameters
    ----------
    view
    wave, path
        Absolute paths of the waveform and of this save file.
    filters
        Those of the files of `word_filter`, by form.
    """
    text = io.StringIO()
    save = GTKWSave(text)
    save.dumpfile(str(wave))
    save.savefile(str(path))
    save.timestart(view.start)
    save.size(*_WINDOW)
    save.sst_expanded(False)
    save.signals_width(_SIGNALS)
    times = (time for run in view.runs for time in run)
    markers = dict(zip(string.ascii_lowercase, times, strict=False))
    zoom = -log2((view.stop - view.start) * _FRAME / _WAVES)
    save.zoom_markers(zoom, view.runs[0][0], **markers)  # type: ignore[arg-type]
    save.blank(view.title)
    for group in view.groups:
        with save.group(group.title, closed=group.folded):
            for trace in group.traces:
                _add(save, trace, filters)
    return text.getvalue()


def _add(save: GTKWSave, trace: Trace, filters: Mapping[str, Path]) -> None:
    file = str(filters[trace.form]) if trace.form in filters else None
    label = trace.label.replace(".", "_")  # of a name with dots GTKWave shows the end
    save.trace(trace.name, alias=label, datafmt=_FORMATS[trace.form], rjustify=False, translate_filter_file=file)
