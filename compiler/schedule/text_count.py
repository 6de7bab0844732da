"""Count of the words of text that queues have so far, while operations are being placed."""

from collections.abc import Iterable

from arch.config import Config

Text = tuple[int, int, int]
"""Queue, its position, and words that a macro-operation has there."""

_FILLED = 0.8
"""Part of a queue's depth that counts on the host's words: further words go in between."""

_FETCHED = 0.6
"""Part of a fetch port's cycles (a word takes ``16 / lanes``) that text may take: not every cycle suits its READs."""

_SHORT = 16
"""Most words of text, in one queue, of macro-operations that run side by side in segments."""


class TextCount:
    """Counts words of text by queue, and says when an operation may issue for all that.

    Text beyond what a queue holds has to come through the fetch port of its position, word by word. By default
    operations only wait until it can have come; where READs find no cycles for it all the same, the program is cut into
    segments that share no cycle, and whose text the queues hold as a whole.

    Parameters
    ----------
    config : Config
    segment : int, optional
        Words that a queue may have in a segment; by default there is one segment only, of any length.

    Attributes
    ----------
    cuts : list of int
        First cycles of all segments but the first one.
    """

    def __init__(self, config: Config, segment: int | None = None) -> None:
        self._config = config
        self.segment = segment
        self.cuts: list[int] = []
        self._words: list[dict[int, int]] = [{}]
        self._excess: dict[int, int] = {}
        # What a count was before, or that there was none.
        self._undo: list[tuple[dict[int, int], int, int | None]] = []

    def words(self, queue: int) -> int:
        """Return the words that a queue has in this segment."""
        return self._words[-1].get(queue, 0)

    def arrival(self, text: Iterable[Text]) -> int:
        """Return a start before which the text of a macro-operation, after all before it, cannot have come."""
        if self.segment is not None or not self._excess:
            return 0
        # Queues of one position share a fetch port.
        excess = max((self._excess.get(position, 0) for _, position, _ in text), default=0)
        return int(excess * 16 / self._config.lanes / _FETCHED) if excess else 0

    def floor(self, text: Iterable[Text], retired: int) -> int:
        """Return the first cycle for a macro-operation: of this segment, or `retired` where it may be a new one."""
        if self.segment is None:
            return 0
        # Beside each other long ones would make each other's text longer.
        if self.is_full(text) or any(words > _SHORT for _, _, words in text):
            return retired
        return self.cuts[-1] if self.cuts else 0

    def is_full(self, text: Iterable[Text]) -> bool:
        """Return whether a macro-operation would give a queue too many words in this segment; alone it never does."""
        if self.segment is None:
            return False
        counts = self._words[-1]
        return any(counts.get(queue, 0) + words > self.segment for queue, _, words in text if queue in counts)

    def cut(self, cycle: int) -> None:
        """Begin a new segment in a cycle in which nothing is under way."""
        self.cuts.append(cycle)
        self._words.append({})

    def add(self, text: Iterable[Text]) -> None:
        """Count a macro-operation."""
        held = int(self._config.queue_depth * _FILLED)
        for queue, position, words in text:
            before = self.words(queue)
            self._set(self._words[-1], queue, before + words)
            more = max(before + words - held, 0) - max(before - held, 0)
            if more:
                self._set(self._excess, position, self._excess.get(position, 0) + more)

    def mark(self) -> tuple[int, int]:
        """Return a point to which `rollback` can return."""
        return len(self._undo), len(self.cuts)

    def rollback(self, mark: tuple[int, int]) -> None:
        """Forget what was counted since `mark`."""
        count, cuts = mark
        for counts, key, before in reversed(self._undo[count:]):
            if before is None:
                del counts[key]
            else:
                counts[key] = before
        del self._undo[count:], self.cuts[cuts:], self._words[cuts + 1 :]

    def _set(self, counts: dict[int, int], key: int, value: int) -> None:
        self._undo.append((counts, key, counts.get(key)))
        counts[key] = value
