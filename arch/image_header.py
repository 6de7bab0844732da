"""The header of an image: its keys, and what each may say."""

import json
import math
from collections.abc import Iterable, Mapping
from typing import Any, NoReturn

import numpy as np

from arch.config import Config
from arch.errors import TaktError, shown
from arch.formats import DType
from arch.geometry import units
from arch.host import COUNTER_BITS

HEADER_BYTES = 1 << 22
"""Longest header: room for thousands of tensors."""

DTYPES = ("uint8", *(dtype.numpy.name for dtype in DType))
"""Formats of tensors that the host writes and reads: those of the VXM, and plain bytes."""

TENSOR_BYTES = (1 << 31) - 1
"""Largest tensor: its bytes are numbered by int32."""

_RANK = 32
_NAME = 256
_KEYS = ("format", "version", "config", "fingerprint", "cycles", "notes", "queues", "inputs", "outputs")
_NOTES = {"work": str, "macs": int, "planes": int, "macs_per_cycle": int, "instructions": int}
EDGE = "edge"
"""Note of a model's image: for each input and output the type and the shape that the model gives it."""
_TENSOR = ("name", "dtype", "shape")


def check_name(what: str, value: object) -> None:
    """Raise TaktError unless `value` can be the name of a tensor or a program: it stands in lines of text."""
    if not isinstance(value, str) or not 0 < len(value) <= _NAME or not value.isprintable():
        refuse(what, f"1 to {_NAME} printable characters", value)


def parse_header(content: bytes) -> Any:
    """Return the value of JSON text as strict as what is written: no key twice, no NaN, no infinity.

    Raises
    ------
    ValueError, RecursionError
        For anything else.
    """
    return json.loads(
        content.decode(), object_pairs_hook=_once, parse_constant=_no_number, parse_float=_finite, parse_int=int
    )


def check_header(header: Mapping[str, Any]) -> Config:
    """Return the machine of an image whose header is in order.

    Raises
    ------
    TaktError
        Naming the first key that is missing, unknown or wrong.
    """
    _check_keys("header", header, _KEYS)
    if not isinstance(header["config"], dict):
        refuse("config", "an object of parameters", header["config"])
    config = Config.from_dict(header["config"])
    check_name("name of the machine", config.name)
    if header["fingerprint"] != f"{config.fingerprint:016x}":
        raise TaktError(
            f"image must be of a version of Takt whose machine of these parameters is {config.fingerprint:016x}, "
            f"not {shown(header['fingerprint'])}"
        )
    _check_int("cycles", header["cycles"], 0, (1 << COUNTER_BITS) - 1)
    _check_notes(header["notes"])
    _check_list("queues", header["queues"])
    for number, queue in enumerate(header["queues"]):
        _check_int("queue", queue, 0, len(units(config)) - 1)
        if queue in header["queues"][:number]:
            raise TaktError(f"queues must be named once, not {queue} again")
    for role in ("input", "output"):
        _check_tensors(role, header[f"{role}s"])
    return config


def _check_notes(notes: Any) -> None:
    if not isinstance(notes, dict):
        refuse("notes", "an object", notes)
    for key, value in notes.items():
        if key == EDGE:
            _check_edge(value)
            continue
        if key not in _NOTES:
            refuse("notes", f"among {', '.join([*_NOTES, EDGE])}", key)
        if _NOTES[key] is str:
            check_name(key, value)
        else:
            _check_int(key, value, 0, (1 << 63) - 1)


def _check_edge(edge: Any) -> None:
    if not isinstance(edge, dict):
        refuse(EDGE, "an object", edge)
    _check_keys(EDGE, edge, ("inputs", "outputs"))
    for role, tensors in edge.items():
        if not isinstance(tensors, dict):
            refuse(f"{role} of {EDGE}", "an object", tensors)
        for name, entry in tensors.items():
            check_name(f"name in the {role} of {EDGE}", name)
            if not isinstance(entry, dict):
                refuse(f"{name} of {EDGE}", "an object of dtype, shape", entry)
            _check_keys(f"{name} of {EDGE}", entry, ("dtype", "shape"))
            check_name(f"dtype of {name}", entry["dtype"])
            _check_list(f"shape of {name}", entry["shape"])
            if len(entry["shape"]) > _RANK:
                refuse(f"rank of {name}", f"at most {_RANK}", len(entry["shape"]))
            for size in entry["shape"]:
                _check_int(f"size of {name}", size, 1, TENSOR_BYTES)


def _check_tensors(role: str, tensors: Any) -> None:
    _check_list(f"{role}s", tensors)
    names = set()
    for tensor in tensors:
        if not isinstance(tensor, dict):
            refuse(role, f"an object of {', '.join(_TENSOR)}", tensor)
        _check_keys(role, tensor, _TENSOR)
        name, dtype, shape = (tensor[key] for key in _TENSOR)
        check_name(f"name of an {role}", name)
        if name in names:
            refuse(f"name of an {role}", "new", name)
        names.add(name)
        if dtype not in DTYPES:
            refuse(f"dtype of {role} {name}", f"one of {', '.join(DTYPES)}", dtype)
        _check_list(f"shape of {role} {name}", shape)
        if len(shape) > _RANK:
            refuse(f"rank of {role} {name}", f"at most {_RANK}", len(shape))
        for size in shape:
            _check_int(f"size of {role} {name}", size, 1, TENSOR_BYTES)
        if math.prod(shape) * np.dtype(dtype).itemsize > TENSOR_BYTES:
            refuse(f"shape of {role} {name}", f"of at most {TENSOR_BYTES} bytes of {dtype}", shape)


def _check_keys(what: str, found: Mapping[str, Any], keys: Iterable[str]) -> None:
    for key in keys:
        if key not in found:
            raise TaktError(f"{what} must have the key {key!r}, not only {', '.join(map(shown, sorted(found)[:9]))}")
    for key in found.keys() - set(keys):
        refuse(f"keys of the {what}", f"among {', '.join(keys)}", key)


def _check_list(what: str, value: Any) -> None:
    if not isinstance(value, list):
        refuse(what, "a list", value)


def _check_int(what: str, value: Any, least: int, most: int) -> None:
    # A bool is an int to Python.
    if type(value) is not int or not least <= value <= most:
        refuse(what, f"an integer from {least} to {most}", value)


def refuse(what: str, legal: str, value: object) -> NoReturn:
    """Raise the error of a value that is not what it must be."""
    raise TaktError(f"{what} must be {legal}, not {shown(value)}")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError
    return found


def _no_number(text: str) -> NoReturn:
    raise ValueError(text)


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(text)
    return value
