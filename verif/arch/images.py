"""A small image, and files made of it by hand."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from arch.errors import TaktError
from arch.image import Image, TensorMap
from arch.image_file import digest_of
from arch.isa.encoding import encode
from arch.presets import preset

NANO = preset("nano")


def tensor_map(name: str, dtype: str, shape: tuple[int, ...]) -> TensorMap:
    """Lay a tensor out as vectors one after another, the last one filled up with nothing."""
    length = NANO.vector_length
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    rows = -(-size // length)
    index = np.arange(rows * length, dtype=np.int32).reshape(rows, length)
    index[index >= size] = -1
    return TensorMap(name, dtype, shape, np.zeros(rows, np.int32), np.arange(rows, dtype=np.int32), index)


def sample() -> Image:
    """Return an image with constants, an input and two outputs, which nothing ever runs."""
    rng = np.random.default_rng(1)
    return Image(
        config=NANO,
        queues={
            0: np.array([encode("READ", count=3, interval=1, stride=-1), encode("END")], np.uint64),
            7: np.array([encode("END")], np.uint64),
        },
        constant_slices=np.array([1, 2], np.int32),
        constant_addrs=np.array([10, 511], np.int32),
        constant_words=rng.integers(0, 256, (2, NANO.vector_length), dtype=np.uint8),
        inputs=(tensor_map("a", "int8", (3, 5)),),
        outputs=(tensor_map("c", "int32", (2, 3)), tensor_map("d", "float32", (1,))),
        cycles=42,
        notes={"work": "gemm 3x5x2", "macs": 30, "planes": 1},
    )


def rewritten(
    path: Path, change: Callable[[dict[str, Any], dict[str, Any]], Any] | None = None, **changes: Any
) -> None:
    """Change header and arrays of an image, and give it a digest that matches.

    `change` gets the header, without which there is none, and the arrays.
    """
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files}
    header = json.loads(arrays.pop("header").tobytes()) | changes
    del arrays["digest"]
    if change is not None:
        change(header, arrays)
    arrays["header"] = np.frombuffer(json.dumps(header).encode(), np.uint8)
    arrays["digest"] = np.frombuffer(digest_of(arrays), np.uint8)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    path.write_bytes(buffer.getvalue())


def refusal(path: Path) -> str | None:
    """Return why a file is refused, or None."""
    try:
        Image.load(path)
    except TaktError as error:
        return str(error)
    return None
