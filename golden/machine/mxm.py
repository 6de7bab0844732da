"""An MXM plane."""

from types import SimpleNamespace

import numpy as np
import numpy.typing as npt

from arch.config import Config
from arch.faults import FaultKind
from arch.geometry import Unit
from arch.timing import timing
from golden.machine.engine import Engine
from golden.machine.fault_log import FaultLog
from golden.machine.icu import Issue
from golden.machine.latency import d_func, d_skew
from golden.machine.streams import Streams
from golden.machine.wheel import Wheel

Int8 = npt.NDArray[np.int8]
Int32 = npt.NDArray[np.int32]


class Plane:
    """One plane: weight buffer, array, accumulator memory, and an engine for each of its three queues.

    Attributes
    ----------
    buffer, weights : ndarray of int8, shape (vector_length, vector_length)
        Row n holds column n of the weights of machine.md, section 5: ``[n, k]``.
    accumulators : ndarray of int32, shape (acc_depth, vector_length)
    """

    def __init__(self, config: Config, streams: Streams, faults: FaultLog) -> None:
        self._config = config
        self._streams = streams
        self._faults = faults
        self._skew = {name: d_skew(config, name) for name in ("LW", "ABC", "ACC")}
        self._emit_after_take = d_func(config, "ACC") - self._skew["ACC"]
        # An ACC takes, d_skew after its issue, the result of the ABC that issued acc_after_abc before it.
        self._arrival_after_read = timing(config).acc_after_abc + self._skew["ACC"] - self._skew["ABC"]
        length = config.vector_length
        self.buffer: Int8 = np.zeros((length, length), np.int8)
        self.weights: Int8 = np.zeros((length, length), np.int8)
        # The same for NumPy's matrix product: every partial sum is an integer below 2**24, so binary32 is exact.
        self._factors = np.zeros((length, length), np.float32)
        self.accumulators: Int32 = np.zeros((config.acc_depth, length), np.int32)
        self._loading, self._activating, self._collecting = Engine(), Engine(), Engine()
        self._arriving: Wheel[npt.NDArray[np.float32]] = Wheel()
        self._load = (0, 0)
        self._results_queue = 0
        assert length * (1 << 14) < 1 << 24

    def reset(self) -> None:
        """Stop the engines and forget results under way; buffer, weights and accumulators stay."""
        for engine in (self._loading, self._activating, self._collecting):
            engine.reset()
        self._arriving.clear()
        self._load = (0, 0)

    @property
    def due(self) -> int:
        """Next cycle in which the plane does something."""
        return min(self._loading.due, self._activating.due, self._collecting.due, self._arriving.due)

    def attach(self, results: Unit) -> None:
        """Name the results queue, to which a result that nobody takes is reported."""
        self._results_queue = results.id

    def prepare(self, unit: Unit, mnemonic: str, fields: SimpleNamespace) -> Issue:
        """Return what an LW, ABC or ACC does at its issue; reports BUSY."""
        engine = {"LW": self._loading, "ABC": self._activating, "ACC": self._collecting}[mnemonic]
        skew = self._skew[mnemonic]
        interval = 1 if mnemonic == "LW" else fields.interval
        perform = {"LW": self._load_step, "ABC": self._activate, "ACC": self._accumulate}[mnemonic]
        direction = unit.inward if mnemonic == "ACC" else unit.outward
        fields.origin = self._streams.origin(direction, unit.position, fields.stream)
        fields.unit = unit.id

        def issue(cycle: int) -> None:
            if cycle < engine.free:
                self._faults.report(cycle, unit.id, FaultKind.BUSY, f"{mnemonic} before the last one's end")
                return
            engine.free = cycle + (fields.count - 1) * interval + 1
            missed = False
            if mnemonic == "LW":
                self._load = cycle, cycle + fields.count
            elif mnemonic == "ABC":
                missed = fields.install and self._load[0] < cycle < self._load[1]
            engine.start(cycle + skew, interval, fields.count, perform, fields, missed)

        return issue

    def step(self, cycle: int) -> None:
        """Perform the elements of `cycle`; reports OPERAND_MISSED and UNWRITTEN.

        Activations come before weights: an install at t meets the buffer without the load that issued at t.
        """
        for engine in (self._activating, self._loading, self._collecting):
            if engine.due == cycle:
                engine.perform(cycle)
        if self._arriving.due == cycle:
            self._arriving.take(cycle)
            self._miss(cycle, self._results_queue, "no ACC takes the result")

    def _miss(self, cycle: int, unit: int, detail: str) -> None:
        self._faults.report(cycle, unit, FaultKind.OPERAND_MISSED, detail)

    def _load_step(self, cycle: int, element: int, fields: SimpleNamespace, missed: bool) -> None:
        lanes = self._config.lanes
        first = lanes * (fields.count - 1 - element)
        columns = self._streams.read(cycle, fields.unit, fields.origin, lanes)
        self.buffer[first : first + lanes] = columns.view(np.int8)

    def _activate(self, cycle: int, element: int, fields: SimpleNamespace, missed: bool) -> None:
        if fields.install and element == 0:
            if missed:
                self._miss(cycle, fields.unit, "the weights are still being loaded")
            self.weights[:] = self.buffer
            self._factors[:] = self.buffer
        activations = self._streams.read(cycle, fields.unit, fields.origin, 1)[0].view(np.int8)
        self._arriving.add(cycle + self._arrival_after_read, self._factors @ activations.astype(np.float32))

    def _accumulate(self, cycle: int, element: int, fields: SimpleNamespace, missed: bool) -> None:
        if self._arriving.due != cycle:
            self._miss(cycle, fields.unit, "no result arrives")
            return
        total = self._arriving.take(cycle)[0].astype(np.int32)
        address = (fields.addr + element * fields.stride) % self._config.acc_depth
        if fields.add:
            total += self.accumulators[address]
        self.accumulators[address] = total
        if fields.emit:
            streams = total.view(np.uint8).reshape(-1, 4).T
            self._streams.drive(cycle + self._emit_after_take, fields.unit, fields.origin, streams)
