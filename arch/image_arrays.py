"""The arrays of an image: what each must be, and what its values may be."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from arch.config import Config
from arch.errors import TaktError, shown
from arch.image_header import refuse

_PARTS = ("slices", "addrs", "index")

Int32 = npt.NDArray[np.int32]


class Expected(NamedTuple):
    """Limit of an array: `rows` at most, each of the shape `row`."""

    dtype: str
    rows: int
    row: tuple[int, ...]


def expected_arrays(header: Mapping[str, Any], config: Config) -> dict[str, Expected]:
    """Return what every array must be of an image whose header is in order."""
    words, vector = config.slices * 2 * config.mem_depth, config.vector_length
    found = {
        "constant_slices": Expected("int32", words, ()),
        "constant_addrs": Expected("int32", words, ()),
        "constant_words": Expected("uint8", words, (vector,)),
    }
    for queue in header["queues"]:
        # A few words too many are a program's fault, OVERRUN, which the machine reports.
        found[f"queue_{queue}"] = Expected("uint64", 2 * config.queue_depth, ())
    for role in ("input", "output"):
        for number in range(len(header[f"{role}s"])):
            for part in _PARTS:
                found[f"{role}_{number}_{part}"] = Expected("int32", words, (vector,) if part == "index" else ())
    return found


def check_arrays(
    header: Mapping[str, Any], config: Config, names: Iterable[str], kind: Callable[[str], Any]
) -> list[str]:
    """Return the names of an image's arrays, each of which is there and has its dtype and a possible shape.

    Parameters
    ----------
    header, config
        In order.
    names
        Of the arrays that there are.
    kind : callable
        From a name to dtype and shape.
    """
    expected, there = expected_arrays(header, config), set(names)
    for name in expected.keys() - there:
        raise TaktError(f"image must hold the array {name!r}, which is missing")
    for name in there - expected.keys():
        raise TaktError(f"arrays must be those that the header names, not {shown(name)}")
    kinds = {name: kind(name) for name in expected}
    for name, (dtype, rows, row) in expected.items():
        found = kinds[name]
        if found.dtype != np.dtype(dtype):
            refuse(f"dtype of {name}", dtype, str(found.dtype))
        if found.shape[1:] != row or not found.shape or found.shape[0] > rows:
            legal = ", ".join(["n", *map(str, row)])
            refuse(f"shape of {name}", f"({legal}{'' if row else ','}) with n at most {rows}", found.shape)
    for first, *others in _alike(header):
        for other in others:
            if kinds[other].shape[0] != kinds[first].shape[0]:
                refuse(f"rows of {other}", f"{kinds[first].shape[0]}, those of {first}", kinds[other].shape[0])
    return [*expected]


def check_contents(header: Mapping[str, Any], config: Config, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
    """Raise TaktError unless the values of arrays, which are of the right kinds, make sense.

    Every word is in MEM, the host writes each once, and every byte of an output is read.
    """
    written = [_places(config, "constant", arrays)]
    for role in ("input", "output"):
        for number, tensor in enumerate(header[f"{role}s"]):
            name = f"{role}_{number}"
            places = _places(config, name, arrays)
            index = arrays[f"{name}_index"]
            size = math.prod(tensor["shape"]) * np.dtype(tensor["dtype"]).itemsize
            wrong = index[(index < -1) | (index >= size)]
            if wrong.size:
                refuse(f"index of {role} {tensor['name']}", f"-1 to {size - 1}", int(wrong[0]))
            if role == "input":
                written.append(places)
            elif (missing := _missing(index, size)) is not None:
                raise TaktError(f"every byte of output {tensor['name']} must be in MEM, not all but byte {missing}")
    every = np.sort(np.concatenate(written))
    twice = every[1:][every[1:] == every[:-1]]
    if twice.size:
        slice_, addr = divmod(int(twice[0]), 2 * config.mem_depth)
        raise TaktError(f"constants and inputs must have words of their own, not both word {addr} of slice {slice_}")


def _alike(header: Mapping[str, Any]) -> Iterator[list[str]]:
    """Yield the names of arrays that have as many rows as the first of them."""
    yield ["constant_slices", "constant_addrs", "constant_words"]
    for role in ("input", "output"):
        yield from ([f"{role}_{number}_{part}" for part in _PARTS] for number in range(len(header[f"{role}s"])))


def _places(config: Config, name: str, arrays: Mapping[str, npt.NDArray[Any]]) -> npt.NDArray[np.int64]:
    """Return the numbers of MEM words, which are all in MEM."""
    depth = 2 * config.mem_depth
    for part, limit in (("slices", config.slices), ("addrs", depth)):
        values = arrays[f"{name}_{part}"]
        wrong = values[(values < 0) | (values >= limit)]
        if wrong.size:
            refuse(f"{name}_{part}", f"0 to {limit - 1}", int(wrong[0]))
    places: npt.NDArray[np.int64] = arrays[f"{name}_slices"].astype(np.int64) * depth + arrays[f"{name}_addrs"]
    return places


def _missing(index: Int32, size: int) -> int | None:
    """Return a byte, below `size`, that no lane holds."""
    if size > index.size:
        found = np.unique(index[index >= 0])
        gaps = np.flatnonzero(found != np.arange(found.size))
        return int(gaps[0]) if gaps.size else found.size
    held = np.zeros(size, np.bool_)
    held[index[index >= 0]] = True
    return None if held.all() else int(held.argmin())
