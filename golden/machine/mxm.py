"""An MXM plane."""

from types import SimpleNamespace

import numpy as np
import numpy.typing as npt

from arch.config import Config
from arch.faults import FaultKind
from arch.formats import DType
from arch.geometry import Unit, UnitKind
from arch.timing import timing
from golden.machine.engine import Engine
from golden.machine.event_queue import EventQueue
from golden.machine.fault_log import FaultLog
from golden.machine.latency import d_func, d_skew
from golden.machine.streams import Streams
from golden.machine.word import Effect
from golden.numerics.floating import FLOAT
from golden.numerics.fp16_matrix import Fp16Matrix

Int8 = npt.NDArray[np.int8]
Int32 = npt.NDArray[np.int32]


class Plane:
    """One plane: weight buffer, array, accumulator memory, and an engine for each of its three queues.

    The first plane of a pair has the pair's fp16 weights too.

    Attributes
    ----------
    buffer, weights : ndarray of int8, shape (vector_length, vector_length)
        Row n holds column n of the weights of machine.md, section 5: ``[n, k]``.
    accumulators : ndarray of int32, shape (acc_depth, vector_length)
        Of fp32 sums the bit patterns.
    """

    def __init__(self, config: Config, streams: Streams, faults: FaultLog) -> None:
        self._config = config
        self._streams = streams
        self._faults = faults
        self._skew = {name: d_skew(config, name) for name in ("LW", "ABC", "ACC")}
        self._emit_after_take = d_func(config, "ACC") - self._skew["ACC"]
        # An ACC takes, d_skew after its issue, the result of the ABC that issued acc_after_abc before it.
        skews = self._skew["ACC"] - self._skew["ABC"]
        self._arrival_after_read = timing(config).acc_after_abc + skews
        self._fp16_arrival_after_read = timing(config).acc_after_fp16_abc + skews
        length = config.vector_length
        self.buffer: Int8 = np.zeros((length, length), np.int8)
        self.weights: Int8 = np.zeros((length, length), np.int8)
        # The same for NumPy's matrix product: every partial sum is an integer below 2**24, so fp32 is exact.
        self._factors = np.zeros((length, length), np.float32)
        self.accumulators: Int32 = np.zeros((config.acc_depth, length), np.int32)
        self._loading, self._activating, self._collecting = Engine(), Engine(), Engine()
        self._arriving: EventQueue[npt.NDArray[np.float32]] = EventQueue()
        self._load = (0, 0)
        self._queues: dict[UnitKind, int] = {}
        # In a pair: the other plane; in its first plane, the fp16 weights, and the last fp16 burst.
        self._first: Plane | None = None
        self._second: Plane | None = None
        self._fp16_columns = np.zeros((length, length), np.float16)
        self._fp16_weights = Fp16Matrix(self._fp16_columns)
        self._fp16_arriving: EventQueue[npt.NDArray[np.uint32]] = EventQueue()
        self._fp16_burst = (0, 0)
        assert length * (1 << 14) < 1 << 24

    def reset(self) -> None:
        """Stop the engines and forget results under way; buffer, weights and accumulators stay."""
        for engine in (self._loading, self._activating, self._collecting):
            engine.reset()
        self._arriving.clear()
        self._load = (0, 0)
        self._fp16_arriving.clear()
        self._fp16_burst = (-1, 0)

    @property
    def due(self) -> int:
        """Next cycle in which the plane does something."""
        arriving = min(self._arriving.due, self._fp16_arriving.due)
        return min(self._loading.due, self._activating.due, self._collecting.due, arriving)

    def attach(self, unit: Unit) -> None:
        """Name one of the plane's queues, to which faults may be reported that another one causes."""
        self._queues[unit.kind] = unit.id

    def pair_with(self, second: "Plane") -> None:
        """Make this the first plane of a pair."""
        self._second = second
        second._first = self

    def prepare(self, unit: Unit, mnemonic: str, fields: SimpleNamespace) -> Effect:
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
            if mnemonic == "ABC" and not self._occupy(cycle, unit.id, fields):
                return
            missed = False
            if mnemonic == "LW":
                self._load = cycle, cycle + fields.count
            elif mnemonic == "ABC":
                missed = fields.install and any(
                    plane._load[0] < cycle < plane._load[1] for plane in self._planes_of(fields)
                )
            engine.start(cycle + skew, interval, fields.count, perform, fields, missed)

        return issue

    def _planes_of(self, fields: SimpleNamespace) -> list["Plane"]:
        """Return the planes whose buffers an ABC installs."""
        return [self, self._second] if fields.dtype == DType.FP16 and self._second else [self]

    def _occupy(self, cycle: int, unit: int, fields: SimpleNamespace) -> bool:
        """Reserve the arrays of the pair for an ABC; reports BUSY and returns False where the other queue has them."""
        if fields.dtype == DType.FP16:
            # The last element occupies the arrays for two cycles, where any other takes one.
            self._activating.free += 1
            self._fp16_burst = cycle, self._activating.free
            if self._second and cycle < self._second._activating.free:
                self._faults.report(cycle, unit, FaultKind.BUSY, "an ABC of the pair's other plane runs")
                return False
        elif self._first:
            start, end = self._first._fp16_burst
            if cycle == start:
                fp16 = self._first._queues[UnitKind.MXM_ACTIVATIONS]
                self._faults.report(cycle, fp16, FaultKind.BUSY, "an ABC of the pair's other plane issues too")
                return False
            if cycle < end:
                self._faults.report(cycle, unit, FaultKind.BUSY, "an fp16 ABC of the pair runs")
                return False
        return True

    def step(self, cycle: int) -> None:
        """Perform the elements of `cycle`; reports OPERAND_MISSED and UNWRITTEN.

        Activations come before weights: an install at t meets the buffer without the load that issued at t.
        """
        for engine in (self._activating, self._loading, self._collecting):
            if engine.due == cycle:
                engine.perform(cycle)
        for results in (self._arriving, self._fp16_arriving):
            if results.due == cycle:
                results.take(cycle)
                self._miss(cycle, self._queues[UnitKind.MXM_RESULTS], "no ACC takes the result")

    def _miss(self, cycle: int, unit: int, detail: str) -> None:
        self._faults.report(cycle, unit, FaultKind.OPERAND_MISSED, detail)

    def _load_step(self, cycle: int, element: int, fields: SimpleNamespace, missed: bool) -> None:
        lanes = self._config.lanes
        # The step that comes first ends up in the highest columns.
        first = lanes * (fields.count - 1 - element)
        columns = self._streams.read(cycle, fields.unit, fields.origin, lanes, fields.on)
        self.buffer[first : first + lanes, : fields.on] = columns[:, : fields.on].view(np.int8)

    def _activate(self, cycle: int, element: int, fields: SimpleNamespace, missed: bool) -> None:
        install = fields.install and element == 0
        if install and missed:
            self._miss(cycle, fields.unit, "the weights are still being loaded")
        if fields.dtype == DType.FP16:
            self._activate_fp16(cycle, fields, install)
            return
        if install:
            self.weights[:, : fields.on] = self.buffer[:, : fields.on]
            self._factors[:, : fields.on] = self.buffer[:, : fields.on]
        vector = self._streams.read(cycle, fields.unit, fields.origin, 1, fields.on)[0]
        activations = vector.view(np.int8).astype(np.float32)
        activations[fields.on :] = 0
        # The sum is made at once; an ACC must be there in the very cycle in which it leaves the array.
        self._arriving.add(cycle + self._arrival_after_read, self._factors @ activations)

    def _activate_fp16(self, cycle: int, fields: SimpleNamespace, install: bool) -> None:
        assert self._second is not None
        if install:
            self._fp16_columns[:, : fields.on] = _fp16_of(self.buffer, self._second.buffer)[:, : fields.on]
            self._fp16_weights = Fp16Matrix(self._fp16_columns)
        low, high = self._streams.read(cycle, fields.unit, fields.origin, 2, fields.on)
        activations = _fp16_of(low, high)
        activations[fields.on :] = 0
        result = self._fp16_weights.product(activations)
        self._fp16_arriving.add(cycle + self._fp16_arrival_after_read, result)

    def _accumulate(self, cycle: int, element: int, fields: SimpleNamespace, missed: bool) -> None:
        arriving = self._fp16_arriving if fields.float else self._arriving
        if arriving.due != cycle:
            self._miss(cycle, fields.unit, "no result arrives")
            return
        address = (fields.addr + element * fields.stride) % self._config.acc_depth
        if fields.float:
            total = self._fp16_arriving.take(cycle)[0].view(np.int32)
            if fields.add:
                before = self.accumulators[address].view(np.uint32)
                total = FLOAT["ADD"](before, total.view(np.uint32)).view(np.int32)
        else:
            total = self._arriving.take(cycle)[0].astype(np.int32)
            if fields.add:
                total += self.accumulators[address]
        self.accumulators[address, : fields.on] = total[: fields.on]
        if fields.emit:
            streams = total[: fields.on].view(np.uint8).reshape(-1, 4).T
            self._streams.drive(cycle + self._emit_after_take, fields.unit, fields.origin, streams)


def _fp16_of(low: npt.NDArray[np.generic], high: npt.NDArray[np.generic]) -> npt.NDArray[np.float16]:
    """Return fp16 numbers of which low and high bytes are given, in the same shape."""
    numbers = low.view(np.uint8).astype(np.uint16) | high.view(np.uint8).astype(np.uint16) << 8
    return numbers.view(np.float16)
