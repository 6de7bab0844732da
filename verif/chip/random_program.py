"""Random legal programs that use every unit, grown word by word on the golden machine."""

import random
from collections.abc import Iterator

import numpy as np

from arch.config import Config
from arch.errors import TaktError
from arch.faults import FaultError
from arch.formats import DType
from arch.geometry import Direction, Unit, UnitKind, positions, units
from arch.image import Image, TensorMap
from arch.isa.codes import Relation, Source
from arch.isa.encoding import encode, illegality
from arch.isa.mem_rows import gather_accesses, scatter_accesses
from arch.isa.table import instructions_of
from arch.isa.timeline import queue_words
from arch.timing import timing
from golden.machine.machine import Machine

Proposal = list[tuple[Unit, int, int]]
"""Words that come together: unit, cycle of issue, word."""

_KINDS = (
    UnitKind.MEM,
    UnitKind.VXM,
    UnitKind.MXM_WEIGHTS,
    UnitKind.MXM_ACTIVATIONS,
    UnitKind.SXM_SHIFT,
    UnitKind.SXM_PERMUTE,
    UnitKind.SXM_DISTRIBUTE,
    UnitKind.SXM_ROTATE,
    UnitKind.SXM_TRANSPOSE,
)


class RandomProgram:
    """A program that grows by proposals, of which only those stay that break no rule.

    Parameters
    ----------
    config
    seed
        Of everything random in it.

    Attributes
    ----------
    refused : Proposal or None
        The last proposal that broke a rule.
    """

    def __init__(self, config: Config, seed: int) -> None:
        self._config = config
        self._random = random.Random(seed)
        self._timing = timing(config)
        self._units = units(config)
        self._timelines: dict[int, dict[int, int]] = {}
        self._contents = np.random.default_rng(seed).integers(
            0, 256, (config.slices, 8, config.vector_length), np.uint8
        )
        self._contents[:, ::2] &= 7
        # Lane maps of lanes that exist: low bytes in one half of the slices, high bytes in the other.
        self._contents[::2, 3] %= config.vector_length
        self._contents[1::2, 3] = 0
        self._other_positions = {u.position for u in self._units if u.kind is not UnitKind.MEM and u.kind in _KINDS}
        self._written = self._live()
        self.refused: Proposal | None = None

    def grow(self, proposals: int) -> None:
        """Try so many proposals."""
        for _ in range(proposals):
            proposal = self._propose()
            if not proposal or any(cycle < 0 for _, cycle, _ in proposal):
                continue
            before = {queue: dict(timeline) for queue, timeline in self._timelines.items()}
            taken = False
            for unit, cycle, word in proposal:
                taken |= cycle in self._timelines.setdefault(unit.id, {})
                self._timelines[unit.id][cycle] = word
            try:
                if taken:
                    raise TaktError("issue slot taken")
                self._written = self._live()
            except TaktError as error:
                if isinstance(error, FaultError):
                    self.refused = proposal
                self._timelines = before

    def image(self, spoilt: bool = False) -> Image:
        """Return the program; `spoilt` adds the last proposal that broke a rule."""
        timelines = {queue: dict(timeline) for queue, timeline in self._timelines.items()}
        if spoilt and self.refused:
            for unit, cycle, word in self.refused:
                timelines.setdefault(unit.id, {})[cycle] = word
        queues = {
            queue: np.array(queue_words(timeline.items()), np.uint64)
            for queue, timeline in timelines.items()
            if timeline
        }
        slices, addrs = np.divmod(np.arange(self._contents.shape[0] * 8, dtype=np.int32), 8)
        return Image(
            config=self._config,
            queues=queues,
            constant_slices=slices,
            constant_addrs=addrs,
            constant_words=self._contents.reshape(-1, self._config.vector_length),
            inputs=(),
            outputs=(self._all_written_words(),),
            cycles=200,
        )

    def _all_written_words(self) -> TensorMap:
        """Map a tensor onto every MEM word that may have been written."""
        depth = 2 * self._config.mem_depth
        places = sorted({(s, a % depth) for s in range(self._config.slices) for a in (*range(-4, 16), depth // 2)})
        slices, addrs = (np.array(column, np.int32) for column in zip(*places, strict=True))
        length = self._config.vector_length
        index = np.arange(len(places) * length, dtype=np.int32).reshape(-1, length)
        return TensorMap("mem", "int8", (len(places), length), slices, addrs, index)

    def _live(self) -> list[tuple[int, int, int, int]]:
        """Run on the golden machine; return (position, cycle, direction, stream) of every value on a register."""
        machine = Machine(self._config)
        image = self.image() if self._timelines else None
        for position in range(positions(self._config)):
            machine.watch(position)
        if image is None:
            return []
        machine.load(image)
        machine.run()
        found = []
        for position in range(positions(self._config)):
            for cycle, direction, stream in np.argwhere(machine.recording(position).written):
                found.append((position, int(cycle), int(direction), int(stream)))
        return found

    def _propose(self) -> Proposal:
        if self._timelines and self._random.random() < 0.1:
            return self._limit()
        if not self._written or self._random.random() < 0.3:
            return self._read()
        # Values pass many MEM slices on their way to the few other units.
        elsewhere = [value for value in self._written if value[0] in self._other_positions]
        return self._consume(
            *self._random.choice(elsewhere if elsewhere and self._random.random() < 0.6 else self._written)
        )

    def _limit(self) -> Proposal:
        """Let some words of a queue act on fewer superlanes."""
        queue = self._random.choice(sorted(self._timelines))
        issue = self._random.choice(sorted(self._timelines[queue]) or [1])
        word = encode("CONFIG", superlanes=self._random.randint(1, self._config.superlanes))
        return [(self._units[queue], issue - 1, word)]

    def _read(self) -> Proposal:
        """Read from MEM; half of the time `lanes` slices side by side, as units with many operands need."""
        hemisphere = self._random.randrange(2)
        direction, cycle, first = self._random.randrange(2), self._random.randrange(20), self._random.randrange(4)
        count, interval = self._random.randint(1, 6), self._random.randint(1, 3)
        fields = {"dir": direction, "addr": first, "stride": self._random.randint(-1, 2), "count": count}
        width = self._config.lanes if self._random.random() < 0.5 else 1
        stream = self._random.randrange(self._config.streams // width) * width
        slices = [u for u in self._units if u.kind is UnitKind.MEM and u.hemisphere == hemisphere]
        proposal: Proposal = []
        for lane, unit in enumerate(self._random.sample(slices, width)):
            # Values of one group pass any position together.
            shift = unit.position if direction == Direction.EAST else -unit.position
            word = encode("READ", stream=stream + lane, interval=interval, **fields)
            proposal.append((unit, cycle + 12 + shift if direction else cycle + shift, word))
        return proposal

    def _consume(self, position: int, cycle: int, direction: int, stream: int) -> Proposal:
        """Use a value where it is."""
        candidates = [u for u in self._units if u.position == position and u.kind in _KINDS]
        if not candidates:
            return []
        unit = self._random.choice(candidates)
        issue = cycle - 1
        match unit.kind:
            case UnitKind.MEM:
                word = self._store(direction, stream)
            case UnitKind.MXM_WEIGHTS:
                count = self._random.randint(1, self._config.superlanes)
                word = encode("LW", stream=self._first(stream, self._config.lanes), count=count)
            case UnitKind.MXM_ACTIVATIONS:
                return self._multiply(unit, issue, stream)
            case UnitKind.VXM:
                return self._compute(unit, issue, direction, stream)
            case _:
                word = self._switch(unit, direction, stream)
        return [(unit, issue, word)]

    def _store(self, direction: int, stream: int) -> int:
        """Write a value, or use it as an index or as what is scattered: indices are small in half of the words."""
        place = {"dir": direction, "stream": stream, "addr": self._address()}
        mnemonic = self._random.choice(("WRITE", "WRITE", "GATHER", "SCATTER"))
        if mnemonic == "WRITE":
            return encode("WRITE", **place, count=1, interval=1)
        accesses = (gather_accesses if mnemonic == "GATHER" else scatter_accesses)(self._config)
        indices = {"map_dir": direction, "map": self._first(stream, 2)}
        if mnemonic == "GATHER":
            place |= {"dir": self._random.randrange(2), "stream": self._random.randrange(self._config.streams)}
        return encode(mnemonic, **place, **indices, count=self._random.randint(1, 2), interval=accesses)

    def _multiply(self, unit: Unit, issue: int, stream: int) -> Proposal:
        fp16 = unit.index == 0 and self._random.random() < 0.5
        count, interval = self._random.randint(1, 3), self._random.randint(1, 2) + fp16
        abc = encode(
            "ABC",
            stream=self._first(stream, 2) if fp16 else stream,
            count=count,
            interval=interval,
            install=self._random.randrange(2),
            dtype=DType.FP16 if fp16 else DType.INT8,
        )
        acc = encode(
            "ACC",
            addr=self._random.randrange(4),
            stride=self._random.randint(-1, 1),
            count=count,
            interval=interval,
            add=self._random.randrange(2),
            emit=self._random.randrange(2),
            stream=4 * self._random.randrange(self._config.streams // 4),
            float=fp16,
        )
        after = self._timing.acc_after_fp16_abc if fp16 else self._timing.acc_after_abc
        return [(unit, issue, abc), (self._units[unit.id + 1], issue + after, acc)]

    def _compute(self, unit: Unit, issue: int, direction: int, stream: int) -> Proposal:
        """One operation, or two chained through the mesh."""
        proposal = list(self._operations(unit, issue, Source.STREAM, direction, stream))
        if self._random.random() < 0.5:
            column, row = unit.index % self._config.alu_cols, self._random.randrange(self._config.alu_rows)
            following = self._units[
                unit.id - unit.index + row * self._config.alu_cols + (column + 1) % self._config.alu_cols
            ]
            mesh_row = unit.index // self._config.alu_cols
            proposal += self._operations(following, issue + self._timing.chain, Source.MESH, 0, mesh_row)
        return proposal

    def _operations(
        self, unit: Unit, issue: int, source: Source, direction: int, index: int
    ) -> Iterator[tuple[Unit, int, int]]:
        rows = [row for row in instructions_of(unit.kind) if row.built and "a_src" in row.offsets]
        for _ in range(40):
            dtype = self._random.choice((DType.INT8, DType.INT8, DType.INT16, DType.INT32, DType.FP16, DType.FP32))
            out = self._random.choice(tuple(DType))
            word = encode(
                self._random.choice(rows).mnemonic,
                dtype=dtype,
                out_dtype=out,
                saturate=self._random.randrange(2),
                a_src=source,
                a_dir=direction,
                a_index=index if source is Source.MESH else self._first(index, dtype.size),
                b_src=self._random.choice((Source.SELF, Source.ZERO, source)),
                b_dir=direction,
                b_index=index if source is Source.MESH else self._first(index, dtype.size),
                c_src=self._random.choice((Source.SELF, Source.ZERO, source)),
                c_dir=direction,
                c_index=index,
                relation=self._random.choice(tuple(Relation)),
                drive=self._random.randrange(4) > 0,
                dst_dir=self._random.randrange(2),
                dst=self._first(self._random.randrange(self._config.streams), out.size),
            )
            if illegality(self._config, unit, word) is None:
                yield unit, issue, word
                return

    def _switch(self, unit: Unit, direction: int, stream: int) -> int:
        other, amount = (
            self._random.randrange(self._config.streams),
            self._random.randint(0, self._config.vector_length),
        )
        places = {"src_dir": direction, "dst_dir": self._random.randrange(2)}
        lanes = self._config.lanes
        match unit.kind:
            case UnitKind.SXM_TRANSPOSE:
                return encode("TRANSPOSE", src=self._first(stream, lanes), dst=self._first(other, lanes), **places)
            case UnitKind.SXM_ROTATE:
                return encode("ROTATE", src=stream, dst=self._first(other, lanes), size=2, **places)
            case UnitKind.SXM_PERMUTE | UnitKind.SXM_DISTRIBUTE:
                return self._mapped(unit, stream, other, places)
        if self._random.random() < 0.5:
            return encode("SHIFT", src=stream, dst=other, amount=amount, down=self._random.randrange(2), **places)
        near = min(stream ^ 1, self._config.streams - 1)
        low = self._random.choice((stream, near))
        return encode("SELECT", src=stream, dst=other, amount=amount, low=low, low_dir=direction, **places)

    def _mapped(self, unit: Unit, stream: int, other: int, places: dict[str, int]) -> int:
        size = 2 if unit.kind is UnitKind.SXM_PERMUTE else 1
        chosen = {"map": self._first(stream, size), "register": self._random.randrange(2)}
        if self._random.random() < 0.3:
            return encode("LOADMAP", map_dir=places["src_dir"], **chosen)
        mnemonic = unit.kind.value.partition(".")[2]
        streamed = self._random.randrange(2)
        return encode(mnemonic, src=stream, dst=other, streamed=streamed, map_dir=places["src_dir"], **chosen, **places)

    def _address(self) -> int:
        return self._random.choice((*range(8, 12), self._config.mem_depth))

    def _first(self, stream: int, size: int) -> int:
        return stream - stream % size
