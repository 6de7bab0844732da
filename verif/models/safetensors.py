"""Weights in files of the format safetensors."""

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["tensors_of"]


def tensors_of(path: Path) -> dict[str, npt.NDArray[Any]]:
    """Return the float32 tensors of a file by name; others are left out.

    Eight bytes say how long the header is, JSON with a type, a shape and places of bytes after it for each name.
    """
    content = path.read_bytes()
    (size,) = struct.unpack_from("<Q", content)
    header = json.loads(content[8 : 8 + size])
    header.pop("__metadata__", None)
    found = {}
    for name, entry in header.items():
        begin, end = (8 + size + offset for offset in entry["data_offsets"])
        if entry["dtype"] == "F32":
            found[name] = np.frombuffer(content[begin:end], np.float32).reshape(entry["shape"])
    return found
