"""A program in which every unit acts on superlanes of its own, and what must come of it."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from arch.config import Config
from arch.formats import DType
from arch.geometry import Direction, units
from arch.image import Image, TensorMap
from arch.isa.codes import Source
from arch.isa.encoding import encode
from arch.isa.timeline import queue_words
from arch.timing import timing

Bytes = npt.NDArray[np.uint8]

_ISSUE = 60
_OLD = 32
"""Address of results, in every slice that takes some; operands are at addresses from 0 up."""
_EAST, _WEST = Direction.EAST, Direction.WEST


@dataclass
class Kept:
    """What outlasts a program: weights on their way and installed, ``[row, column]``, and a held ALU result."""

    buffer: npt.NDArray[np.int8]
    weights: npt.NDArray[np.int8]
    held: Bytes

    @classmethod
    def at_power_up(cls, config: Config) -> "Kept":
        """Return zeros."""
        length = config.vector_length
        matrix = np.zeros((length, length), np.int8)
        return cls(matrix, matrix.copy(), np.zeros(length, np.uint8))


class LimitedProgram:
    """READ, ADD to the held result, WRITE; READ, SHIFT, WRITE; LW, ABC, ACC, WRITE: each after a CONFIG of its queue.

    Parameters
    ----------
    config
    rng
        For vectors and superlanes.
    kept
        What the program before left; brought up to date.

    Attributes
    ----------
    expected : ndarray of uint8, shape (results, vector_length)
        Output ``results`` of `image`, from machine.md, 3.10.
    """

    def __init__(self, config: Config, rng: np.random.Generator, kept: Kept) -> None:
        self._config = config
        self._rng = rng
        self._units = {unit.name: unit for unit in units(config)}
        self._times = timing(config)
        self._timelines: dict[int, dict[int, int]] = {}
        self._constants: list[tuple[int, int, Bytes]] = []
        self._sinks: list[int] = []
        results = [*self._held_sum(kept), *self._shift(), *self._product(kept)]
        self.expected = np.array(results)

    def image(self) -> Image:
        """Return the program."""
        shape = (len(self._sinks), self._config.vector_length)
        index = np.arange(shape[0] * shape[1], dtype=np.int32).reshape(shape)
        addrs = np.full(shape[0], _OLD, np.int32)
        slices, places, words = zip(*self._constants, strict=True)
        return Image(
            config=self._config,
            queues={queue: np.array(queue_words(line.items()), np.uint64) for queue, line in self._timelines.items()},
            constant_slices=np.array(slices, np.int32),
            constant_addrs=np.array(places, np.int32),
            constant_words=np.array(words),
            inputs=(),
            outputs=(TensorMap("results", "int8", shape, np.array(self._sinks, np.int32), addrs, index),),
            cycles=0,
        )

    def _vectors(self, count: int) -> Bytes:
        return self._rng.integers(0, 256, (count, self._config.vector_length), np.uint8)

    def _issue(self, name: str, cycle: int, mnemonic: str, **fields: int) -> npt.NDArray[np.bool_]:
        """Add a word after a CONFIG; return the lanes that it acts on."""
        superlanes = int(self._rng.integers(1, self._config.superlanes + 1))
        line = self._timelines.setdefault(self._units[name].id, {})
        assert cycle not in line and cycle - 1 not in line
        line[cycle - 1] = encode("CONFIG", superlanes=superlanes)
        line[cycle] = encode(mnemonic, **fields)
        return np.arange(self._config.vector_length) < superlanes * self._config.lanes

    def _read(self, name: str, unit: str, cycle: int, direction: Direction, stream: int, data: Bytes) -> Bytes:
        """Let a slice send vectors that are at a unit from `cycle` on; return what comes."""
        source = self._units[name]
        self._constants += [(source.id, addr, vector) for addr, vector in enumerate(data)]
        way = abs(source.position - self._units[unit].position) + (self._times["READ"].d_func or 0)
        on = self._issue(name, cycle - way, "READ", dir=direction, stream=stream, stride=1, count=len(data), interval=1)
        return np.where(on, data, np.uint8(0))

    def _write(self, name: str, unit: str, cycle: int, direction: Direction, stream: int, data: Bytes) -> Bytes:
        """Let a slice take a vector that a unit drives in `cycle`; return what it holds afterwards."""
        sink = self._units[name]
        (old,) = self._vectors(1)
        self._constants.append((sink.id, _OLD, old))
        self._sinks.append(sink.id)
        issue = cycle + abs(sink.position - self._units[unit].position) - (self._times["WRITE"].d_skew or 0)
        on = self._issue(name, issue, "WRITE", dir=direction, stream=stream, addr=_OLD, count=1, interval=1)
        return np.where(on, data, old)

    def _held_sum(self, kept: Kept) -> list[Bytes]:
        (vector,) = self._read("MEM_W5", "VXM_1", _ISSUE + 1, _EAST, 1, self._vectors(1))
        fields = {"dtype": DType.INT8, "out_dtype": DType.INT8, "drive": 1, "dst_dir": _EAST, "dst": 2}
        places = {"a_src": Source.STREAM, "a_dir": _EAST, "a_index": 1, "b_src": Source.SELF}
        on = self._issue("VXM_1", _ISSUE, "ADD", **fields, **places)
        kept.held = np.where(on, vector + kept.held, kept.held)
        driven = np.where(on, kept.held, np.uint8(0))
        return [self._write("MEM_E2", "VXM_1", _ISSUE + (self._times["ADD"].d_func or 0), _EAST, 2, driven)]

    def _shift(self) -> list[Bytes]:
        unit, length = "SXM_E.SHIFT1", self._config.vector_length
        amount, down = int(self._rng.integers(length)), int(self._rng.integers(2))
        (vector,) = self._read("MEM_E0", unit, _ISSUE + 1, _EAST, 5, self._vectors(1))
        places = {"src_dir": _EAST, "src": 5, "dst_dir": _WEST, "dst": 6}
        on = self._issue(unit, _ISSUE, "SHIFT", amount=amount, down=down, **places)
        seen = np.where(on, vector, np.uint8(0))
        nothing = np.zeros(amount, np.uint8)
        moved = np.concatenate([seen[amount:], nothing] if down else [nothing, seen[: length - amount]])
        due = _ISSUE + (self._times["SHIFT"].d_func or 0)
        return [self._write("MEM_E1", unit, due, _WEST, 6, np.where(on, moved, np.uint8(0)))]

    def _product(self, kept: Kept) -> list[Bytes]:
        lanes, blocks = self._config.lanes, self._config.superlanes
        for stream in range(lanes):
            # Steps go to column blocks from the last one down.
            data = self._vectors(blocks)
            came = self._read(f"MEM_W{stream}", "MXM_W0.W", _ISSUE + 1, _WEST, stream, data)
            kept_columns = kept.buffer[:, stream::lanes]
            kept_columns[:] = np.where(self._loaded(stream)[:, None], came[::-1].T.view(np.int8), kept_columns)
        abc = _ISSUE + blocks + 3
        (vector,) = self._read("MEM_W4", "MXM_W0.A", abc + 1, _WEST, 9, self._vectors(1))
        on = self._issue("MXM_W0.A", abc, "ABC", stream=9, install=1, count=1, interval=1)
        kept.weights = np.where(on[:, None], kept.buffer, kept.weights)
        sums = np.where(on, vector.view(np.int8), np.int8(0)).astype(np.int32) @ kept.weights.astype(np.int32)
        acc = abc + self._times.acc_after_abc
        on = self._issue("MXM_W0.R", acc, "ACC", emit=1, stream=12, count=1, interval=1)
        streams = np.where(on, sums, 0).astype("<i4").view(np.uint8).reshape(-1, 4).T
        due = acc + (self._times["ACC"].d_func or 0)
        return [
            self._write(f"MEM_W{byte}", "MXM_W0.R", due, _EAST, 12 + byte, data) for byte, data in enumerate(streams)
        ]

    def _loaded(self, stream: int) -> npt.NDArray[np.bool_]:
        """Add LW with the first stream; return the rows that it fills."""
        if stream == 0:
            self._rows = self._issue("MXM_W0.W", _ISSUE, "LW", stream=0, count=self._config.superlanes)
        return self._rows
