"""Hand-made programs for the golden machine."""

import numpy as np
import numpy.typing as npt
import pytest

from arch.config import Config
from arch.faults import FaultError, FaultKind
from arch.geometry import Direction, Unit, units
from arch.isa.encoding import encode
from arch.isa.timeline import queue_words
from arch.timing import timing
from golden.machine.latency import d_func, d_skew
from golden.machine.machine import Machine
from golden.machine.recording import Recording


class Program:
    """A machine and a timetable for it, in which units go by name (``MEM_W0``, ``VXM_3``, ``MXM_E0.R``).

    Attributes
    ----------
    config : Config
    machine : Machine
    timing : arch.timing.Timing
        Its rows are given by `skew` and `func`.
    """

    def __init__(self, config: Config) -> None:
        self.config = config
        self.machine = Machine(config)
        self.timing = timing(config)
        self._units = {unit.name: unit for unit in units(config)}
        self._timelines: dict[str, list[tuple[int, int]]] = {}
        self._raw: dict[str, list[int]] = {}

    def unit(self, name: str) -> Unit:
        """Return a unit by name."""
        return self._units[name]

    def skew(self, mnemonic: str) -> int:
        """Return d_skew of an instruction that reads."""
        return d_skew(self.config, mnemonic)

    def func(self, mnemonic: str) -> int:
        """Return d_func of an instruction that drives."""
        return d_func(self.config, mnemonic)

    def at(self, cycle: int, name: str, mnemonic: str, **fields: int) -> None:
        """Let a unit issue an instruction in `cycle`; count and interval of a burst are 1 if not given."""
        if mnemonic in ("READ", "WRITE", "ABC", "ACC"):
            fields = {"count": 1, "interval": 1, **fields}
        self._timelines.setdefault(name, []).append((cycle, encode(mnemonic, **fields)))

    def raw(self, name: str, *words: int) -> None:
        """Give a queue just these words."""
        self._raw[name] = list(words)

    def clear(self) -> None:
        """Forget the timetable, keep the machine."""
        self._timelines.clear()
        self._raw.clear()

    def inject(self, cycle: int, name: str, direction: Direction, stream: int, vectors: npt.ArrayLike) -> None:
        """Let vectors (any 8-bit dtype) be on the registers at a unit's position in `cycle`."""
        data = np.asarray(vectors)
        assert data.dtype.itemsize == 1
        self.machine.inject(cycle, self.unit(name).position, direction, stream, data.view(np.uint8))

    def inject_numbers(self, cycle: int, name: str, direction: Direction, stream: int, numbers: npt.NDArray) -> None:
        """Let a vector of numbers be on as many streams as the dtype has bytes."""
        vectors = np.ascontiguousarray(numbers).view(np.uint8).reshape(len(numbers), -1).T
        self.inject(cycle, name, direction, stream, vectors)

    def run(self, cycles: int = 0) -> int:
        """Run the timetable; return the cycle count."""
        queues = {self.unit(name).id: queue_words(line) for name, line in self._timelines.items()}
        queues |= {self.unit(name).id: words for name, words in self._raw.items()}
        self.machine.set_queues(queues)
        return self.machine.run(cycles)

    def fails(self, cycle: int, name: str, kind: FaultKind) -> FaultError:
        """Run the timetable; check that this violation stops it."""
        with pytest.raises(FaultError) as caught:
            self.run()
        fault = caught.value.fault
        assert (fault.cycle, fault.unit, fault.kind) == (cycle, self.unit(name).id, kind), caught.value
        return caught.value

    def watch(self, name: str, cycles: int = 0) -> Recording:
        """Run the timetable and return what the registers at a unit's position held."""
        position = self.unit(name).position
        self.machine.watch(position)
        self.run(cycles)
        return self.machine.recording(position)

    def copy(self, source: str, target: str, issue: int, *, stream: int = 0, read: dict, write: dict) -> int:
        """Issue a READ and the WRITE that takes its values; return the cycle of the WRITE."""
        distance = self.unit(target).position - self.unit(source).position
        direction = Direction.EAST if distance >= 0 else Direction.WEST
        arrival = issue + self.func("READ") + abs(distance) - self.skew("WRITE")
        self.at(issue, source, "READ", dir=direction, stream=stream, **read)
        self.at(arrival, target, "WRITE", dir=direction, stream=stream, **write)
        return arrival


def numbers(recording: Recording, cycle: int, direction: Direction, stream: int, dtype: type) -> npt.NDArray:
    """Return the vector of numbers on adjacent streams of a recording in one cycle."""
    size = np.dtype(dtype).itemsize
    assert recording.written[cycle, direction, stream : stream + size].all()
    held = recording.values[cycle, direction, stream : stream + size]
    return np.ascontiguousarray(held.T).view(np.dtype(dtype).newbyteorder("<"))[:, 0]
