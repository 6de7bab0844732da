"""The SXM of one hemisphere."""

from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import numpy.typing as npt

from arch.config import Config
from arch.geometry import Unit, UnitKind
from arch.isa.codes import MAP_REGISTERS
from golden.machine import lane_moves
from golden.machine.event_queue import EventQueue
from golden.machine.lane_moves import LaneMap
from golden.machine.latency import d_func, d_skew
from golden.machine.streams import Streams
from golden.machine.word import Effect

Bytes = npt.NDArray[np.uint8]
_MAP_STREAMS = {UnitKind.SXM_PERMUTE: 2, UnitKind.SXM_DISTRIBUTE: 1}


class Switch:
    """All SXM queues of a hemisphere; map registers are all that is kept, from run to run too."""

    def __init__(self, config: Config, streams: Streams) -> None:
        self._config = config
        self._streams = streams
        self._reading: EventQueue[Callable[[int], None]] = EventQueue()
        self._maps = {kind: np.zeros((MAP_REGISTERS, config.vector_length), np.int64) for kind in _MAP_STREAMS}

    def reset(self) -> None:
        """Forget what is under way."""
        self._reading.clear()

    @property
    def due(self) -> int:
        """Next cycle in which an instruction reads its streams."""
        return self._reading.due

    def prepare(self, unit: Unit, mnemonic: str, fields: SimpleNamespace) -> Effect:
        """Return what an instruction does at its issue."""
        skew = d_skew(self._config, mnemonic)
        perform = self._loading(unit, fields) if mnemonic == "LOADMAP" else self._moving(unit, mnemonic, fields)
        return lambda cycle: self._reading.add(cycle + skew, perform)

    def step(self, cycle: int) -> None:
        """Perform the instructions that read in `cycle`; reports UNWRITTEN."""
        for perform in self._reading.take(cycle):
            perform(cycle)

    def _loading(self, unit: Unit, fields: SimpleNamespace) -> Callable[[int], None]:
        def perform(cycle: int) -> None:
            self._maps[unit.kind][fields.register, : fields.on] = self._map_of_streams(cycle, unit, fields)[: fields.on]

        return perform

    def _moving(self, unit: Unit, mnemonic: str, fields: SimpleNamespace) -> Callable[[int], None]:
        after = d_func(self._config, mnemonic) - d_skew(self._config, mnemonic)
        target = self._streams.origin(fields.dst_dir, unit.position, fields.dst)

        def perform(cycle: int) -> None:
            moved = self._moved(cycle, unit, mnemonic, fields)[:, : fields.on]
            self._streams.drive(cycle + after, unit.id, target, moved)

        return perform

    def _moved(self, cycle: int, unit: Unit, mnemonic: str, fields: SimpleNamespace) -> Bytes:
        lanes, length = self._config.lanes, self._config.vector_length
        if mnemonic == "TRANSPOSE":
            return lane_moves.transpose(self._fetch(cycle, unit, fields, fields.src_dir, fields.src, lanes))
        source = self._fetch(cycle, unit, fields, fields.src_dir, fields.src)
        match mnemonic:
            case "SHIFT":
                return lane_moves.shift(source, fields.amount, down=bool(fields.down))
            case "SELECT":
                low = self._fetch(cycle, unit, fields, fields.low_dir, fields.low)
                return lane_moves.select(source, low, fields.amount)
            case "ROTATE":
                return lane_moves.rotate(source, fields.size, lanes)
            case _:
                # A streamed map is read in the cycle of the operand; a register's was loaded by an earlier word.
                chosen = (
                    self._map_of_streams(cycle, unit, fields)
                    if fields.streamed
                    else self._maps[unit.kind][fields.register]
                )
                return lane_moves.gather(source, chosen, length if mnemonic == "PERMUTE" else lanes)

    def _map_of_streams(self, cycle: int, unit: Unit, fields: SimpleNamespace) -> LaneMap:
        return lane_moves.lane_map(
            self._fetch(cycle, unit, fields, fields.map_dir, fields.map, _MAP_STREAMS[unit.kind])
        )

    def _fetch(
        self, cycle: int, unit: Unit, fields: SimpleNamespace, direction: int, stream: int, size: int = 1
    ) -> Bytes:
        """Return adjacent streams, shape (size, vector_length); lanes that are off hold 0."""
        origin = self._streams.origin(direction, unit.position, stream)
        found = self._streams.read(cycle, unit.id, origin, size, fields.on)
        if fields.on < self._config.vector_length:
            # What was read is a view of the registers, on which other readers depend.
            found = found.copy()
            found[:, fields.on :] = 0
        return found
