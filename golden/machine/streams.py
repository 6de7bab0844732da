"""All stream registers of the chip."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from arch.config import Config
from arch.errors import TaktError
from arch.faults import FaultKind
from arch.geometry import Direction, positions
from golden.machine.ecc import Ecc, Flips, limit_flips, replace_flips
from golden.machine.event_queue import EventQueue
from golden.machine.fault_log import FaultLog
from golden.machine.recording import Recording, RegisterFlips

Bytes = npt.NDArray[np.uint8]
Int64 = npt.NDArray[np.int64]
Drive = tuple[int | Int64, slice | Int64, Bytes, Mapping[int, Flips]]
"""Queue or queues, rows, one vector per row, and the flips of those that have some, by place in the data."""

_INTACT: Mapping[int, Flips] = {}

OUTSIDE = -1
"""Queue number of a value that was injected."""


class Streams:
    """The stream registers, kept by diagonal so that moving on costs nothing.

    A value that moves east stays on the diagonal ``cycle - position``, one that moves west on ``cycle + position``. The
    store has one slot per live diagonal (there are as many as positions) and direction; in a given cycle a position
    reads and drives exactly one slot of each direction, and a slot belongs to one position, so replacing its contents
    replaces them for all positions further on and for none before. A slot is emptied when its next diagonal enters the
    chip.

    Attributes
    ----------
    values : ndarray of uint8, shape (2 * slots * streams, vector_length)
        Register contents, meaningless where no value is; rows of one slot are adjacent.
    marks : ndarray of uint8, shape (2 * slots * streams,)
        0 where no value is; else ``1 + cycle % 255`` of the cycle it was driven in: a diagonal lives less than 255
        cycles.
    flips : dict of int to Flips
        Flipped bits by row, of rows that have some.
    ecc : Ecc
        To which reads of such rows are reported.
    """

    def __init__(self, config: Config, faults: FaultLog) -> None:
        self.config = config
        self._faults = faults
        self.slots = positions(config)
        rows = 2 * self.slots * config.streams
        self.values: Bytes = np.zeros((rows, config.vector_length), np.uint8)
        self._marks = bytearray(rows)
        self.marks: Bytes = np.frombuffer(self._marks, np.uint8)
        self.flips: dict[int, Flips] = {}
        self.ecc = Ecc(config, faults)
        self._pending: EventQueue[Drive] = EventQueue()
        self._watched: dict[int, tuple[list[Bytes], list[npt.NDArray[np.bool_]], list[RegisterFlips]]] = {}
        self._empty = bytes(config.streams)
        self._entered = -1

    @property
    def due(self) -> int:
        """Next cycle in which a value comes onto a register."""
        return self._pending.due

    def reset(self) -> None:
        """Empty every register and forget what is under way."""
        self.marks[:] = 0
        self.flips.clear()
        self._pending.clear()
        self._entered = -1

    def origin(self, direction: int, position: int, stream: int) -> tuple[int, int]:
        """Return ``(shift, base)``: the register's row in cycle c is ``(c + shift) % slots * streams + base``."""
        base = direction * self.slots * self.config.streams + stream
        return (-position if direction == Direction.EAST else position), base

    def row(self, cycle: int, origin: tuple[int, int]) -> int:
        """Return the row of a register in `cycle`."""
        return (cycle + origin[0]) % self.slots * self.config.streams + origin[1]

    def read(self, cycle: int, unit: int, origin: tuple[int, int], size: int, on: int) -> Bytes:
        """Return a view of `size` adjacent streams, shape (size, vector_length).

        Reports UNWRITTEN, and the flips of lanes below `on`: the others are not read.
        """
        row = self.row(cycle, origin)
        # A bytearray over the same memory: searching a few bytes of it is faster than any array operation.
        if 0 in self._marks[row : row + size]:
            self.unwritten(cycle, unit, row + self._marks[row : row + size].index(0))
        if self.flips:
            for flipped in self.flips.keys() & range(row, row + size):
                self.ecc.consumed(cycle, unit, limit_flips(self.flips[flipped], on // self.config.lanes))
        return self.values[row : row + size]

    def unwritten(self, cycle: int, unit: int, row: int) -> None:
        """Report the read of an empty register."""
        self._faults.report(cycle, unit, FaultKind.UNWRITTEN, self._describe(row, cycle))

    def drive(
        self, cycle: int, unit: int, origin: tuple[int, int], data: Bytes, flips: Mapping[int, Flips] = _INTACT
    ) -> None:
        """Put `data`, shape (size, n), on adjacent streams in `cycle`, on behalf of queue `unit`.

        With n below vector_length, what is in the lanes from n up moves on.
        """
        row = self.row(cycle, origin)
        self._pending.add(cycle, (unit, slice(row, row + len(data)), data, flips))

    def drive_rows(
        self, cycle: int, units: Int64, rows: Int64, data: Bytes, flips: Mapping[int, Flips] = _INTACT
    ) -> None:
        """Put ``data[i]`` on row ``rows[i]`` in `cycle`, on behalf of queue ``units[i]``, with ``flips[i]`` if any.

        As `drive`.
        """
        self._pending.add(cycle, (units, rows, data, flips))

    def advance(self, cycle: int) -> None:
        """Move on to `cycle` and put the values due in it on their registers; reports DOUBLE_DRIVE."""
        self._enter(cycle)
        if self._pending.due == cycle:
            self._apply(cycle, self._pending.take(cycle))
        for position, (values, written, flips) in self._watched.items():
            rows = [self.row(cycle, self.origin(direction, position, 0)) for direction in Direction]
            full = np.stack([self.marks[row : row + self.config.streams] != 0 for row in rows])
            held = np.stack([self.values[row : row + self.config.streams] for row in rows])
            values.append(np.where(full[..., None], held, np.uint8(0)))
            written.append(full)
            found = {}
            for row, flipped in self.flips.items():
                for direction, first in enumerate(rows):
                    if first <= row < first + self.config.streams:
                        found[direction, row - first] = flipped
            flips.append(found)

    def watch(self, position: int) -> None:
        """Record a position from the next run on."""
        self._watched[position] = ([], [], [])

    def start_recordings(self) -> None:
        """Begin every recording anew."""
        for position in self._watched:
            self.watch(position)

    @property
    def watching(self) -> bool:
        """Whether anything is recorded, so that no cycle may be passed over."""
        return bool(self._watched)

    def recording(self, position: int) -> Recording:
        """Return what a watched position held in the last run."""
        values, written, flips = self._watched[position]
        shape = (0, 2, self.config.streams, self.config.vector_length)
        return Recording(
            position,
            np.stack(values) if values else np.zeros(shape, np.uint8),
            np.stack(written) if written else np.zeros(shape[:3], np.bool_),
            flips,
        )

    def _enter(self, cycle: int) -> None:
        streams = self.config.streams
        # East diagonals enter at position 0, west diagonals at the last position: slots - 1 = -1 modulo slots.
        # After a pause of more cycles than there are positions every slot has been entered anew: once is enough.
        for entering in range(max(self._entered + 1, cycle + 1 - self.slots), cycle + 1):
            east = entering % self.slots * streams
            west = (self.slots + (entering - 1) % self.slots) * streams
            self._marks[east : east + streams] = self._empty
            self._marks[west : west + streams] = self._empty
            if self.flips:
                for first in (east, west):
                    for row in self.flips.keys() & range(first, first + streams):
                        del self.flips[row]
        self._entered = cycle

    def _apply(self, cycle: int, items: Sequence[Drive]) -> None:
        # The mark of this cycle says that another driver was here in this cycle: an older value, which may be replaced,
        # has another one.
        mark = 1 + cycle % 255
        collision = False
        for _, index, data, flips in items:
            if isinstance(index, slice):
                collision |= mark in self._marks[index]
            else:
                # Cohorts drive many rows at once, and two of their own slices may meet on one register.
                collision |= bool((self.marks[index] == mark).any()) or len(set(index.tolist())) < len(index)
            on = data.shape[1]
            # Lanes that are off keep what moves past, or zero where nothing does, as in the RTL.
            if on < self.config.vector_length:
                self._clear_empty(index, on)
                self.values[index, :on] = data
            else:
                self.values[index] = data
            self.marks[index] = mark
            if flips or self.flips:
                rows = range(index.start, index.stop) if isinstance(index, slice) else index.tolist()
                superlanes = on // self.config.lanes
                for place, row in enumerate(rows):
                    replace_flips(self.flips, row, flips.get(place, {}), superlanes)
        if collision:
            self._report_collisions(cycle, items)

    def _clear_empty(self, index: slice | Int64, first: int) -> None:
        """Let lanes from `first` up be 0 where no value is."""
        rows = np.arange(index.start, index.stop) if isinstance(index, slice) else index
        self.values[rows[self.marks[rows] == 0], first:] = 0

    def _report_collisions(self, cycle: int, items: Sequence[Drive]) -> None:
        drivers: dict[int, list[int]] = {}
        for units, index, *_ in items:
            rows = range(index.start, index.stop) if isinstance(index, slice) else index.tolist()
            owners = [units] * len(rows) if isinstance(units, int) else units.tolist()
            for row, owner in zip(rows, owners, strict=True):
                drivers.setdefault(row, []).append(owner)
        for row, owners in drivers.items():
            if len(owners) > 1:
                # The later queue in queue order is to blame (docs/machine.md, section 2, rule 4).
                later = sorted(owners)[1]
                if later == OUTSIDE:
                    raise TaktError(f"a register takes one injected value per cycle, not {owners.count(OUTSIDE)}")
                self._faults.report(cycle, later, FaultKind.DOUBLE_DRIVE, self._describe(row, cycle))

    def _describe(self, row: int, cycle: int) -> str:
        slot, stream = divmod(row, self.config.streams)
        direction, slot = divmod(slot, self.slots)
        position = (cycle - slot if direction == Direction.EAST else slot - cycle) % self.slots
        return f"stream {Direction(direction).name.lower()} {stream} at position {position}"
