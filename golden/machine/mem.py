"""The MEM slices of both hemispheres."""

from types import SimpleNamespace

import numpy as np
import numpy.typing as npt

from arch.config import Config
from arch.faults import FaultKind
from arch.geometry import Unit
from arch.timing import timing
from golden.machine.bursts import Burst, Bursts, Cohort
from golden.machine.ecc import Flips, replace_flips
from golden.machine.fault_log import FaultLog
from golden.machine.indexed import IndexedAccesses
from golden.machine.latency import d_func, d_skew
from golden.machine.streams import Streams
from golden.machine.word import Effect

Bytes = npt.NDArray[np.uint8]


class Memory:
    """All MEM slices. A slice's number is its queue's number.

    Attributes
    ----------
    words : ndarray of uint8, shape (slices * 2 * mem_depth, vector_length)
        Word ``slice * 2 * mem_depth + addr``.
    flips : dict of int to Flips
        Flipped bits by word, of words that have some.
    """

    def __init__(self, config: Config, streams: Streams, faults: FaultLog) -> None:
        self._config = config
        self._streams = streams
        self._faults = faults
        self._depth = config.mem_depth
        self._size = 2 * config.mem_depth
        self.words: Bytes = np.zeros((config.slices * self._size, config.vector_length), np.uint8)
        self.flips: dict[int, Flips] = {}
        self._reading = Bursts(self._size, streams.slots, config.streams)
        self._writing = Bursts(self._size, streams.slots, config.streams)
        self._indexed = IndexedAccesses(config, streams, faults, self.words, self.flips)
        self._free: dict[tuple[str, int], int] = {}
        self._kept: dict[tuple[str, int], int] = {}
        self._access = {"READ": timing(config).mem_access, "WRITE": d_skew(config, "WRITE")}
        self._free_after = timing(config).mem_free
        self._drive_after_access = d_func(config, "READ") - self._access["READ"]

    def reset(self) -> None:
        """Stop every engine and forget where bursts ended; the words stay."""
        self._reading.reset()
        self._writing.reset()
        self._indexed.reset()
        self._free.clear()
        self._kept.clear()

    @property
    def due(self) -> int:
        """Next cycle with an access."""
        return min(self._reading.due, self._writing.due, self._indexed.due)

    def prepare(self, unit: Unit, mnemonic: str, fields: SimpleNamespace) -> Effect:
        """Return what a READ, WRITE, GATHER or SCATTER does at its issue; reports BUSY."""
        f = fields
        engine = ("READ" if mnemonic in ("READ", "GATHER") else "WRITE"), unit.id
        occupied = (f.count - 1) * f.interval + self._free_after[mnemonic]
        indexed = mnemonic in ("GATHER", "SCATTER")
        begin = self._indexed.prepare(unit, mnemonic, f) if indexed else self._burst(unit, mnemonic, f)

        def issue(cycle: int) -> None:
            if cycle < self._free.get(engine, 0):
                self._faults.report(cycle, unit.id, FaultKind.BUSY, f"{mnemonic} before the last burst's end")
                return
            self._free[engine] = cycle + occupied
            if indexed:
                # A READ or WRITE with `cont` goes on from here, as if the burst had no stride.
                self._kept[engine] = f.addr
            begin(cycle)

        return issue

    def _burst(self, unit: Unit, mnemonic: str, f: SimpleNamespace) -> Effect:
        """Return what starts a READ or WRITE."""
        bursts, access = (self._reading if mnemonic == "READ" else self._writing), self._access[mnemonic]
        shift, base = self._streams.origin(f.dir, unit.position, f.stream)
        engine = mnemonic, unit.id

        def begin(cycle: int) -> None:
            addr = self._kept.get(engine, 0) if f.cont else f.addr
            self._kept[engine] = (addr + f.count * f.stride) % self._size
            bursts.start(Burst(unit.id, addr, f.stride, f.interval, f.count, shift, base, f.on, cycle + access))

        return begin

    def step(self, cycle: int) -> None:
        """Perform the accesses of `cycle`; reports BANK_CONFLICT and UNWRITTEN."""
        readers = self._reading.at(cycle) if self._reading.due == cycle else []
        writers = self._writing.at(cycle) if self._writing.due == cycle else []
        # Reads before writes: a write in cycle c is seen from c + 1 on (docs/machine.md, section 4, rule 4).
        for reader in readers:
            words = reader.words()
            data = self.words.take(words, axis=0)
            ready = cycle + self._drive_after_access
            flips = {}
            if self.flips:
                flips = {place: self.flips[w] for place, w in enumerate(words.tolist()) if w in self.flips}
            self._streams.drive_rows(ready, reader.slices, reader.rows(ready), data[:, : reader.on], flips)
            self._check_indexed(cycle, reader, "SCATTER")
            for writer in writers:
                self._check_banks(cycle, reader, writer)
        for writer in writers:
            self._check_indexed(cycle, writer, "GATHER")
            self._write(cycle, writer)
        if readers:
            self._reading.advance(readers)
        if writers:
            self._writing.advance(writers)
        # Last, since they take their words at once for accesses that follow in the next cycles.
        if self._indexed.due == cycle:
            self._indexed.step(cycle)

    def _write(self, cycle: int, writer: Cohort) -> None:
        rows = writer.rows(cycle)
        written = self._streams.marks[rows]
        if not written.all():
            for missing in np.flatnonzero(written == 0).tolist():
                self._streams.unwritten(cycle, int(writer.slices[missing]), int(rows[missing]))
        words, data = writer.words(), self._streams.values[rows]
        if writer.on == self._config.vector_length:
            self.words[words] = data
        else:
            self.words[words, : writer.on] = data[:, : writer.on]
        if self.flips or self._streams.flips:
            superlanes = writer.on // self._config.lanes
            for word, row in zip(words.tolist(), rows.tolist(), strict=True):
                replace_flips(self.flips, word, self._streams.flips.get(row, {}), superlanes)

    def _check_banks(self, cycle: int, reader: Cohort, writer: Cohort) -> None:
        for number in reader.places.keys() & writer.places.keys():
            bank = int(reader.addr[reader.places[number]]) // self._depth
            if bank == int(writer.addr[writer.places[number]]) // self._depth:
                self._faults.report(cycle, number, FaultKind.BANK_CONFLICT, f"bank {bank} is read and written")

    def _check_indexed(self, cycle: int, cohort: Cohort, mnemonic: str) -> None:
        for number in cohort.places.keys() & self._indexed.slices(mnemonic):
            bank = self._indexed.occupied(mnemonic, cycle, number)
            if bank == int(cohort.addr[cohort.places[number]]) // self._depth:
                self._faults.report(cycle, number, FaultKind.BANK_CONFLICT, f"bank {bank} is in a {mnemonic}'s use")
