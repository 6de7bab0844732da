"""A unit at its position against the golden machine, cycle by cycle.

The bench plays the queues and the stream registers of the unit's position: random vectors arrive on every stream of
both directions in every cycle, the unit's drivers replace them. The golden machine gets the same words and vectors.
"""

from collections.abc import Callable, Mapping, Sequence
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
from golden.machine.recording import RegisterFlips
from hdl.ecc.reader import REPORT_DELAY
from verif.bench import Bench, unpack_lanes
from verif.coded_streams import coded_word, packed_streams

__all__ = ["Flips", "PositionBench", "Timelines"]

Timelines = Mapping[int, list[tuple[int, int]]]
"""Words with their issue cycles, by queue number."""

Flips = Mapping[int, Mapping[Direction, Mapping[int, Mapping[int, int]]]]
"""Masks of flipped bits of arriving words by cycle, direction, stream and superlane."""

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
    flips: Sequence[RegisterFlips]
    corrected: set[tuple[int, int, int]]
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
        self._flips: Flips = {}
        self.arriving: npt.NDArray[np.uint8] = np.zeros((0, 2, config.streams, config.vector_length), np.uint8)

    async def run(
        self,
        words: Timelines,
        *,
        low: int = -128,
        high: int = 127,
        alter: Alter | None = None,
        doubles: float = 0,
        flips: Flips | None = None,
    ) -> tuple[int, int, int] | None:
        """Run a program on both and compare registers, faults, elements, reads and drives.

        With ECC one arriving word in twenty has a flipped bit, unless told otherwise, and what each queue reports is
        compared, too.

        Parameters
        ----------
        words
            The program. Every word must be legal for its queue; an operation of the unit, or CONFIG.
        low, high
            Range of the vectors' elements.
        alter
            Called with the vectors, [cycle, direction, stream, lane], and the bench's generator, to change them in
            place.
        doubles
            How many of the arriving words have two flipped bits.
        flips
            All flipped bits there are, with ECC.

        Returns
        -------
        tuple or None
            Key of the fault that both raised.
        """
        config = self.config
        retired = max(_retired(config, unit, timeline) for unit, timeline in words.items())
        cycles = retired + 3 * config.superlanes + 4
        shape = (cycles, 2, config.streams, config.vector_length)
        self.arriving = self.bench.rng.integers(low, high, shape, dtype=np.int8, endpoint=True).view(np.uint8)
        if alter is not None:
            alter(self.arriving, self.bench.rng)
        self.arriving[0] = 0
        self._flips = {}
        if config.ecc:
            self._flips = self._random_flips(cycles, doubles) if flips is None else flips
        expected = self._run_golden(words, cycles)
        await self._run_unit(words, expected)
        return expected.fault

    def _run_golden(self, words: Timelines, cycles: int) -> _Expected:
        golden, config = self.golden, self.config
        golden.clear_injections()
        for cycle in range(1, cycles):
            for direction in Direction:
                position = self._position - direction.step
                flips = self._flips.get(cycle, {}).get(direction, {})
                golden.inject(cycle - 1, position, direction, 0, self.arriving[cycle, direction], flips)
        golden.set_queues({unit: queue_words(timeline) for unit, timeline in words.items()})
        fault = None
        try:
            golden.run(cycles=cycles)
        except FaultError as error:
            fault = error.fault.key
        recording = golden.recording(self._position)
        until = cycles - 1 if fault is None else fault[0]
        elements = np.zeros((cycles + 64, len(units(config))), np.bool_)
        reads = np.zeros(elements.shape, np.uint64)
        drives = np.zeros(elements.shape, np.uint64)
        for unit, timeline in words.items():
            for issue, word in timeline:
                row, fields = decode(word)
                if row.mnemonic == "CONFIG":
                    continue
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
        registers, corrected = recording.values[: until + 1], set(golden.corrected)
        return _Expected(registers, recording.flips, corrected, fault, until, elements, reads, drives)

    def _random_flips(self, cycles: int, doubles: float) -> dict[int, dict[Direction, dict[int, dict[int, int]]]]:
        """Return the flips of arriving words by cycle, direction, stream and superlane."""
        rng, config = self.bench.random, self.config
        found: dict[int, dict[Direction, dict[int, dict[int, int]]]] = {}
        for cycle in range(1, cycles):
            for direction in Direction:
                for place in range(config.streams * config.superlanes):
                    if (draw := rng.random()) < max(doubles, 0.05):
                        bits = rng.sample(range(config.stream_bits), 2 if draw < doubles else 1)
                        stream, row = divmod(place, config.superlanes)
                        streams = found.setdefault(cycle, {}).setdefault(direction, {})
                        streams.setdefault(stream, {})[row] = sum(1 << bit for bit in bits)
        return found

    async def _run_unit(self, words: Timelines, expected: _Expected) -> None:
        bench, config = self.bench, self.config
        # Two cycles, because clock gates sample `start` on the falling edge on which it changes.
        bench.drive(start=1, **{f"{prefix}__issue_valid": 0 for prefix in self._queues.values()})
        await bench.ticks(2)
        bench.drive(start=0)
        issues = {unit: dict(timeline) for unit, timeline in words.items()}
        spans = dict.fromkeys(self._queues, config.superlanes)
        faults: list[tuple[int, int, int]] = []
        driven: list[dict[tuple[int, int], int]] = [{} for _ in range(config.superlanes)]
        late = REPORT_DELAY if config.ecc else 0
        for cycle in range(expected.until + config.superlanes + late):
            for row in range(config.superlanes):
                self._present(row, cycle - row, driven[row], expected)
            for unit, prefix in self._queues.items():
                word = issues.get(unit, {}).get(cycle) if cycle <= expected.until else None
                if word is not None and decode(word)[0].mnemonic == "CONFIG":
                    # It concerns the words after it.
                    following, word = decode(word)[1]["superlanes"], None
                else:
                    following = spans[unit]
                issue = {"issue_valid": word is not None, "issue_word": word or 0, "issue_span": spans[unit]}
                bench.drive(**{f"{prefix}__{name}": value for name, value in issue.items()})
                spans[unit] = following
            await bench.settle()
            driven = [self._driven(row) for row in range(config.superlanes)]
            if cycle <= expected.until:
                faults += self._check_queues(cycle, expected)
            if config.ecc and late <= cycle <= expected.until + late:
                faults += self._check_reports(cycle - late, expected)
            await bench.tick()
        found = min(faults, default=None)
        assert found == expected.fault, f"fault: got {found}, expected {expected.fault}, seed {bench.seed}"

    def _present(self, row: int, cycle: int, driven: dict[tuple[int, int], int], expected: _Expected) -> None:
        """Show a superlane its stream registers, after checking those of both directions."""
        last = expected.until
        if expected.fault is not None and expected.fault[2] == FaultKind.UNCORRECTABLE:
            # Superlanes further up have not had that cycle of tile 0 yet, and what they make of the word is undefined.
            last -= row
        if not 0 <= cycle <= last:
            return
        config, bits = self.config, self.config.stream_bits
        for direction in Direction:
            flips = self._flips.get(cycle, {}).get(direction, {})
            registers = packed_streams(config, self.arriving[cycle, direction], row, flips)
            for (side, stream), word in driven.items():
                if side == direction:
                    registers &= ~((1 << bits) - 1 << bits * stream)
                    registers |= word << bits * stream
            held = {stream: flips for (side, stream), flips in expected.flips[cycle].items() if side == direction}
            want = packed_streams(config, expected.registers[cycle, direction], row, held)
            if registers != want:
                got, wanted = (unpack_lanes(value, self.config.streams, bits) for value in (registers, want))
                what = f"superlane {row}, tile-0 cycle {cycle}, {direction.name.lower()}, by stream"
                self.bench.check(what, got, wanted)
            if direction in self._inputs:
                self.bench.drive(**{f"{self._inputs[direction]}__{row}": registers})

    def _driven(self, row: int) -> dict[tuple[int, int], int]:
        """Words that the unit puts on registers at the end of this cycle, by direction and stream."""
        bench = self.bench
        found = {}
        for prefix, size in self._drivers.items():
            port = f"{prefix}__{row}__"
            mask = bench.read(f"{port}mask")
            if mask:
                direction, group = bench.read(f"{port}direction"), bench.read(f"{port}group")
                bits = len(bench.handle(f"{port}data")) // size
                words = bench.read(f"{port}data")
                for index in range(size):
                    if mask >> index & 1:
                        word = words >> bits * index & (1 << bits) - 1
                        coded = word if bits == self.config.stream_bits else coded_word(self.config, word)
                        found[direction, group * size + index] = coded
        return found

    def _check_reports(self, cycle: int, expected: _Expected) -> list[tuple[int, int, int]]:
        """Compare what was corrected in `cycle`; return what could not be."""
        faults = []
        for unit, prefix in self._queues.items():
            got = self.bench.read(f"{prefix}__corrected")
            want = sum(1 << row for row in range(self.config.superlanes) if (cycle, unit, row) in expected.corrected)
            self.bench.check(f"{prefix} corrected in {cycle}", got, want)
            if self.bench.read(f"{prefix}__uncorrectable"):
                faults.append((cycle, unit, int(FaultKind.UNCORRECTABLE)))
        return faults

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


def _retired(config: Config, unit: int, timeline: list[tuple[int, int]]) -> int:
    """Return the cycle in which the last element of a queue has retired."""
    retired = 0
    for issue, word in timeline:
        row, fields = decode(word)
        if row.mnemonic == "CONFIG":
            continue
        touched = footprint(config, units(config)[unit], row.mnemonic, fields)
        last = issue + (touched.elements - 1) * touched.interval
        retired = max(retired, last + timing(config)[row.mnemonic].retire)
    return retired
