"""The program text of an image: every queue's words, with their cycles, and back."""

from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt

from arch.config import Config
from arch.errors import TaktError
from arch.geometry import units
from arch.isa.encoding import assemble, decode, disassemble, row_of

Words = npt.NDArray[np.uint64]


def disassemble_queues(config: Config, queues: Mapping[int, Words]) -> str:
    """Return the text of a program, one line per word.

    A line ``queue NAME`` starts each queue; a word's line is its cycle, a colon and its text. The cycle is that of the
    issue; for a NOP and a REPEAT the one in which it stands at the head of the queue; after a SYNC, ``+n`` counts from
    its release. Text that is fetched is not in it.
    """
    lines = []
    for queue, words in sorted(queues.items()):
        lines.append(f"queue {units(config)[queue].name}")
        lines.extend(f"{cycle:>8}: {disassemble(word)}" for cycle, word in _at_head(words.tolist()))
    return "\n".join(lines) + "\n" if lines else ""


def assemble_text(config: Config, text: str) -> dict[int, Words]:
    """Return the queues of a text that `disassemble_queues` wrote.

    Cycles before a colon, and comments after a semicolon, do not count.

    Raises
    ------
    TaktError
        Naming the line, for a queue that the machine does not have, one that comes twice, a word before any queue, or
        an instruction that does not exist.
    """
    numbers = {unit.name: unit.id for unit in units(config)}
    queues: dict[int, list[int]] = {}
    words: list[int] | None = None
    for number, line in enumerate(text.splitlines(), 1):
        content = line.partition(";")[0].strip()
        if content.startswith("queue "):
            name = content.removeprefix("queue ").strip()
            if name not in numbers or numbers[name] in queues:
                raise TaktError(f"line {number}: queue must be one of {config.name}'s, once, not {name!r}")
            words = queues[numbers[name]] = []
        elif content:
            if words is None:
                raise TaktError(f"line {number}: 'queue NAME' must come first, not {content!r}")
            try:
                words.append(assemble(content.rpartition(":")[2]))
            except TaktError as error:
                raise TaktError(f"line {number}: {error}") from None
    return {queue: np.array(words, np.uint64) for queue, words in queues.items()}


def _at_head(words: list[int]) -> Iterator[tuple[str, int]]:
    now, sign = 0, ""
    for word in words:
        yield f"{sign}{now}", word
        row = row_of(word)
        if row is not None and row.mnemonic == "SYNC":
            now, sign = 0, "+"
        elif row is not None and row.mnemonic == "NOP":
            now += decode(word)[1]["count"]
        elif row is not None and row.mnemonic == "REPEAT":
            fields = decode(word)[1]
            now += fields["count"] * fields["interval"]
        else:
            now += 1
