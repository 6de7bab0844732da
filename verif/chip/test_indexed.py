"""GATHER and SCATTER on the whole chip: indices and data leave MEM, and what comes of them is read from MEM."""

import numpy as np
import numpy.typing as npt

from arch.config import Config
from arch.geometry import Direction, units
from arch.image import Image, TensorMap
from arch.isa.encoding import encode
from arch.isa.mem_rows import scatter_accesses
from arch.isa.timeline import queue_words
from arch.presets import preset
from arch.timing import timing
from golden.machine.machine import Machine
from runtime.rtl_backend import run_jobs_on_rtl
from verif.bench import default_seed, each_simulator
from verif.bits import same_bits
from verif.compiler.timetables import verified

NANO = preset("nano")
ISSUE = 40
COUNT = 5
ROWS = 6
DATA, LOW, TABLE, SINK = 0, 2, 2, 0
"""Streams: data, indices; slices of their own for the table and for what is gathered, beyond those of the streams."""

Bytes = npt.NDArray[np.uint8]


class Indexed:
    """COUNT vectors between a table of ROWS words in one slice and other slices, by index.

    Parameters
    ----------
    config
    rng
    scatter
        Whether they are scattered into the table, or gathered from it.

    Attributes
    ----------
    image : Image
    expected : ndarray of uint8
        What its output ``words`` must be: the table after SCATTER, the vectors of GATHER.
    """

    def __init__(self, config: Config, rng: np.random.Generator, scatter: bool) -> None:
        self._config, self._times = config, timing(config)
        self._units = {unit.name: unit for unit in units(config)}
        self._timelines: dict[int, list[tuple[int, int]]] = {}
        self._contents: list[tuple[int, int, Bytes]] = []
        self._interval = scatter_accesses(config)
        length, base = config.vector_length, config.mem_depth + 3  # the table is in the upper bank
        table = rng.integers(0, 256, (ROWS, length), np.uint8)
        rows = rng.integers(0, ROWS, (COUNT, length))
        lanes = np.arange(length)
        self._keep(f"MEM_W{TABLE}", base, table)
        self._feed(LOW, rows.astype(np.uint8))
        self._feed(LOW + 1, np.zeros((COUNT, length), np.uint8))
        fields = {"dir": Direction.EAST, "addr": base, "map_dir": Direction.EAST, "map": LOW}
        if scatter:
            data = rng.integers(0, 256, (COUNT, length), np.uint8)
            self._feed(DATA, data)
            self._put(f"MEM_W{TABLE}", ISSUE, "SCATTER", stream=DATA, **fields)
            self.expected = table.copy()
            for row, vector in zip(rows, data, strict=True):
                self.expected[row, lanes] = vector
            slice_, first = f"MEM_W{TABLE}", base
        else:
            self._put(f"MEM_W{TABLE}", ISSUE, "GATHER", stream=DATA, **fields)
            self.expected = table[rows, lanes]
            slice_, first = f"MEM_W{SINK}", 1
            way = self._func("GATHER") + self._distance(f"MEM_W{TABLE}", slice_) - (self._times["WRITE"].d_skew or 0)
            self._put(slice_, ISSUE + way, "WRITE", dir=Direction.EAST, stream=DATA, addr=first, stride=1)
        self.image = self._image(slice_, first)

    def _feed(self, stream: int, vectors: Bytes) -> None:
        """Let vectors come to the table's slice on an eastward stream, from a slice of their own."""
        source = f"MEM_W{TABLE + 1 + stream}"
        self._keep(source, 0, vectors)
        issue = ISSUE + 1 - self._func("READ") - self._distance(source, f"MEM_W{TABLE}")
        self._put(source, issue, "READ", dir=Direction.EAST, stream=stream, stride=1)

    def _func(self, mnemonic: str) -> int:
        return self._times[mnemonic].d_func or 0

    def _distance(self, west: str, east: str) -> int:
        return self._units[east].position - self._units[west].position

    def _keep(self, name: str, addr: int, words: Bytes) -> None:
        self._contents += [(self._units[name].id, addr + number, word) for number, word in enumerate(words)]

    def _put(self, name: str, cycle: int, mnemonic: str, **fields: int) -> None:
        word = encode(mnemonic, count=COUNT, interval=self._interval, **fields)
        self._timelines.setdefault(self._units[name].id, []).append((cycle, word))

    def _image(self, name: str, first: int) -> Image:
        slices, addrs, words = zip(*self._contents, strict=True)
        shape = self.expected.shape
        index = np.arange(self.expected.size, dtype=np.int32).reshape(shape)
        places = np.full(len(index), self._units[name].id, np.int32)
        rows = first + np.arange(len(index), dtype=np.int32)
        return Image(
            config=self._config,
            queues={queue: np.array(queue_words(line), np.uint64) for queue, line in self._timelines.items()},
            constant_slices=np.array(slices, np.int32),
            constant_addrs=np.array(addrs, np.int32),
            constant_words=np.stack(words),
            inputs=(),
            outputs=(TensorMap("words", "uint8", shape, places, rows, index),),
            cycles=0,
        )


@each_simulator
def test_gather_and_scatter(simulator: str) -> None:
    """GATHER and SCATTER on the whole chip, from MEM to MEM, against their definition."""
    rng = np.random.default_rng(default_seed(__name__))
    programs = {name: Indexed(NANO, rng, name == "SCATTER") for name in ("GATHER", "SCATTER")}
    results = run_jobs_on_rtl([(program.image, [{}]) for program in programs.values()], simulator)
    for (name, program), (result,) in zip(programs.items(), results, strict=True):
        golden = Machine(NANO).run_image(program.image, {})
        same_bits(golden.outputs["words"], program.expected, name)
        assert result.fault is None, f"{name}: {result.fault}"
        assert result.cycles == golden.cycles == verified(program.image), name
        same_bits(result.outputs["words"], program.expected, name)
