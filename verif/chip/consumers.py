"""Programs that read words of MEM through one consumer each."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from arch.config import Config
from arch.formats import DType
from arch.geometry import Direction, Unit, units
from arch.image import Image, TensorMap
from arch.isa.codes import Source
from arch.isa.encoding import encode
from arch.isa.mem_rows import gather_accesses, scatter_accesses
from arch.timing import timing
from verif.chip.control_programs import END, Feed, image, nop

__all__ = ["Consumption", "consumptions"]

EAST, WEST = int(Direction.EAST), int(Direction.WEST)


@dataclass(frozen=True)
class Consumption:
    """A program in which a queue consumes `count` words of each of some operands.

    Attributes
    ----------
    name : str
    image : Image
    queue : int
        The consumer.
    operands : tuple of int
        Slices of which it consumes the words at addresses 0 and up, in this order.
    reads : tuple of int
        How often it reads each word of an operand.
    """

    name: str
    image: Image
    queue: int
    operands: tuple[int, ...]
    reads: tuple[int, ...]


@dataclass(frozen=True)
class _Consumer:
    """How a queue consumes streams.

    Attributes
    ----------
    unit, mnemonic, fields
        The word; it repeats unless it is a burst of its own.
    streams : int
        Operands, on streams 0 and up.
    interval : int
    into : str
        Field that names the stream of the result, if there is one.
    indices : bool
        The first two operands are the number of the element: for GATHER and SCATTER.
    table : str
        Slice in which words are consumed, too.
    mask : int
        Over the operands' bytes, so that fp16 numbers are finite.
    """

    unit: str
    mnemonic: str
    fields: Mapping[str, int] = field(default_factory=dict)
    streams: int = 1
    interval: int = 1
    into: str = ""
    indices: bool = False
    table: str = ""
    mask: int = 0xFF


def _consumers(config: Config) -> dict[str, _Consumer]:
    stream = {"a_src": Source.STREAM, "b_src": Source.STREAM, "c_src": Source.STREAM}
    lanes, back = config.lanes, {"dst_dir": WEST}
    found = {
        "VXM": _Consumer("VXM_1", "SEL", {**stream, "b_index": 1, "c_index": 2, "drive": 1}, 3, into="dst"),
        "LW": _Consumer("MXM_E0.W", "LW", {"count": 1}, lanes, mask=0xBF),
        "ABC": _Consumer("MXM_E0.A", "ABC", {"install": 1}),
        "SHIFT": _Consumer("SXM_E.SHIFT0", "SHIFT", {**back, "amount": 1}, into="dst"),
        "SELECT": _Consumer("SXM_E.SHIFT1", "SELECT", {**back, "low": 1, "amount": 3}, 2, into="dst"),
        "PERMUTE": _Consumer(
            "SXM_E.PERMUTE", "PERMUTE", {**back, "src": 2, "streamed": 1}, 3, into="dst", indices=True
        ),
        "LOADMAP": _Consumer("SXM_E.PERMUTE", "LOADMAP", {}, 2),
        "DISTRIBUTE": _Consumer("SXM_E.DISTRIBUTE", "DISTRIBUTE", {**back, "src": 1, "streamed": 1}, 2, into="dst"),
        "ROTATE": _Consumer("SXM_E.ROTATE", "ROTATE", {**back, "size": 2}, into="dst"),
        "TRANSPOSE": _Consumer("SXM_E.TRANSPOSE", "TRANSPOSE", back, lanes, into="dst"),
        "GATHER": _Consumer("MEM_E0", "GATHER", {}, 2, gather_accesses(config), "stream", True, "MEM_E0"),
        "SCATTER": _Consumer("MEM_E0", "SCATTER", {"stream": 2}, 3, scatter_accesses(config), "", True, "MEM_E0"),
    }
    if config.planes_per_hemisphere > 1:
        found |= {
            "LW of a second plane": _Consumer("MXM_E1.W", "LW", {"count": 1}, lanes, mask=0xBF),
            "fp16 ABC": _Consumer("MXM_E0.A", "ABC", {"install": 1, "dtype": DType.FP16}, 2, 2, mask=0xBF),
        }
    return found


def consumptions(config: Config, count: int, rng: np.random.Generator) -> Iterator[Consumption]:
    """Yield a program per consumer; weights of the first ones meet the activations of the later ones."""
    for name, consumer in sorted(_consumers(config).items(), key=lambda item: "ABC" in item[0]):
        yield _Builder(config, consumer, count, rng).build(name)
    source, target, words = "MEM_E1", "VXM_1", count * config.vector_length // 8
    pause = encode("NOP", count=timing(config).fetch_period)
    feed = Feed(config, source, target, 3, [pause] * (words - 1) + [END])
    numbers = {unit.name: unit.id for unit in units(config)}
    yield Consumption("IFETCH", image(config, feed.queues, feed.contents), numbers[target], (numbers[source],), (1,))


class _Builder:
    """READs of the operands, the consumer, a WRITE of what it makes of them."""

    def __init__(self, config: Config, consumer: _Consumer, count: int, rng: np.random.Generator) -> None:
        self._config = config
        self._consumer = consumer
        self._count = count
        self._rng = rng
        self._by_name = {unit.name: unit for unit in units(config)}
        self._timing = timing(config)
        self._queues: dict[str, list[int]] = {}
        self._contents: dict[tuple[int, int], np.ndarray] = {}

    def build(self, name: str) -> Consumption:
        consumer, count = self._consumer, self._count
        unit = self._by_name[consumer.unit]
        outer = consumer.unit.startswith(("MXM", "SXM"))
        sources = [self._by_name[f"MEM_{'E' if outer else 'W'}{index}"] for index in range(consumer.streams)]
        ways = [(self._timing["READ"].d_func or 0) + abs(unit.position - source.position) for source in sources]
        issue = max(ways)
        burst = {"stride": 1, "count": count, "interval": consumer.interval}
        for stream, (source, way) in enumerate(zip(sources, ways, strict=True)):
            start = issue + self._timing[consumer.mnemonic].d_skew - way
            self._add(source, start, encode("READ", dir=EAST, stream=stream, **burst))
            self._fill(source, stream if consumer.indices and stream < 2 else None)
        self._consume(unit, issue)
        operands, reads = [source.id for source in sources], [1] * len(sources)
        outputs: tuple[TensorMap, ...] = ()
        if consumer.table:
            table = self._by_name[consumer.table]
            self._fill(table, None)
            outputs = (self._output("table", table),)
            operands.append(table.id)
            reads.append(self._config.lanes if consumer.mnemonic == "GATHER" else 1)
        if consumer.into or consumer.mnemonic == "ABC":
            outputs += (self._write(unit, issue, WEST if outer else EAST),)
        program = image(self._config, self._queues, self._contents, outputs)
        return Consumption(name, program, unit.id, tuple(operands), tuple(reads))

    def _add(self, unit: Unit, cycle: int, *words: int) -> None:
        self._queues[unit.name] = [*nop(cycle), *words, END]

    def _fill(self, source: Unit, byte: int | None) -> None:
        """Give a slice its words: random ones, or byte 0 or 1 of their addresses."""
        for addr in range(self._count):
            word = self._rng.integers(0, 256, self._config.vector_length, np.uint8) & self._consumer.mask
            self._contents[source.id, addr] = word if byte is None else np.full_like(word, addr >> 8 * byte)

    def _consume(self, unit: Unit, issue: int) -> None:
        consumer, count = self._consumer, self._count
        fields = {**consumer.fields, **({consumer.into: self._result} if consumer.into else {})}
        if consumer.mnemonic in ("ABC", "GATHER", "SCATTER"):
            self._add(unit, issue, encode(consumer.mnemonic, count=count, interval=consumer.interval, **fields))
        else:
            repeat = [encode("REPEAT", count=count - 1, interval=consumer.interval)] if count > 1 else []
            self._add(unit, issue, encode(consumer.mnemonic, **fields), *repeat)
        if consumer.mnemonic == "ABC":
            float_ = int("dtype" in consumer.fields)
            after = self._timing.acc_after_fp16_abc if float_ else self._timing.acc_after_abc
            sums = {"float": float_, "emit": 1, "stream": self._result, "stride": 1}
            word = encode("ACC", count=count, interval=consumer.interval, **sums)
            self._add(self._by_name[unit.name.replace(".A", ".R")], issue + after, word)

    @property
    def _result(self) -> int:
        """First stream of the results."""
        return self._config.streams // 2

    def _write(self, unit: Unit, issue: int, direction: int) -> TensorMap:
        """Write the results' first bytes to the outermost slice of the eastern hemisphere."""
        consumer = self._consumer
        sink = self._by_name[f"MEM_E{self._config.mem_slices - 1}"]
        way = abs(sink.position - unit.position)
        if consumer.mnemonic == "ABC":
            float_ = "dtype" in consumer.fields
            after = self._timing.acc_after_fp16_abc if float_ else self._timing.acc_after_abc
            due = issue + after + (self._timing["ACC"].d_func or 0) + way
        else:
            due = issue + (self._timing[consumer.mnemonic].d_func or 0) + way
        burst = {"stride": 1, "count": self._count, "interval": consumer.interval}
        word = encode("WRITE", dir=direction, stream=self._result, **burst)
        self._add(sink, due - self._timing["WRITE"].d_skew, word)
        return self._output("results", sink)

    def _output(self, name: str, slice_: Unit) -> TensorMap:
        shape = (self._count, self._config.vector_length)
        index = np.arange(shape[0] * shape[1], dtype=np.int32).reshape(shape)
        addrs = np.arange(shape[0], dtype=np.int32)
        return TensorMap(name, "uint8", shape, np.full_like(addrs, slice_.id), addrs, index)
