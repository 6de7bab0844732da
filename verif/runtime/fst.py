"""Names in an FST waveform: enough of the format to hold a save file against it."""

import gzip
from collections.abc import Iterator
from pathlib import Path

_HIERARCHY_GZIP, _HIERARCHY_LZ4, _HIERARCHY_LZ4_TWICE, _WHOLE_GZIP = 4, 6, 7, 254
_ATTRIBUTE, _ATTRIBUTE_END, _SCOPE, _SCOPE_END = 252, 253, 254, 255


def signal_names(path: Path) -> set[str]:
    """Return the full names of all signals, such as ``chip.control.cycle[47:0]``."""
    return set(_names(_hierarchy(path.read_bytes())))


def _hierarchy(data: bytes) -> bytes:
    place = 0
    while place < len(data):
        kind, length = data[place], int.from_bytes(data[place + 1 : place + 9], "big")
        body = data[place + 17 : place + 1 + length]
        if kind == _WHOLE_GZIP:
            return _hierarchy(gzip.decompress(body))
        if kind == _HIERARCHY_GZIP:
            return gzip.decompress(body)
        if kind == _HIERARCHY_LZ4:
            return _lz4(body)
        if kind == _HIERARCHY_LZ4_TWICE:
            return _lz4(_lz4(body[8:]))
        place += 1 + length
    raise ValueError("the waveform has no hierarchy")


def _names(data: bytes) -> Iterator[str]:
    place = 0
    scopes: list[str] = []

    def text() -> str:
        nonlocal place
        end = data.index(0, place)
        found, place = data[place:end].decode(), end + 1
        return found

    def skip_number() -> None:
        nonlocal place
        while data[place] & 0x80:
            place += 1
        place += 1

    while place < len(data):
        tag = data[place]
        place += 1
        if tag == _SCOPE:
            place += 1
            scopes.append(text())
            text()
        elif tag == _SCOPE_END:
            scopes.pop()
        elif tag == _ATTRIBUTE:
            place += 2
            text()
            skip_number()
        elif tag != _ATTRIBUTE_END:
            place += 1
            yield ".".join([*scopes, text().replace(" ", "")])
            skip_number()
            skip_number()


def _lz4(data: bytes) -> bytes:
    """Decompress an LZ4 block."""
    found = bytearray()
    place = 0

    def length(start: int) -> int:
        nonlocal place
        total = start
        while start == 15:
            total += data[place]
            place += 1
            if data[place - 1] != 255:
                break
        return total

    while place < len(data):
        token = data[place]
        place += 1
        literals = length(token >> 4)
        found += data[place : place + literals]
        place += literals
        if place >= len(data):
            break
        offset = int.from_bytes(data[place : place + 2], "little")
        place += 2
        for _ in range(length(token & 15) + 4):
            found.append(found[-offset])
    return bytes(found)
