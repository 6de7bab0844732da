"""Programs of instruction control: barriers, and text that streams into queues."""

import random
from collections.abc import Mapping

import numpy as np

from arch.config import Config
from arch.geometry import Direction, Unit, units
from arch.image import Image, TensorMap
from arch.isa.codes import Source
from arch.isa.encoding import encode
from arch.timing import timing

EAST, WEST = int(Direction.EAST), int(Direction.WEST)
END = encode("END")

Queues = Mapping[str, list[int]]
Contents = Mapping[tuple[int, int], np.ndarray]
"""Words of MEM by slice and address, uint8 of shape (vector_length,)."""


def nop(count: int) -> list[int]:
    """Return what lets `count` cycles pass, of whatever length."""
    return [encode("NOP", count=count)] if count else []


def image(
    config: Config, queues: Queues, contents: Contents | None = None, outputs: tuple[TensorMap, ...] = ()
) -> Image:
    """Return an image of queues by unit name and constants."""
    numbers = {unit.name: unit.id for unit in units(config)}
    places = np.array(sorted(contents or {}), np.int32).reshape(-1, 2)
    words = [(contents or {})[slice_, addr] for slice_, addr in places.tolist()]
    return Image(
        config=config,
        queues={numbers[name]: np.array(words, np.uint64) for name, words in queues.items()},
        constant_slices=places[:, 0],
        constant_addrs=places[:, 1],
        constant_words=np.array(words, np.uint8).reshape(-1, config.vector_length),
        inputs=(),
        outputs=outputs,
        cycles=400,
    )


def vectors(config: Config, text: list[int]) -> np.ndarray:
    """Return text as vectors, shape (n, vector_length) uint8; NOPs before its last word fill up the last one."""
    pause = encode("NOP", count=timing(config).fetch_period)
    padded = [*text[:-1], *[pause] * (-len(text) % (config.vector_length // 8)), text[-1]]
    return np.array(padded, np.uint64).view(np.uint8).reshape(-1, config.vector_length)


class Feed:
    """A READ of text in one MEM slice, and the first words of the queue that it goes to.

    Parameters
    ----------
    config
    source, target
        Names of the slice and of the queue.
    stream
        On which the text goes.
    text
        Words that follow the first ones, `fetch_period` cycles each in the mean of two.
    first
        Cycle in which the first word of `text` issues, or 0 for the earliest one.
    """

    def __init__(self, config: Config, source: str, target: str, stream: int, text: list[int], first: int = 0) -> None:
        by_name = {unit.name: unit for unit in units(config)}
        table = timing(config)
        slice_, queue = by_name[source], by_name[target]
        direction = EAST if queue.position >= slice_.position else WEST
        way = table["READ"].d_func + abs(queue.position - slice_.position) - table["IFETCH"].d_skew
        # Late enough for the second of two words, should the first one take a single cycle.
        ready = table.fetch_first + table.fetch_period - 1
        self.first = max(first, way + ready)
        start = self.first - ready
        words = vectors(config, text)
        read = encode("READ", dir=direction, stream=stream, stride=1, count=len(words), interval=2 * config.superlanes)
        fetch = encode("IFETCH", dir=direction, stream=stream, count=len(words))
        self.queues = {
            source: [*nop(start - way), read, END],
            target: [*nop(start), fetch, *nop(ready - 1)],
        }
        self.contents = {(slice_.id, addr): word for addr, word in enumerate(words)}


def boot(config: Config, transfers: int, seed: int) -> tuple[Image, np.ndarray]:
    """Return a program that copies MEM words in random order, and what its output must be.

    Two words per transfer stream into a queue that reads and into one that writes; the host writes a READ of text and
    an IFETCH for each.
    """
    rng = np.random.default_rng(seed)
    table = timing(config)
    by_name = {unit.name: unit for unit in units(config)}
    reader, writer = "MEM_E0", "MEM_W0"
    pause = encode("NOP", count=2 * table.fetch_period - 1)
    distance = by_name[reader].position - by_name[writer].position
    sources, targets = rng.integers(0, 16, transfers), rng.permutation(np.arange(transfers) % config.mem_depth)
    reads = [encode("READ", dir=WEST, stream=0, addr=int(addr), count=1, interval=1) for addr in sources]
    writes = [encode("WRITE", dir=WEST, stream=0, addr=int(addr), count=1, interval=1) for addr in targets]
    edge = config.mem_slices - 1
    one = Feed(config, f"MEM_E{edge}", reader, 1, [word for read in reads for word in (read, pause)] + [END])
    way = table["READ"].d_func + distance - table["WRITE"].d_skew
    text = [word for write in writes for word in (write, pause)] + [END]
    # The writer's text may not be there as early as its first word is due: both start later then.
    other = Feed(config, f"MEM_W{edge}", writer, 2, text, one.first + way)
    one = Feed(
        config, f"MEM_E{edge}", reader, 1, [w for read in reads for w in (read, pause)] + [END], other.first - way
    )
    data = rng.integers(0, 256, (16, config.vector_length), np.uint8)
    contents = {**one.contents, **other.contents}
    contents |= {(by_name[reader].id, addr): word for addr, word in enumerate(data)}
    copied = np.zeros((config.mem_depth, config.vector_length), np.uint8)
    copied[targets] = data[sources]
    rows = np.arange(config.mem_depth, dtype=np.int32)
    index = np.arange(copied.size, dtype=np.int32).reshape(copied.shape)
    output = TensorMap("copied", "uint8", copied.shape, np.full_like(rows, by_name[writer].id), rows, index)
    return image(config, {**one.queues, **other.queues}, contents, (output,)), copied


def fetched_everywhere(config: Config) -> dict[str, Image]:
    """Return programs in each of which a unit of another kind gets its END from a stream."""
    found = {}
    kinds = {(unit.kind, unit.hemisphere): unit for unit in units(config)}
    for unit in kinds.values():
        source = f"MEM_{'W' if unit.name.startswith(('MEM_E', 'VXM')) or '_E' in unit.name else 'E'}1"
        feed = Feed(config, source, unit.name, 3, [*_work(unit), encode("NOP", count=9), END])
        found[f"text of {unit.name}"] = image(config, feed.queues, feed.contents)
    return found


def _work(unit: Unit) -> list[int]:
    """Return a word that needs nobody, of a unit that has one."""
    if unit.name.startswith("VXM"):
        return [encode("PASS", a_src=Source.ZERO, b_src=Source.ZERO)]
    return [encode("READ", stream=5, count=1, interval=1)] if unit.name.startswith("MEM") else []


def barriers(config: Config) -> dict[str, Image]:
    """Return programs of SYNC and NOTIFY, legal ones and deadlocks."""
    sync, notify = encode("SYNC"), encode("NOTIFY")
    late = timing(config).barrier
    edge = f"C2C_{config.links - 1}"
    return {
        "released": image(config, {"MEM_W1": [sync, END], edge: [*nop(9), notify, END]}),
        "released in the other direction": image(config, {"SXM_E.SHIFT0": [sync, END], "C2C_0": [notify, END]}),
        "all kinds": image(
            config,
            {name: [sync, END] for name in ("MEM_E3", "VXM_2", "MXM_W1.A", "SXM_W.TRANSPOSE", "C2C_0")}
            | {"MXM_E0.R": [*nop(3), notify, END]},
        ),
        "just in time": image(config, {"MEM_W1": [*nop(late + 3), sync, END], edge: [*nop(4), notify, END]}),
        "too late": image(config, {"MEM_W1": [*nop(late + 4), sync, END], edge: [*nop(4), notify, END]}),
        "early release takes nobody": image(
            config, {"MEM_W1": [*nop(60), sync, END], edge: [notify, *nop(70), notify, END]}
        ),
        "two in a row": image(config, {"MEM_E2": [sync, sync, END], "VXM_0": [notify, *nop(50), notify, END]}),
        "own release": image(config, {"MEM_E2": [notify, sync, END]}),
        "own release, repeated": image(config, {"MEM_E2": [notify, encode("REPEAT", count=1, interval=1)]}),
        "REPEAT after SYNC": image(
            config, {"MEM_E2": [sync, encode("REPEAT", count=1, interval=1), END], edge: [notify, END]}
        ),
        "nobody notifies": image(config, {"MEM_W5": [sync, END], "MEM_W3": [*nop(5), sync, END], edge: [*nop(9), END]}),
        "deadlock after a release": image(config, {"MEM_W5": [sync, sync, END], edge: [notify, END]}),
        "deadlock during a burst": image(
            config, {"MEM_W5": [encode("READ", count=99, interval=9), sync, END], "VXM_1": [sync]}
        ),
    }


def fetch_faults(config: Config) -> dict[str, Image]:
    """Return programs with IFETCHes that break a rule."""
    depth = config.queue_depth
    # More words than the queue takes, and no more than one IFETCH takes at preset small.
    feed = Feed(config, "MEM_E1", "MEM_W0", 3, [encode("NOP", count=1)] * (2 * depth - 3) + [END])
    pause = nop(2 * depth + 999)
    full = image(config, {**feed.queues, "MEM_W0": [*feed.queues["MEM_W0"][:2], *pause, END]}, feed.contents)
    start = feed.first - timing(config).fetch_first - timing(config).fetch_period + 1
    late = image(config, {**feed.queues, "MEM_W0": feed.queues["MEM_W0"][:2]}, feed.contents)
    after = image(config, {**feed.queues, "MEM_W0": [*feed.queues["MEM_W0"][:2], END]}, feed.contents)
    fetch = encode("IFETCH", dir=WEST, stream=3, count=2)
    taken = 4 * config.superlanes
    free, busy = (
        image(
            config,
            {
                **feed.queues,
                "MEM_W0": [*nop(start), fetch, *nop(200), END],
                "MEM_W1": [*nop(start + gap), fetch, *nop(200), END],
            },
            feed.contents,
        )
        for gap in (taken, taken - 1)
    )
    both = image(
        config,
        {**feed.queues, **{f"MEM_W{n}": [*nop(start), fetch, *nop(200), END] for n in range(config.slices_per_hop)}},
        feed.contents,
    )
    return {
        "OVERRUN": full,
        "UNDERRUN": late,
        "OVERRUN after END": after,
        "port free again": free,
        "BUSY": busy,
        "BUSY in one cycle": both,
        "UNWRITTEN": image(config, {"MEM_W0": [*nop(5), fetch, *nop(200), END]}),
        "REPEAT after IFETCH": image(
            config,
            {**feed.queues, "MEM_W0": [*nop(start), fetch, encode("REPEAT", count=1, interval=1)]},
            feed.contents,
        ),
        "count of 0": image(config, {"VXM_1": [*nop(5), encode("IFETCH"), END]}),
    }


class RandomControl:
    """Random programs of control instructions; text, random too, is on two streams all the time.

    Queues of more than 16 places hold as many NOPs more, behind the first IFETCH: its text finds as few places free.

    Parameters
    ----------
    config
    seed
    """

    def __init__(self, config: Config, seed: int) -> None:
        self._config = config
        self._random = random.Random(seed)

    def image(self) -> Image:
        """Return one more program."""
        config, rng = self._config, self._random
        edge = config.mem_slices - 1
        names = {unit.name: unit for unit in units(config)}
        count = min(300, 2 * config.mem_depth)
        more = config.queue_depth - 16
        # While the first one lasts, text comes and none of these words makes place for it.
        spare = [encode("NOP", count=40), *[encode("NOP", count=1)] * (more - 1)] if more else []
        # For as long as these words take.
        again = -(-more // count)
        queues, contents = {}, {}
        for name, direction, stream in ((f"MEM_W{edge}", EAST, 0), (f"MEM_E{edge}", WEST, 1)):
            read = encode("READ", dir=direction, stream=stream, stride=1, count=count, interval=1)
            queues[name] = [*[read, *nop(count - 1)] * again, read, *nop(rng.choice((1, 100, 400))), END]
            for addr in range(count):
                text = [self._word() for _ in range(config.vector_length // 8)]
                contents[names[name].id, addr] = vectors(config, text)[0]
        for name in rng.sample(sorted(names.keys() - queues.keys()), rng.randint(1, 7)):
            words = [self._word() for _ in range(rng.randint(1, 14))]
            fetch = rng.random() < 0.7
            start = [*nop(rng.randint(60, 90)), self._fetch(), *spare] if fetch else nop(rng.randint(0, 90))
            queues[name] = [*start, *words, *([END] if rng.random() < 0.7 and not fetch else [])]
        return image(config, queues, contents)

    def _fetch(self) -> int:
        count = 1 + self._random.randrange(3) * self._random.randrange(3)
        direction = self._random.randrange(2)
        return encode("IFETCH", dir=direction, stream=direction, count=count)

    def _word(self) -> int:
        rng = self._random
        choice = rng.random()
        if choice < 0.45:
            return encode("NOP", count=rng.choice((1, 1, 2, 3, 5, 9, 20)))
        if choice < 0.6:
            return encode("SYNC")
        if choice < 0.8:
            return encode("NOTIFY")
        if choice < 0.85:
            return self._fetch()
        return END if choice < 0.99 else encode("REPEAT", count=rng.randint(1, 3), interval=rng.randint(1, 4))
