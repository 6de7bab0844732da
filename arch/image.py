"""The image: a compiled program as one file."""

import hashlib
import io
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from arch.config import Config
from arch.errors import TaktError
from arch.files import write_whole

FORMAT = "takt-image"
VERSION = 1
"""Raised whenever a reader of the old version would misread the new one."""

Words = npt.NDArray[np.uint64]
Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class TensorMap:
    """Where the bytes of a tensor live in MEM.

    Attributes
    ----------
    name : str
    dtype : str
        NumPy name: ``int8``, ``int32``, ``float32``.
    shape : tuple of int
    slices, addrs : ndarray, shape (n,), int32
        Chip-wide slice number and address of each of the n MEM words. A word may hold a copy of bytes that another
        word holds as well (inputs only).
    index : ndarray, shape (n, vector_length), int32
        Byte of the C-contiguous little-endian tensor in each lane, or -1 for a lane that holds 0.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    slices: npt.NDArray[np.int32]
    addrs: npt.NDArray[np.int32]
    index: npt.NDArray[np.int32]

    @property
    def nbytes(self) -> int:
        """Bytes of the tensor."""
        return int(np.prod(self.shape)) * np.dtype(self.dtype).itemsize

    def pack(self, tensor: npt.NDArray[Any]) -> Bytes:
        """Return the MEM words, shape (n, vector_length) uint8, of a tensor.

        Raises
        ------
        TaktError
            When shape or dtype differ from the map's.
        """
        if tensor.shape != self.shape or tensor.dtype != np.dtype(self.dtype):
            raise TaktError(
                f"{self.name} must be {self.dtype} of shape {self.shape}, not {tensor.dtype} of shape {tensor.shape}"
            )
        flat = np.ascontiguousarray(tensor).view(np.uint8).reshape(-1)
        return np.where(self.index < 0, np.uint8(0), flat[self.index])

    def unpack(self, words: Bytes) -> npt.NDArray[Any]:
        """Return the tensor held by MEM words of shape (n, vector_length) uint8."""
        flat = np.zeros(self.nbytes, np.uint8)
        used = self.index >= 0
        flat[self.index[used]] = words[used]
        return flat.view(np.dtype(self.dtype)).reshape(self.shape)


@dataclass(frozen=True)
class Image:
    """A program, its constants, where its inputs and outputs live, and how long it takes.

    Attributes
    ----------
    config : Config
        Machine it was compiled for.
    queues : mapping of int to ndarray of uint64
        Words of each used queue, by queue number.
    constant_slices, constant_addrs : ndarray, shape (n,), int32
    constant_words : ndarray, shape (n, vector_length), uint8
        MEM contents that belong to the program: constants, and first values of what a run leaves to the next one. The
        host writes them once, when it loads the image.
    inputs, outputs : tuple of TensorMap
    cycles : int
        Predicted cycles from the first issue to the last retirement.
    notes : mapping
        JSON values for reports: what the program is (``work``), ``macs``, ``planes`` used.
    """

    config: Config
    queues: Mapping[int, Words]
    constant_slices: npt.NDArray[np.int32]
    constant_addrs: npt.NDArray[np.int32]
    constant_words: Bytes
    inputs: tuple[TensorMap, ...]
    outputs: tuple[TensorMap, ...]
    cycles: int
    notes: Mapping[str, Any] = field(default_factory=dict)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the image, replacing `path` only once the whole file is written."""
        arrays = self._arrays()
        header = {
            "format": FORMAT,
            "version": VERSION,
            "config": self.config.as_dict(),
            "fingerprint": f"{self.config.fingerprint:016x}",
            "cycles": self.cycles,
            "notes": dict(self.notes),
            "queues": sorted(int(queue) for queue in self.queues),
            "inputs": [_describe(tensor) for tensor in self.inputs],
            "outputs": [_describe(tensor) for tensor in self.outputs],
        }
        text = json.dumps(header, sort_keys=True).encode()
        arrays["header"] = np.frombuffer(text, np.uint8)
        arrays["digest"] = np.frombuffer(_digest(arrays), np.uint8)
        buffer = io.BytesIO()
        np.savez_compressed(buffer, allow_pickle=False, **arrays)
        write_whole(path, buffer.getvalue(), "image")

    def _arrays(self) -> dict[str, npt.NDArray[Any]]:
        arrays: dict[str, npt.NDArray[Any]] = {
            "constant_slices": self.constant_slices,
            "constant_addrs": self.constant_addrs,
            "constant_words": self.constant_words,
        }
        for queue, words in self.queues.items():
            arrays[f"queue_{queue}"] = np.asarray(words, np.uint64)
        for role, tensors in (("input", self.inputs), ("output", self.outputs)):
            for number, tensor in enumerate(tensors):
                for part in ("slices", "addrs", "index"):
                    arrays[f"{role}_{number}_{part}"] = getattr(tensor, part)
        return arrays

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "Image":
        """Read an image.

        Raises
        ------
        TaktError
            When the file is missing, is not an image, is damaged, or is of another version.
        """
        try:
            with Path(path).open("rb") as raw, np.load(raw, allow_pickle=False) as file:
                arrays = {name: file[name] for name in file.files}
            header = json.loads(arrays["header"].tobytes())
            if header["format"] != FORMAT:
                raise KeyError
        except OSError as error:
            raise TaktError(f"cannot read image {str(path)!r}: {error.strerror or error}") from None
        except Exception:  # whatever a damaged archive provokes in zipfile, zlib, struct and NumPy
            raise TaktError(f"{str(path)!r} is not a Takt image, or is damaged") from None
        if header.get("version") != VERSION:
            raise TaktError(f"image version must be {VERSION}, not {header.get('version')!r}, in {str(path)!r}")
        expected = arrays.pop("digest", np.zeros(0, np.uint8)).tobytes()
        if _digest(arrays) != expected:
            raise TaktError(f"{str(path)!r} is damaged: its digest does not match its contents")
        config = Config.from_dict(header["config"])
        if f"{config.fingerprint:016x}" != header["fingerprint"]:
            raise TaktError(f"{str(path)!r} was compiled by a version of Takt with another machine of these parameters")
        return cls(
            config=config,
            queues={queue: arrays[f"queue_{queue}"] for queue in header["queues"]},
            constant_slices=arrays["constant_slices"],
            constant_addrs=arrays["constant_addrs"],
            constant_words=arrays["constant_words"],
            inputs=_tensors("input", header["inputs"], arrays),
            outputs=_tensors("output", header["outputs"], arrays),
            cycles=header["cycles"],
            notes=header["notes"],
        )

    def check_machine(self, config: Config) -> None:
        """Raise TaktError unless the image was compiled for `config`."""
        if self.config.fingerprint != config.fingerprint:
            raise TaktError(
                f"image is for {self.config.name} {self.config.fingerprint:016x}, "
                f"not for {config.name} {config.fingerprint:016x}"
            )


def _describe(tensor: TensorMap) -> dict[str, Any]:
    return {"name": tensor.name, "dtype": tensor.dtype, "shape": list(tensor.shape)}


def _tensors(role: str, headers: list[dict[str, Any]], arrays: dict[str, npt.NDArray[Any]]) -> tuple[TensorMap, ...]:
    return tuple(
        TensorMap(
            item["name"],
            item["dtype"],
            tuple(item["shape"]),
            *(arrays[f"{role}_{number}_{part}"] for part in ("slices", "addrs", "index")),
        )
        for number, item in enumerate(headers)
    )


def _digest(arrays: Mapping[str, npt.NDArray[Any]]) -> bytes:
    digest = hashlib.sha256()
    for name in sorted(arrays):
        value = np.ascontiguousarray(arrays[name])
        digest.update(f"{name}:{value.dtype.str}:{value.shape};".encode())
        digest.update(value.tobytes())
    return digest.digest()
