"""Arrays in one file, read as if a stranger had made it: nothing is allocated before its size is known to be right."""

import contextlib
import hashlib
import io
import os
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from arch.errors import TaktError
from arch.files import write_whole

_SUFFIX = ".npy"
_CHUNK = 1 << 20
"""Bytes that are unpacked at a time."""
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""What NumPy writes. Of other methods, Python unpacks the whole at once."""

Array = npt.NDArray[Any]


class Kind(NamedTuple):
    """Dtype and shape of an array that is not read yet."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]

    @property
    def nbytes(self) -> int:
        """Bytes of the array."""
        size = self.dtype.itemsize
        for length in self.shape:
            size *= length
        return size


class ImageFile:
    """The arrays of an ``.npz`` file, by name; use it as a context.

    Parameters
    ----------
    path : path-like

    Attributes
    ----------
    where : str
        The file's name, for messages.

    Raises
    ------
    TaktError
        From every method, when the file cannot be read, is no archive of arrays, or is damaged.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.where = repr(str(path))
        self._path = Path(path)
        self._members: dict[str, zipfile.ZipInfo] = {}
        self._headers: dict[str, tuple[Kind, int]] = {}

    def __enter__(self) -> "ImageFile":
        with self._sound(), contextlib.ExitStack() as stack:
            raw = stack.enter_context(self._path.open("rb"))
            self._zip = stack.enter_context(zipfile.ZipFile(raw))
            for member in self._zip.infolist():
                name = member.filename.removesuffix(_SUFFIX)
                if name in self._members or name == member.filename or member.compress_type not in _METHODS:
                    raise ValueError
                self._members[name] = member
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    @property
    def names(self) -> frozenset[str]:
        """Of the arrays."""
        return frozenset(self._members)

    def kind(self, name: str) -> Kind:
        """Return what an array is; its contents are not read."""
        return self._header(name)[0]

    def read(self, name: str) -> Array:
        """Return an array. The caller has looked at its `kind` before, and found it right."""
        kind, start = self._header(name)
        with self._sound(), self._open(name) as member:
            found = np.empty(kind.shape, kind.dtype)
            # Not the array's own shape: no view of an empty array is a row of bytes.
            content = found.reshape(-1).view(np.uint8).data
            member.read(start)
            at = 0
            while chunk := member.read(_CHUNK):
                content[at : at + len(chunk)] = chunk
                at += len(chunk)
            if at != kind.nbytes:
                raise ValueError
            return found

    def _open(self, name: str) -> IO[bytes]:
        return self._zip.open(self._members[name])

    def _header(self, name: str) -> tuple[Kind, int]:
        """Return what an array is, and where in its member the contents begin."""
        if name not in self._headers:
            with self._sound(), self._open(name) as member:
                if np.lib.format.read_magic(member) != (1, 0):
                    raise ValueError
                shape, fortran_order, dtype = np.lib.format.read_array_header_1_0(member)
                if fortran_order or dtype.hasobject or any(size < 0 for size in shape):
                    raise ValueError
                self._headers[name] = Kind(dtype, shape), member.tell()
        return self._headers[name]

    @contextlib.contextmanager
    def _sound(self) -> Iterator[None]:
        """Turn whatever a damaged archive provokes in zipfile, zlib, struct, ast and NumPy into an error."""
        try:
            with warnings.catch_warnings(action="error"):
                yield
        except OSError as error:
            raise TaktError(f"cannot read image {self.where}: {error.strerror or error}") from None
        except Exception:
            raise TaktError(f"{self.where} is not a Takt image, or is damaged") from None


def write_arrays(path: str | os.PathLike[str], arrays: Mapping[str, Array]) -> None:
    """Write arrays, replacing `path` only once the whole file is written.

    Raises
    ------
    TaktError
        When the file cannot be written.
    """
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **dict(arrays))
    write_whole(path, buffer.getvalue(), "image")


def digest_of(arrays: Mapping[str, Array]) -> bytes:
    """Return the digest of names, dtypes, shapes and contents."""
    digest = hashlib.sha256()
    for name in sorted(arrays):
        value = np.ascontiguousarray(arrays[name])
        digest.update(f"{name}:{value.dtype.str}:{value.shape};".encode())
        digest.update(value.tobytes())
    return digest.digest()
