"""GATHER and SCATTER: accesses whose addresses come on streams."""

from collections.abc import Callable, KeysView
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import numpy.typing as npt

from arch.config import Config
from arch.faults import FaultKind
from arch.geometry import Unit
from arch.isa.mem_rows import gather_accesses, scatter_accesses
from golden.machine.ecc import Flips
from golden.machine.event_queue import EventQueue
from golden.machine.fault_log import FaultLog
from golden.machine.latency import d_func, d_skew
from golden.machine.streams import Streams

Bytes = npt.NDArray[np.uint8]


@dataclass(slots=True)
class _Element:
    """The next element of a burst under way."""

    unit: Unit
    mnemonic: str
    fields: SimpleNamespace
    left: int


class IndexedAccesses:
    """Bursts of GATHER and SCATTER in all MEM slices.

    An element's words are taken, or replaced, all at once, in the cycle in which its indices are read and after every
    other access of that cycle: no other access of its bank can fall into its own accesses' cycles without
    BANK_CONFLICT or BUSY.

    Parameters
    ----------
    config : Config
    streams : Streams
    faults : FaultLog
    words : ndarray of uint8, shape (slices * 2 * mem_depth, vector_length)
        All MEM words.
    flips : dict of int to Flips
        Their flipped bits.
    """

    def __init__(
        self, config: Config, streams: Streams, faults: FaultLog, words: Bytes, flips: dict[int, Flips]
    ) -> None:
        self._config = config
        self._streams = streams
        self._faults = faults
        self._words = words
        self._flips = flips
        self._depth = config.mem_depth
        self._lanes = np.arange(config.vector_length)
        self._accesses = {"GATHER": gather_accesses(config), "SCATTER": scatter_accesses(config)}
        self._drive_after_read = d_func(config, "GATHER") - d_skew(config, "GATHER")
        self._elements: EventQueue[_Element] = EventQueue()
        self._windows: dict[str, dict[int, tuple[int, int, int]]] = {"GATHER": {}, "SCATTER": {}}

    def reset(self) -> None:
        """Forget every burst."""
        self._elements.clear()
        for windows in self._windows.values():
            windows.clear()

    @property
    def due(self) -> int:
        """Next cycle in which an element reads its indices."""
        return self._elements.due

    def prepare(self, unit: Unit, mnemonic: str, fields: SimpleNamespace) -> Callable[[int], None]:
        """Return what starts a burst at its issue."""
        skew = d_skew(self._config, mnemonic)
        fields.origin = self._streams.origin(fields.dir, unit.position, fields.stream)
        fields.indices = self._streams.origin(fields.map_dir, unit.position, fields.map)
        return lambda cycle: self._elements.add(cycle + skew, _Element(unit, mnemonic, fields, fields.count))

    def step(self, cycle: int) -> None:
        """Perform the elements that read their indices in `cycle`; reports UNWRITTEN, and BANK_CONFLICT of two."""
        for element in self._elements.take(cycle):
            perform = self._gather if element.mnemonic == "GATHER" else self._scatter
            perform(cycle, element)
            self._occupy(cycle, element)
            element.left -= 1
            if element.left:
                self._elements.add(cycle + element.fields.interval, element)

    def slices(self, mnemonic: str) -> KeysView[int]:
        """Return the slices that have seen a GATHER or a SCATTER in this run."""
        return self._windows[mnemonic].keys()

    def occupied(self, mnemonic: str, cycle: int, slice_: int) -> int | None:
        """Return the bank of a slice that a GATHER or a SCATTER accesses in `cycle`, if there is one."""
        first, last, bank = self._windows[mnemonic].get(slice_, (1, 0, 0))
        return bank if first <= cycle <= last else None

    def _occupy(self, cycle: int, element: _Element) -> None:
        number, bank, first = element.unit.id, element.fields.addr // self._depth, cycle + 1
        other = "SCATTER" if element.mnemonic == "GATHER" else "GATHER"
        # Two windows that overlap do so in the first cycle of the one that begins later: looking there, whenever one
        # begins, finds all.
        if self.occupied(other, first, number) == bank:
            self._faults.report(first, number, FaultKind.BANK_CONFLICT, f"bank {bank} is gathered and scattered")
        self._windows[element.mnemonic][number] = first, cycle + self._accesses[element.mnemonic], bank

    def _places(self, cycle: int, element: _Element) -> npt.NDArray[np.int64]:
        """Return the word number of every lane that it acts on; reads the indices."""
        fields = element.fields
        indices = self._streams.read(cycle, element.unit.id, fields.indices, 2, fields.on)
        low, high = indices[:, : fields.on].astype(np.int64)
        bank = fields.addr // self._depth
        first = (2 * element.unit.id + bank) * self._depth
        places: npt.NDArray[np.int64] = first + (fields.addr + low + 256 * high) % self._depth
        return places

    def _gather(self, cycle: int, element: _Element) -> None:
        places = self._places(cycle, element)
        if self._flips:
            self._consume(cycle + 1, element, places)
        vector = self._words[places, self._lanes[: len(places)]]
        self._streams.drive(cycle + self._drive_after_read, element.unit.id, element.fields.origin, vector[None])

    def _scatter(self, cycle: int, element: _Element) -> None:
        data = self._streams.read(cycle, element.unit.id, element.fields.origin, 1, element.fields.on)[0]
        places = self._places(cycle, element)
        if self._flips:
            self._consume(cycle + 1, element, places)
        on = len(places)
        self._words[places, self._lanes[:on]] = data[:on]

    def _consume(self, first: int, element: _Element, places: npt.NDArray[np.int64]) -> None:
        """Report the flips of every lane's word, the first read in cycle `first`; a SCATTER writes it back without."""
        lanes = self._config.lanes
        # Lane by lane, each with an equal share of the cycles: the cycle of a correction is the one in which its lane's
        # word was read.
        share = self._accesses[element.mnemonic] // lanes
        by_lane = places.reshape(-1, lanes)
        for lane in range(lanes):
            for superlane, word in enumerate(by_lane[:, lane].tolist()):
                flips = self._flips.get(word, {})
                if superlane not in flips:
                    continue
                self._streams.ecc.consumed(first + lane * share, element.unit.id, {superlane: flips[superlane]})
                if element.mnemonic == "SCATTER":
                    self._flips[word] = {row: mask for row, mask in flips.items() if row != superlane}
