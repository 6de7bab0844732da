"""A unit at its position against the golden machine, cycle by cycle.

The bench plays the queues and the stream registers of the unit's position: random vectors arrive on every stream of
both directions in every cycle, the unit's drivers replace them. The golden machine gets the same words and vectors.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from arch.config import Config
from arch.faults import FaultError, FaultKind
from arch.geometry import Direction, units
from arch.isa.encoding import decode
from arch.isa.footprint import footprint
from arch.isa.timeline import queue_words
from arch.timing import timing
from golden.machine.machine import Machine
from verif.bench import Bench, unpack_lanes

__all__ = ["PositionBench", "Timelines"]

Timelines = Mapping[int, list[tuple[int, int]]]
"""Words with their issue cycles, by queue number."""

Alter = Callable[[npt.NDArray[np.uint8], np.random.Generator], None]

_FAULTS = {
    "busy_fault": FaultKind.BUSY,
    "bank_conflict_fault": FaultKind.BANK_CONFLICT,
    "operand_missed_fault": FaultKind.OPERAND_MISSED,
}


@dataclass(frozen=True)
class _Expected:
    """What must be seen, in tile-0 time; nothing after cycle `until` is defined."""

    registers: npt.NDArray[np.uint8]
    fault: tuple[int, int, int] | None
    until: int
    elements: npt.NDArray[np.bool_]
    reads: npt.NDArray[np.uint64]
    drives: npt.NDArray[np.uint64]


class PositionBench:
    """Runs programs on a unit and on a golden machine, one after the other, and compares.

    Parameters
    ----------
    bench
        The started bench.
    config
        The machine.
    queues
        Port prefix of every queue of the unit, by queue number.
    inputs
        Port prefix of the stream registers that the unit sees, by direction.
    drivers
        Port prefix of every driver and the number of streams it drives.

    Attributes
    ----------
    golden
        The golden machine.
    """

    def __init__(
        self,
        bench: Bench,
        config: Config,
        *,
        queues: Mapping[int, str],
        inputs: Mapping[Direction, str],
        drivers: Mapping[str, int],
    ) -> None:
        self.bench = bench
        self.config = config
        self.golden = Machine(config)
        self._queues = queues
        self._inputs = inputs
        self._drivers = drivers
        self._position = units(config)[next(iter(queues))].position
        self.golden.watch(self._position)
        self.arriving: npt.NDArray[np.uint8] = np.zeros((0, 2, config.streams, config.vector_length), np.uint8)

    async def run(
        self, words: Timelines, *, low: int = -128, high: int = 127, alter: Alter | None = None
    ) -> tuple[int, int, int] | None:
        """Run a program on both and compare registers, faults, elements, reads and drives.

        Parameters
        ----------
        words
            The program. Every word must be legal for its queue.
        low, high
            Range of the vectors' elements.
        alter
            Called with the vectors, [cycle, direction, stream, lane], and the bench's generator, to change them in
            place.

        Returns
        -------
        tuple or None
            Key of the fault that both raised.
        """
        config = self.config
        last = max(_last_element(config, unit, timeline) for unit, timeline in words.items())
        cycles = last + 4 * config.superlanes + 8
        shape = (cycles, 2, config.streams, config.vector_length)
        self.arriving = self.bench.rng.integers(low, high, shape, dtype=np.int8, endpoint=True).view(np.uint8)
        if alter is not None:
            alter(self.arriving, self.bench.rng)
        self.arriving[0] = 0
        expected = self._run_golden(words, cycles)
        await self._run_unit(words, expected)
        return expected.fault

    def _run_golden(self, words: Timelines, cycles: int) -> _Expected:
        golden, config = self.golden, self.config
        golden.clear_injections()
        for cycle in range(1, cycles):
            for direction in Direction:
                position = self._position - direction.step
                golden.inject(cycle - 1, position, direction, 0, self.arriving[cycle, direction])
        golden.set_queues({unit: queue_words(timeline) for unit, timeline in words.items()})
        fault = None
        try:
            golden.run(cycles=cycles)
        except FaultError as error:
            fault = error.fault.key
        registers = golden.recording(self._position).values
        until = cycles - 1 if fault is None else fault[0]
        elements = np.zeros((cycles + 64, len(units(config))), np.bool_)
        reads = np.zeros(elements.shape, np.uint64)
        drives = np.zeros(elements.shape, np.uint64)
        for unit, timeline in words.items():
            for issue, word in timeline:
                row, fields = decode(word)
                touched = footprint(config, units(config)[unit], row.mnemonic, fields)
                latency = timing(config)[row.mnemonic]
                for cycle in range(issue, issue + touched.elements * touched.interval, touched.interval):
                    if cycle > until:
                        break
                    elements[cycle, unit] = True
                    for sets, groups, after in (
                        (reads, touched.reads, latency.d_skew),
                        (drives, touched.drives, (latency.d_func or 0) - 1),
                    ):
                        for group in groups:
                            first = group.first + config.streams * group.direction
                            sets[cycle + (after or 0), unit] |= np.uint64(((1 << group.size) - 1) << first)
        return _Expected(registers[: until + 1], fault, until, elements, reads, drives)

    async def _run_unit(self, words: Timelines, expected: _Expected) -> None:
        bench, config = self.bench, self.config
        # Two cycles, because clock gates sample `start` on the falling edge on which it changes.
        bench.drive(start=1, **{f"{prefix}__issue_valid": 0 for prefix in self._queues.values()})
        await bench.ticks(2)
        bench.drive(start=0)
        issues = {unit: dict(timeline) for unit, timeline in words.items()}
        faults: list[tuple[int, int, int]] = []
        driven: list[dict[tuple[int, int], npt.NDArray[np.uint8]]] = [{} for _ in range(config.superlanes)]
        for cycle in range(expected.until + config.superlanes):
            for row in range(config.superlanes):
                self._present(row, cycle - row, driven[row], expected)
            for unit, prefix in self._queues.items():
                word = issues.get(unit, {}).get(cycle) if cycle <= expected.until else None
                bench.drive(**{f"{prefix}__issue_valid": word is not None, f"{prefix}__issue_word": word or 0})
            await bench.settle()
            driven = [self._driven(row) for row in range(config.superlanes)]
            if cycle <= expected.until:
                faults += self._check_queues(cycle, expected)
            await bench.tick()
        found = min(faults, default=None)
        assert found == expected.fault, f"fault: got {found}, expected {expected.fault}, seed {bench.seed}"

    def _present(
        self, row: int, cycle: int, driven: dict[tuple[int, int], npt.NDArray[np.uint8]], expected: _Expected
    ) -> None:
        """Show a superlane its stream registers, after checking them."""
        if not 0 <= cycle <= expected.until:
            return
        lanes = slice(row * self.config.lanes, (row + 1) * self.config.lanes)
        registers = self.arriving[cycle, :, :, lanes].copy()
        for place, vector in driven.items():
            registers[place] = vector
        want = expected.registers[cycle, :, :, lanes]
        if not np.array_equal(registers, want):
            self.bench.check(f"superlane {row}, tile-0 cycle {cycle}, [direction, stream, lane]", registers, want)
        for direction, prefix in self._inputs.items():
            packed = int.from_bytes(registers[direction].tobytes(), "little")
            self.bench.drive(**{f"{prefix}__{row}": packed})

    def _driven(self, row: int) -> dict[tuple[int, int], npt.NDArray[np.uint8]]:
        """Vectors that the unit puts on registers at the end of this cycle, by direction and stream."""
        bench, lanes = self.bench, self.config.lanes
        found = {}
        for prefix, size in self._drivers.items():
            port = f"{prefix}__{row}__"
            mask = bench.read(f"{port}mask")
            if mask:
                direction, group = bench.read(f"{port}direction"), bench.read(f"{port}group")
                vectors = unpack_lanes(bench.read(f"{port}data"), size * lanes, 8).astype(np.uint8).reshape(size, lanes)
                for index in range(size):
                    if mask >> index & 1:
                        found[direction, group * size + index] = vectors[index]
        return found

    def _check_queues(self, cycle: int, expected: _Expected) -> list[tuple[int, int, int]]:
        bench = self.bench
        faults = []
        for unit, prefix in self._queues.items():
            for name, kind in _FAULTS.items():
                if bench.read(f"{prefix}__{name}"):
                    faults.append((cycle, unit, int(kind)))
            if cycle < expected.until or expected.fault is None:
                for name, table in (
                    ("element", expected.elements),
                    ("reads", expected.reads),
                    ("drives", expected.drives),
                ):
                    bench.check(f"{prefix} {name}", bench.read(f"{prefix}__{name}"), int(table[cycle, unit]))
        return faults


def _last_element(config: Config, unit: int, timeline: list[tuple[int, int]]) -> int:
    last = 0
    for issue, word in timeline:
        row, fields = decode(word)
        touched = footprint(config, units(config)[unit], row.mnemonic, fields)
        last = max(last, issue + (touched.elements - 1) * touched.interval)
    return last
