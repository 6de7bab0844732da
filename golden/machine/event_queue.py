"""Event queue: what is due, by cycle."""

import heapq
from typing import Generic, TypeVar

Item = TypeVar("Item")

NEVER = 1 << 62
"""A cycle that does not come."""


class EventQueue(Generic[Item]):
    """Queue of things to do, by the cycle in which they are due; those of a cycle in the order in which they came.

    A heap of cycles and a list of items for each: most cycles have several items, and the machine runs from one cycle
    with something to do to the next, so that an item costs no comparison and an idle cycle nothing.

    Attributes
    ----------
    due : int
        Earliest cycle with something to do, or `NEVER`.
    """

    def __init__(self) -> None:
        self.due = NEVER
        self._cycles: list[int] = []
        self._items: dict[int, list[Item]] = {}

    def add(self, cycle: int, item: Item) -> None:
        """Make `item` due in `cycle`."""
        items = self._items.get(cycle)
        if items is None:
            self._items[cycle] = [item]
            heapq.heappush(self._cycles, cycle)
            self.due = self._cycles[0]
        else:
            items.append(item)

    def take(self, cycle: int) -> list[Item]:
        """Remove and return what is due in `cycle`, which must not be after `due`."""
        # Asked in every cycle in which the unit does anything, for whatever reason.
        if cycle != self.due:
            return []
        heapq.heappop(self._cycles)
        self.due = self._cycles[0] if self._cycles else NEVER
        return self._items.pop(cycle)

    def clear(self) -> None:
        """Remove everything."""
        self.due = NEVER
        self._cycles.clear()
        self._items.clear()
