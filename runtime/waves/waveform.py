"""FST waveforms, as files."""

from pathlib import Path

from arch.errors import TaktError

__all__ = ["check_waveform"]

_HEADER, _GEOMETRY = 0, 3
_HIERARCHY = (4, 6, 7)
_WHOLE = 254
"""A waveform that is packed as one block."""


def check_waveform(wave: Path) -> None:
    """Raise TaktError unless a waveform is whole: simulators do not notice when the disk is full.

    It is a chain of blocks, each with its kind and its length, of which the simulator writes the last ones at its end.
    """
    kinds = set()
    size = wave.stat().st_size
    at = 0
    with wave.open("rb") as file:
        while at < size:
            file.seek(at)
            head = file.read(9)
            length = int.from_bytes(head[1:], "big")
            if len(head) < 9 or length < 8:
                break
            kinds.add(head[0])
            at += 1 + length
    complete = _WHOLE in kinds or ({_HEADER, _GEOMETRY} <= kinds and kinds & {*_HIERARCHY})
    if at != size or not complete:
        raise TaktError(f"the waveform is incomplete: there was no room for it in {str(wave.parent)!r}")
