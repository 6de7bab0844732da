"""The machine."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from arch.config import Config
from arch.errors import TaktError
from arch.faults import Fault, FaultError, FaultKind
from arch.geometry import Direction, Hemisphere, UnitKind, positions, units
from arch.image import Image
from golden.machine.ecc import EccState, Flips
from golden.machine.event_queue import NEVER
from golden.machine.fault_log import FaultLog
from golden.machine.fetch import FetchPorts
from golden.machine.icu import Executor, InstructionControl
from golden.machine.mem import Memory
from golden.machine.mxm import Plane
from golden.machine.recording import Recording
from golden.machine.result import ImageResult
from golden.machine.streams import OUTSIDE, Streams
from golden.machine.sxm import Switch
from golden.machine.vxm import Vxm

Bytes = npt.NDArray[np.uint8]


class Machine:
    """A machine at power-up: every memory zero, every queue empty.

    Cycles are those of tile 0 (docs/machine.md, section 1). Memories, weights and held ALU results survive from run to
    run, and so do the queues' words: `run` may be called again. A fault is sticky until `load`, `set_queues` or
    `clear`.

    Parameters
    ----------
    config : Config

    Attributes
    ----------
    fault : Fault or None
        The violation that stopped the machine.
    """

    def __init__(self, config: Config) -> None:
        self.config = config
        self.fault: Fault | None = None
        self._units = units(config)
        self._faults = FaultLog(config)
        self._streams = Streams(config, self._faults)
        self._memory = Memory(config, self._streams, self._faults)
        self._vxm = Vxm(config, self._streams, self._faults)
        self._planes = [Plane(config, self._streams, self._faults) for _ in range(config.planes)]
        if config.planes_per_hemisphere > 1:
            for first, second in zip(self._planes[::2], self._planes[1::2], strict=True):
                first.pair_with(second)
        self._switches = [Switch(config, self._streams) for _ in Hemisphere]
        self._control = InstructionControl(config, self._executor_by_queue(), self._faults)
        self._fetch = FetchPorts(config, self._streams, self._faults, self._control.append)
        self._control.attach(self._fetch)
        self._executors: tuple[Executor, ...] = (self._memory, *self._planes, self._vxm, *self._switches, self._fetch)
        self._injections: list[tuple[int, tuple[int, int], Bytes, Mapping[int, Flips]]] = []

    def _executor_by_queue(self) -> dict[int, Executor]:
        found: dict[int, Executor] = {}
        for unit in self._units:
            if unit.kind is UnitKind.MEM:
                found[unit.id] = self._memory
            elif unit.kind is UnitKind.VXM:
                found[unit.id] = self._vxm
            elif unit.hemisphere is not None and unit.kind.value.startswith("MXM"):
                plane = self._planes[unit.hemisphere * self.config.planes_per_hemisphere + unit.index]
                found[unit.id] = plane
                plane.attach(unit)
            elif unit.hemisphere is not None and unit.kind.value.startswith("SXM"):
                found[unit.id] = self._switches[unit.hemisphere]
        return found

    # Programs

    def load(self, image: Image) -> None:
        """Fill the queues with an image's program and write its constants to MEM.

        Raises
        ------
        TaktError
            When the image is for another machine.
        FaultError
            OVERRUN, when a queue gets more words than it holds.
        """
        image.check_machine(self.config)
        self.set_queues(image.queues)
        self.write(image.constant_slices, image.constant_addrs, image.constant_words)

    def set_queues(self, queues: Mapping[int, Iterable[int]]) -> None:
        """Empty every queue, clear the fault, and fill queues with words, by queue number.

        Raises
        ------
        TaktError
            For a queue that the machine does not have.
        FaultError
            OVERRUN at cycle 0, for the lowest queue that gets more words than it holds.
        """
        self.clear()
        programs = {int(queue): [int(word) for word in words] for queue, words in queues.items()}
        for queue, words in sorted(programs.items()):
            if not 0 <= queue < len(self._units):
                raise TaktError(f"queue must be 0 to {len(self._units) - 1}, not {queue}")
            if len(words) > self.config.queue_depth:
                detail = f"{len(words)} words for {self.config.queue_depth}"
                self._faults.report(0, queue, FaultKind.OVERRUN, detail)
        if self._faults.due != NEVER:
            self._stop()
        self._control.fill(programs)

    def clear(self) -> None:
        """Empty every queue, clear the fault and the ECC registers."""
        self.fault = None
        self._faults.clear()
        self._streams.ecc.clear()
        self._control.fill({})

    def run(self, cycles: int = 0, limit: int = NEVER) -> int:
        """Run the queues from their first words.

        Parameters
        ----------
        cycles : int
            Go on for at least so many cycles; only recordings show it.
        limit : int
            Give up in the first later cycle in which something happens: text that fetches itself has no end.

        Returns
        -------
        int
            The program's cycle count (docs/machine.md, 1.3), or a larger number than `limit`.

        Raises
        ------
        FaultError
            For the first violation, or while an earlier one is not cleared.
        """
        if self.fault is not None:
            raise FaultError(self.fault, self._units[self.fault.unit].name)
        self._start()
        control, streams, executors = self._control, self._streams, self._executors
        faults = self._faults
        cycle = 0
        with np.errstate(all="ignore"):
            while True:
                # From one cycle with something to do to the next: idle cycles, which most are, cost nothing.
                due = min(control.due, streams.due, faults.due, *[unit.due for unit in executors])
                end = max(control.end, cycles)
                # What would come later, such as values that still travel, is no part of the run.
                if due >= end and control.due == NEVER:
                    due = end
                # A bench compares the registers of every cycle, so those that are passed over are recorded too.
                if streams.watching:
                    for passed in range(cycle, due):
                        streams.advance(passed)
                if due == end and control.due == NEVER:
                    streams.ecc.settle(due)
                    return control.end
                if due > limit:
                    return due
                # Order within a cycle: values come onto registers, then words issue, then elements are performed.
                # Everything that an issue or an element causes lies in a later cycle, or in its own unit's engine, so
                # the order of units means nothing.
                streams.advance(due)
                if control.due == due:
                    control.step(due)
                for unit in executors:
                    if unit.due == due:
                        unit.step(due)
                # Only now: of several violations of a cycle the lowest queue's counts, whoever came first here.
                if faults.due <= due:
                    self._stop()
                cycle = due + 1

    def run_image(self, image: Image, inputs: Mapping[str, npt.NDArray[Any]], *, again: bool = False) -> ImageResult:
        """Load an image, write its inputs, run it, and read its outputs.

        Parameters
        ----------
        image : Image
        inputs : mapping of str to ndarray
            One that the program does not read, which has no word in MEM, may be left out.
        again : bool
            Leave MEM as the last run left it, states included: fill the queues only.

        Raises
        ------
        TaktError
            For an input that is missing, unknown, or of another shape or dtype; and as `load` and `run` do.
        """
        names = {tensor.name for tensor in image.inputs}
        if not {tensor.name for tensor in image.inputs if tensor.slices.size} <= set(inputs) <= names:
            raise TaktError(f"inputs must be {sorted(names)}, not {sorted(inputs)}")
        if again:
            image.check_machine(self.config)
            self.set_queues(image.queues)
        else:
            self.load(image)
        for tensor in image.inputs:
            if tensor.name in inputs:
                self.write(tensor.slices, tensor.addrs, tensor.pack(inputs[tensor.name]))
        cycles = self.run()
        outputs = {tensor.name: tensor.unpack(self.read(tensor.slices, tensor.addrs)) for tensor in image.outputs}
        return ImageResult(outputs, cycles)

    def _start(self) -> None:
        self._streams.reset()
        for unit in self._executors:
            unit.reset()
        self._streams.start_recordings()
        self._control.start()
        for cycle, origin, vectors, flips in self._injections:
            self._streams.drive(cycle, OUTSIDE, origin, vectors, flips)

    def _stop(self) -> None:
        error = self._faults.error()
        self.fault = error.fault
        self._streams.ecc.settle(error.fault.cycle)
        raise error

    # State

    def write(self, slices: npt.ArrayLike, addrs: npt.ArrayLike, words: npt.NDArray[Any]) -> None:
        """Write MEM words.

        Parameters
        ----------
        slices, addrs : array_like of int, shape (n,)
            Chip-wide slice numbers, and addresses below ``2 * mem_depth``.
        words : ndarray of uint8 or int8, shape (n, vector_length)
        """
        values = np.asarray(words)
        if values.dtype not in (np.uint8, np.int8):
            raise TaktError(f"MEM words must be uint8 or int8, not {values.dtype}")
        rows = self._rows(slices, addrs)
        self._memory.words[rows] = values.view(np.uint8)
        # The host writes whole code words: what was flipped there is gone.
        for row in self._memory.flips.keys() & rows.tolist():
            del self._memory.flips[row]

    def read(self, slices: npt.ArrayLike, addrs: npt.ArrayLike) -> Bytes:
        """Return MEM words, shape (n, vector_length), of slices and addresses of shape (n,)."""
        words: Bytes = self._memory.words[self._rows(slices, addrs)]
        return words

    def flip(self, slice_: int, addr: int, superlane: int, bit: int) -> None:
        """Flip a bit of a stored MEM word.

        Parameters
        ----------
        slice_, addr, superlane : int
        bit : int
            Of the superlane's code word: data bits from 0 (lane 0) on, then check bits (`arch.ecc`).
        """
        if not self.config.ecc:
            raise TaktError(f"bits can be flipped in a machine with ecc only, not in {self.config.name}")
        if not 0 <= bit < self.config.stream_bits:
            raise TaktError(f"bit must be 0 to {self.config.stream_bits - 1}, not {bit!r}")
        if not 0 <= superlane < self.config.superlanes:
            raise TaktError(f"superlane must be 0 to {self.config.superlanes - 1}, not {superlane!r}")
        row = int(self._rows([slice_], [addr])[0])
        flips = dict(self._memory.flips.get(row, {}))
        # Two flips of a bit undo each other.
        flips[superlane] = flips.get(superlane, 0) ^ 1 << bit
        self._memory.flips[row] = {place: mask for place, mask in flips.items() if mask}

    @property
    def ecc(self) -> EccState:
        """The ECC registers."""
        return self._streams.ecc.state

    def _rows(self, slices: npt.ArrayLike, addrs: npt.ArrayLike) -> npt.NDArray[np.int64]:
        numbers, places = np.asarray(slices, np.int64), np.asarray(addrs, np.int64)
        size = 2 * self.config.mem_depth
        for name, values, limit in (("slice", numbers, self.config.slices), ("address", places, size)):
            wrong = values[(values < 0) | (values >= limit)]
            if wrong.size:
                raise TaktError(f"MEM {name} must be 0 to {limit - 1}, not {int(wrong.flat[0])}")
        return numbers * size + places

    def mem(self, number: int) -> Bytes:
        """Return a view of a slice's words, shape (2 * mem_depth, vector_length), by chip-wide slice number."""
        size = 2 * self.config.mem_depth
        return self._memory.words[number * size : (number + 1) * size]

    def accumulators(self, plane: int) -> npt.NDArray[np.int32]:
        """Return a view of a plane's accumulator memory, shape (acc_depth, vector_length); planes count west first."""
        return self._planes[plane].accumulators

    def buffer(self, plane: int) -> npt.NDArray[np.int8]:
        """Return a view of a plane's weight buffer, shape (vector_length, vector_length), ``[row k, column n]``."""
        return self._planes[plane].buffer.T

    def weights(self, plane: int) -> npt.NDArray[np.int8]:
        """Return a view of a plane's installed weights, shape (vector_length, vector_length), ``[row k, column n]``."""
        return self._planes[plane].weights.T

    def held(self, alu: int) -> npt.NDArray[np.uint32]:
        """Return an ALU's last result, shape (vector_length,)."""
        return self._vxm.held(alu)

    # Unit benches

    @property
    def corrected(self) -> list[tuple[int, int, int]]:
        """Cycle, queue and superlane of every corrected read of the last run, in the superlane's own time."""
        return self._streams.ecc.corrected

    def inject(
        self,
        cycle: int,
        position: int,
        direction: Direction,
        stream: int,
        vectors: npt.ArrayLike,
        flips: Mapping[int, Flips] | None = None,
    ) -> None:
        """Let vectors appear on adjacent registers in `cycle` of every run, as if produced there.

        Parameters
        ----------
        cycle, position : int
        direction : Direction
        stream : int
            First stream.
        vectors : array_like of uint8, shape (size, vector_length)
        flips : mapping of int to Flips
            Flipped bits of those vectors that have some, by number.
        """
        data = np.array(vectors, dtype=np.uint8, ndmin=2)
        if not (data.ndim == 2 and data.shape[1] == self.config.vector_length and len(data)):
            raise TaktError(f"vectors must have the shape (n, {self.config.vector_length}), not {data.shape!r}")
        if not 0 <= stream <= self.config.streams - len(data):
            raise TaktError(f"stream must be 0 to {self.config.streams - len(data)}, not {stream!r}")
        self._check_position(position)
        self._injections.append((cycle, self._streams.origin(direction, position, stream), data, flips or {}))

    def clear_injections(self) -> None:
        """Forget every injected value."""
        self._injections.clear()

    def watch(self, position: int) -> None:
        """Record a position's stream registers in every run from now on."""
        self._check_position(position)
        self._streams.watch(position)

    def recording(self, position: int) -> Recording:
        """Return what a watched position held in the last run, up to its end or fault."""
        return self._streams.recording(position)

    def _check_position(self, position: int) -> None:
        if not 0 <= position < positions(self.config):
            raise TaktError(f"position must be 0 to {positions(self.config) - 1}, not {position!r}")
