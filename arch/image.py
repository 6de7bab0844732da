"""The image: a compiled program as one file."""

import contextlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from arch.config import Config
from arch.errors import TaktError, shown
from arch.image_arrays import check_arrays, check_contents
from arch.image_file import ImageFile, Kind, digest_of, write_arrays
from arch.image_header import HEADER_BYTES, check_header, parse_header

FORMAT = "takt-image"
VERSION = 1
"""Raised whenever a reader of the old version would misread the new one."""

_DIGEST = Kind(np.dtype(np.uint8), (32,))
_PATIENCE = 10_000

Words = npt.NDArray[np.uint64]
Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class TensorMap:
    """Places of the bytes of a tensor in MEM.

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
        """Write the image, replacing `path` only once the whole file is written.

        Raises
        ------
        TaktError
            When the file cannot be written, or the image is none that `load` would take.
        """
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
        # What could not be read again is not written.
        check_header(header)
        check_arrays(header, self.config, arrays, lambda name: Kind(arrays[name].dtype, arrays[name].shape))
        check_contents(header, self.config, arrays)
        arrays["header"] = np.frombuffer(json.dumps(header, sort_keys=True).encode(), np.uint8)
        arrays["digest"] = np.frombuffer(digest_of(arrays), np.uint8)
        write_arrays(path, arrays)

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
            When the file is missing, is not an image, is damaged, is of another version, or holds what no image may.
        """
        with ImageFile(path) as file:
            header = _read_header(file)
            version = header.get("version")
            if version != VERSION:
                raise TaktError(f"image version must be {VERSION}, not {shown(version)}, in {file.where}")
            try:
                config = check_header(header)
                names = check_arrays(header, config, file.names - {"header", "digest"}, file.kind)
            except TaktError as error:
                raise TaktError(f"{error}, in {file.where}") from None
            if "digest" not in file.names or file.kind("digest") != _DIGEST:
                raise TaktError(f"{file.where} is not a Takt image, or is damaged")
            arrays = {name: file.read(name) for name in ("header", *names)}
            if digest_of(arrays) != file.read("digest").tobytes():
                raise TaktError(f"{file.where} is damaged: its digest does not match its contents")
            try:
                check_contents(header, config, arrays)
            except TaktError as error:
                raise TaktError(f"{error}, in {file.where}") from None
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

    @property
    def limit(self) -> int:
        """Cycles after which a run is given up that should have ended after `cycles`: it may never end."""
        return 3 * self.cycles + _PATIENCE

    def check_machine(self, config: Config) -> None:
        """Raise TaktError unless the image was compiled for `config`."""
        if self.config.fingerprint != config.fingerprint:
            raise TaktError(
                f"image is for {self.config.name} {self.config.fingerprint:016x}, "
                f"not for {config.name} {config.fingerprint:016x}"
            )


def _read_header(file: ImageFile) -> dict[str, Any]:
    """Return the header, an object of this format and of any version."""
    if "header" in file.names:
        kind = file.kind("header")
        if kind.dtype == np.uint8 and len(kind.shape) == 1 and kind.nbytes <= HEADER_BYTES:
            with contextlib.suppress(ValueError, RecursionError):
                header = parse_header(file.read("header").tobytes())
                if isinstance(header, dict) and header.get("format") == FORMAT:
                    return header
    raise TaktError(f"{file.where} is not a Takt image, or is damaged")


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
