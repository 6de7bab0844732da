"""Files that lie beside a waveform."""

from collections.abc import Sequence
from pathlib import Path

from arch.errors import TaktError
from arch.files import write_whole
from arch.image import Image
from runtime.run import RunResult
from runtime.waves.gtkwave import save_file, word_filter
from runtime.waves.hierarchy import Instance
from runtime.waves.surfer import DECODER, command_file, decoder_toml
from runtime.waves.view import view_of

__all__ = ["write_views"]


def write_views(wave: Path, image: Image, results: Sequence[RunResult], chip: Instance) -> Path:
    """Write what opens a waveform in GTKWave and in Surfer, beside it.

    ``NAME.gtkw``, ``NAME.mnemonics`` and ``NAME.instructions`` are for GTKWave; ``NAME.sucl`` and ``.surfer/decoders``
    for Surfer, which looks for decoders in the folder in which it is started.

    Parameters
    ----------
    wave
        The waveform.
    image
        The program it shows.
    results
        Of each of its runs.
    chip
        The chip's instances and signals.

    Returns
    -------
    Path
        GTKWave's save file.

    Raises
    ------
    TaktError
        When a file cannot be written.
    """
    wave = wave.resolve()
    view = view_of(image, results, chip)
    path = wave.with_suffix(".gtkw")
    filters = {form: wave.with_suffix(f".{form}s") for form in ("mnemonic", "instruction")}
    for form, file in filters.items():
        write_whole(file, word_filter(view, form))
    write_whole(path, save_file(view, wave, path, filters))
    write_whole(wave.with_suffix(".sucl"), command_file(view))
    decoder = wave.parent / ".surfer" / "decoders" / DECODER / f"{DECODER}.toml"
    try:
        decoder.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TaktError(f"cannot write {str(decoder)!r}: {error.strerror}") from None
    write_whole(decoder, decoder_toml())
    return path
