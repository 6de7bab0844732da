"""A hand-made program: an fp16 product on the western pair of planes while the eastern one multiplies int8."""

import numpy as np
import numpy.typing as npt

from arch.config import Config
from arch.formats import DType
from arch.geometry import Direction, Hemisphere, Unit, mem_slice, mxm_position, units
from arch.image import Image, TensorMap
from arch.isa.encoding import encode
from arch.isa.timeline import queue_words
from arch.timing import timing
from compiler.verifier.verify import verify

__all__ = ["MixedProduct"]

Bytes = npt.NDArray[np.uint8]


class MixedProduct:
    """``a @ b`` with fp16 operands and fp32 sums over passes, and ``c @ d`` with int8 operands and int32 sums.

    Weights of the next pass come in while the present ones are used, so that in either hemisphere an array gets a
    vector in every cycle in which it can take one.

    Parameters
    ----------
    config
    rng
        Makes the operands.
    rows
        Vectors per pass, at least 2 * superlanes.
    passes
        Tiles of vector_length rows of `b` and `d`.

    Attributes
    ----------
    a, b : ndarray of float16, shapes (rows, passes * vector_length), (passes * vector_length, vector_length)
    c, d : ndarray of int8, likewise, with twice the rows in `c`
    image : Image
        Its outputs are ``fp32`` and ``int32``, a row of four bytes each per vector.
    """

    def __init__(self, config: Config, rng: np.random.Generator, *, rows: int, passes: int) -> None:
        self._config = config
        length = config.vector_length
        self.a = rng.normal(0, 1, (rows, passes * length)).astype(np.float16)
        self.b = rng.normal(0, 1, (passes * length, length)).astype(np.float16)
        self.c = rng.integers(-128, 128, (2 * rows, passes * length)).astype(np.int8)
        self.d = rng.integers(-128, 128, (passes * length, length)).astype(np.int8)
        self._rows, self._passes = rows, passes
        self._timelines: dict[int, list[tuple[int, int]]] = {}
        self._words: list[tuple[int, int, Bytes]] = []
        half = np.stack([self.a.view(np.uint8)[:, byte::2] for byte in range(2)])
        fp16_weights = np.stack([self.b.view(np.uint8)[:, byte::2] for byte in range(2)])
        self._multiply(Hemisphere.WEST, half, fp16_weights)
        self._multiply(Hemisphere.EAST, self.c.view(np.uint8)[None], self.d.view(np.uint8)[None])
        self.image = self._image()

    def _multiply(self, side: Hemisphere, activations: Bytes, weights: Bytes) -> None:
        """Add a hemisphere's part: operands by byte, the weights of byte i in plane i."""
        config, times = self._config, timing(self._config)
        lanes, length = config.lanes, config.vector_length
        size, rows = len(activations), activations.shape[1]
        dtype = DType.FP16 if size == 2 else DType.INT8
        span = rows * size
        blocks = config.superlanes
        start = 2 + self._issue_before(side, 0, 0)
        for number in range(self._passes):
            begin = start + number * span
            tile = slice(number * length, (number + 1) * length)
            for plane in range(size):
                for stream in range(lanes):
                    # Step i brings column block blocks - 1 - i.
                    words = weights[plane][tile, stream::lanes].T[::-1]
                    addr = (number * size + plane) * blocks
                    self._read(side, stream, stream, begin + plane * blocks + 1, 1, addr, words)
                self._put(self._unit(side, "W", plane), begin + plane * blocks, "LW", stream=0, count=blocks)
            issue = begin + span
            for byte in range(size):
                self._read(side, lanes + byte, lanes + byte, issue + 1, size, number * rows, activations[byte][:, tile])
            self._put(
                self._unit(side, "A", 0),
                issue,
                "ABC",
                stream=lanes,
                count=rows,
                interval=size,
                install=1,
                dtype=dtype,
            )
            self._put(
                self._unit(side, "R", 0),
                issue + (times.acc_after_fp16_abc if size == 2 else times.acc_after_abc),
                "ACC",
                stride=1,
                count=rows,
                interval=size,
                add=number > 0,
                emit=number == self._passes - 1,
                float=size == 2,
            )
        last = start + self._passes * span + (times.acc_after_fp16_abc if size == 2 else times.acc_after_abc)
        func, skew = times["ACC"].d_func, times["WRITE"].d_skew
        assert func is not None and skew is not None
        inward = self._unit(side, "R", 0).inward
        for byte in range(4):
            target = self._mem(side, byte)
            arrival = last + func + abs(target.position - mxm_position(config, side))
            fields = {"dir": inward, "stream": byte, "addr": config.mem_depth, "stride": 1}
            self._put(target, arrival - skew, "WRITE", count=rows, interval=size, **fields)

    def _read(self, side: Hemisphere, index: int, stream: int, at: int, interval: int, addr: int, words: Bytes) -> None:
        """Keep words in a slice and let them pass the MXM from cycle `at` on."""
        unit = self._mem(side, index)
        outward = Direction.WEST if side is Hemisphere.WEST else Direction.EAST
        self._words += [(mem_slice(self._config, side, index), addr + k, word) for k, word in enumerate(words)]
        issue = at - self._issue_before(side, index, 0)
        fields = {"dir": outward, "stream": stream, "addr": addr, "stride": 1}
        self._put(unit, issue, "READ", count=len(words), interval=interval, **fields)

    def _issue_before(self, side: Hemisphere, index: int, cycle: int) -> int:
        func = timing(self._config)["READ"].d_func
        assert func is not None
        return func + abs(self._mem(side, index).position - mxm_position(self._config, side)) - cycle

    def _mem(self, side: Hemisphere, index: int) -> Unit:
        return units(self._config)[mem_slice(self._config, side, index)]

    def _unit(self, side: Hemisphere, queue: str, plane: int) -> Unit:
        name = f"MXM_{side.name[0]}{plane}.{queue}"
        return next(unit for unit in units(self._config) if unit.name == name)

    def _put(self, unit: Unit, cycle: int, mnemonic: str, **fields: int) -> None:
        self._timelines.setdefault(unit.id, []).append((cycle, encode(mnemonic, **fields)))

    def _image(self) -> Image:
        config = self._config
        slices, addrs, words = zip(*self._words, strict=True)
        image = Image(
            config=config,
            queues={queue: np.array(queue_words(line), np.uint64) for queue, line in self._timelines.items()},
            constant_slices=np.array(slices, np.int32),
            constant_addrs=np.array(addrs, np.int32),
            constant_words=np.stack(words),
            inputs=(),
            outputs=(
                self._sums("fp32", Hemisphere.WEST, self._rows),
                self._sums("int32", Hemisphere.EAST, 2 * self._rows),
            ),
            cycles=0,
        )
        return Image(**{**vars(image), "cycles": verify(image)})

    def _sums(self, name: str, side: Hemisphere, rows: int) -> TensorMap:
        length = self._config.vector_length
        slices = np.repeat([mem_slice(self._config, side, byte) for byte in range(4)], rows).astype(np.int32)
        addrs = np.tile(self._config.mem_depth + np.arange(rows), 4).astype(np.int32)
        index = np.arange(4 * rows * length, dtype=np.int32).reshape(-1, length)
        return TensorMap(name, "int8", (4, rows, length), slices, addrs, index)

    @staticmethod
    def numbers(outputs: npt.NDArray[np.int8], dtype: str) -> npt.NDArray[np.generic]:
        """Return an output's rows of four bytes as numbers, shape (rows, vector_length)."""
        return np.ascontiguousarray(np.moveaxis(outputs, 0, -1)).view(dtype)[..., 0]

    def fp32_sums(self) -> npt.NDArray[np.float64]:
        """Return ``a @ b`` in float64: near to what the machine makes, and not the same."""
        product: npt.NDArray[np.float64] = self.a.astype(np.float64) @ self.b.astype(np.float64)
        return product

    def int32_sums(self) -> npt.NDArray[np.int32]:
        """Return ``c @ d``."""
        product: npt.NDArray[np.int32] = self.c.astype(np.int32) @ self.d.astype(np.int32)
        return product
