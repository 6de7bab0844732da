"""The SXM of one hemisphere: shift, select and transpose."""

from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import numpy.typing as npt

from arch.config import Config
from arch.geometry import Unit
from golden.machine.icu import Issue
from golden.machine.latency import d_func, d_skew
from golden.machine.streams import Streams
from golden.machine.wheel import Wheel

Bytes = npt.NDArray[np.uint8]


class Switch:
    """All SXM queues of a hemisphere; nothing is kept from one instruction to the next."""

    def __init__(self, config: Config, streams: Streams) -> None:
        self._config = config
        self._streams = streams
        self._reading: Wheel[Callable[[int], None]] = Wheel()

    def reset(self) -> None:
        """Forget what is under way."""
        self._reading.clear()

    @property
    def due(self) -> int:
        """Next cycle in which an instruction reads its streams."""
        return self._reading.due

    def prepare(self, unit: Unit, mnemonic: str, fields: SimpleNamespace) -> Issue:
        """Return what a SHIFT, SELECT or TRANSPOSE does at its issue."""
        skew, func = d_skew(self._config, mnemonic), d_func(self._config, mnemonic)
        compute = {"SHIFT": self._shift, "SELECT": self._select, "TRANSPOSE": self._transpose}[mnemonic]
        target = self._streams.origin(fields.dst_dir, unit.position, fields.dst)

        def perform(cycle: int) -> None:
            self._streams.drive(cycle - skew + func, unit.id, target, compute(cycle, unit, fields))

        return lambda cycle: self._reading.add(cycle + skew, perform)

    def step(self, cycle: int) -> None:
        """Perform the instructions that read in `cycle`; reports UNWRITTEN."""
        for perform in self._reading.take(cycle):
            perform(cycle)

    def _fetch(self, cycle: int, unit: Unit, direction: int, stream: int, size: int = 1) -> Bytes:
        return self._streams.read(cycle, unit.id, self._streams.origin(direction, unit.position, stream), size)

    def _shift(self, cycle: int, unit: Unit, fields: SimpleNamespace) -> Bytes:
        source = self._fetch(cycle, unit, fields.src_dir, fields.src)
        result = np.zeros_like(source)
        amount, length = fields.amount, self._config.vector_length
        if fields.down:
            result[:, : length - amount] = source[:, amount:]
        else:
            result[:, amount:] = source[:, : length - amount]
        return result

    def _select(self, cycle: int, unit: Unit, fields: SimpleNamespace) -> Bytes:
        result = self._fetch(cycle, unit, fields.src_dir, fields.src).copy()
        low = self._fetch(cycle, unit, fields.low_dir, fields.low)
        result[:, : fields.amount] = low[:, : fields.amount]
        return result

    def _transpose(self, cycle: int, unit: Unit, fields: SimpleNamespace) -> Bytes:
        lanes = self._config.lanes
        source = self._fetch(cycle, unit, fields.src_dir, fields.src, lanes)
        tiles = source.reshape(lanes, self._config.superlanes, lanes)
        return np.ascontiguousarray(tiles.transpose(2, 1, 0)).reshape(lanes, -1)
