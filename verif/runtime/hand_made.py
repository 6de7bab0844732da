"""A program made by hand, so that the runtime can be tested without the compiler."""

import numpy as np

from arch.config import Config
from arch.geometry import Hemisphere, mem_position, mem_slice, units, vxm_position
from arch.image import Image, TensorMap
from arch.isa.codes import Source
from arch.isa.encoding import encode
from arch.isa.timeline import queue_words
from arch.timing import timing

ROWS = 16


def relu_image(config: Config) -> Image:
    """Return a program that reads `x`, int8 (16, vector_length), in the west and writes `y = relu(x)` in the east."""
    table = timing(config)
    west, east = (mem_position(config, side, 0) for side in Hemisphere)
    middle = vxm_position(config)
    relu_at = table["READ"].d_func + middle - west - table["RELU"].d_skew
    write_at = relu_at + table["RELU"].d_func + east - middle - table["WRITE"].d_skew
    burst = {"dir": 0, "addr": 0, "stride": 1, "count": ROWS, "interval": 1}
    relu = encode("RELU", a_src=Source.STREAM, a_index=1, b_src=Source.ZERO, drive=1, dst=2)
    queues = {
        mem_slice(config, Hemisphere.WEST, 0): queue_words([(0, encode("READ", stream=1, **burst))]),
        units(config)[config.slices].id: [
            encode("NOP", count=relu_at),
            relu,
            encode("REPEAT", count=ROWS - 1, interval=1),
            encode("END"),
        ],
        mem_slice(config, Hemisphere.EAST, 0): queue_words([(write_at, encode("WRITE", stream=2, **burst))]),
    }
    length = config.vector_length
    index = np.arange(ROWS * length, dtype=np.int32).reshape(ROWS, length)
    addrs = np.arange(ROWS, dtype=np.int32)

    def tensor(name: str, side: Hemisphere) -> TensorMap:
        slices = np.full(ROWS, mem_slice(config, side, 0), np.int32)
        return TensorMap(name, "int8", (ROWS, length), slices, addrs, index)

    return Image(
        config=config,
        queues={queue: np.array(words, np.uint64) for queue, words in queues.items()},
        constant_slices=np.zeros(0, np.int32),
        constant_addrs=np.zeros(0, np.int32),
        constant_words=np.zeros((0, length), np.uint8),
        inputs=(tensor("x", Hemisphere.WEST),),
        outputs=(tensor("y", Hemisphere.EAST),),
        cycles=write_at + ROWS - 1 + table["WRITE"].retire,
        notes={"work": "relu by hand", "macs": 0, "planes": 1},
    )


def endless_image(config: Config) -> Image:
    """Return a program whose text fetches itself, again and again; it says that it ends after 50 cycles."""
    table = timing(config)
    gap = table["READ"].d_func - table["IFETCH"].d_skew
    count, spacing = 4 * 8 // config.vector_length, 2 * config.superlanes
    words = [
        encode("READ", addr=0, stride=1, count=count, interval=spacing, stream=1),
        encode("NOP", count=gap - 1),
        encode("IFETCH", stream=1, count=count),
        encode("NOP", count=200),
    ]
    text = np.array(words, "<u8").view(np.uint8).reshape(count, config.vector_length)
    return Image(
        config=config,
        queues={0: np.array(words, np.uint64)},
        constant_slices=np.zeros(count, np.int32),
        constant_addrs=np.arange(count, dtype=np.int32),
        constant_words=text,
        inputs=(),
        outputs=(),
        cycles=50,
    )
