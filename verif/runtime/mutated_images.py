"""Images as a stranger might make them: sound files with right digests, whose contents make no sense."""

import copy
import io
import json
import tempfile
import warnings
import zipfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from arch.image import Image
from arch.image_file import digest_of
from arch.isa.encoding import encode
from arch.isa.table import INSTRUCTIONS
from arch.presets import preset
from compiler.expression.functions import cast, exp
from compiler.program import Program
from runtime.gemm import blank_gemm, compile_gemm
from verif.runtime.hand_made import relu_image

NANO = preset("nano")

VALUES: list[Any] = [
    None,
    True,
    False,
    -1,
    0,
    1,
    7,
    999,
    1 << 31,
    1 << 47,
    1 << 63,
    1 << 70,
    10**400,
    -(10**30),
    0.5,
    -0.0,
    1e308,
    float("nan"),
    float("inf"),
    "",
    "x",
    "a\nb",
    "\x1b[2J",
    "\ud800",
    "$x^$",
    "int8",
    "float64",
    "object",
    "y" * 5000,
    [],
    {},
    [[]],
    [1, 2],
    {"name": 1},
]
"""What takes the place of a value of a header."""

DTYPES = ["<i8", ">i4", "<i2", "<f8", "?", "<u8", "<c16", "S4", "<U3", "<M8[s]", "i4,f8", "V8"]
"""What takes the place of an array's dtype."""


class Contents:
    """Header and arrays of an image file, to be changed.

    Attributes
    ----------
    header : object
        What becomes JSON.
    arrays : dict of str to ndarray
    text : callable
        Changes the header's text last of all.
    extra : list of (str, bytes)
        Members to add to the archive as they are.
    method : int
        How the archive is compressed.
    endless : bool
        Whether the program may run for as long as the header says.
    """

    def __init__(self, image: Image) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "image"
            image.save(path)
            with np.load(path) as file:
                self.arrays = {name: file[name] for name in file.files if name not in ("header", "digest")}
                self.header: Any = json.loads(file["header"].tobytes())
        self.text: Callable[[bytes], bytes] = lambda text: text
        self.extra: list[tuple[str, bytes]] = []
        self.method = zipfile.ZIP_DEFLATED
        self.endless = False

    def write(self, path: Path) -> None:
        """Write the file, its digest that of its contents."""
        arrays = dict(self.arrays)
        arrays["header"] = np.frombuffer(self.text(json.dumps(self.header).encode()), np.uint8)
        plain = {name: value for name, value in arrays.items() if not value.dtype.hasobject}
        arrays["digest"] = np.frombuffer(digest_of(plain), np.uint8)
        # zipfile warns of a name that it writes twice.
        with warnings.catch_warnings(action="ignore"), zipfile.ZipFile(path, "w", self.method) as archive:
            for name, value in arrays.items():
                member = io.BytesIO()
                np.lib.format.write_array(member, value, allow_pickle=True)
                archive.writestr(f"{name}.npy", member.getvalue())
            for name, content in self.extra:
                archive.writestr(name, content)


@cache
def originals() -> tuple[Contents, ...]:
    """Return the contents of images of every kind: by hand, products, passes, states, fetched text."""
    rng = np.random.default_rng(1)
    short = NANO.replace(queue_depth=16)
    program = Program(NANO, "a recurrence")
    state = program.state("h", (3, 11), "float32")
    x = program.input("x", (3, 11), "float32")
    y = program.map(lambda a, b: exp(a * 0.1) + b, x, state)
    program.update(state, y)
    program.output("y", y)
    lookup = Program(NANO, "a look-up")
    table = lookup.constant("table", rng.integers(-99, 99, (20, 9), dtype=np.int8))
    rows = lookup.gather(table, lookup.input("rows", (5,), "int32"))
    lookup.output("z", lookup.map(lambda a: cast(a, "int32") * 3, rows))
    return tuple(
        Contents(image)
        for image in (
            relu_image(NANO),
            compile_gemm(NANO, blank_gemm(9, 17, 10)),
            compile_gemm(NANO, blank_gemm(5, 9, 6, "fp16")),
            compile_gemm(short, blank_gemm(30, 40, 40)),
            program.compile(),
            lookup.compile(),
        )
    )


def mutated(rng: np.random.Generator) -> tuple[Contents, Contents, list[str]]:
    """Return contents with up to three changes, those that they come from, and the names of the changes."""
    original = originals()[rng.integers(len(originals()))]
    contents = copy.deepcopy(original)
    legal = [CHANGES, MEANINGS][rng.integers(2)]
    changes = [legal[rng.integers(len(legal))] for _ in range(rng.integers(1, 4))]
    for change in changes:
        change(contents, rng)
    if contents.endless and isinstance(contents.header, dict) and contents.header.get("cycles", 0) in VALUES:
        # Nobody waits for the end of a program that says it takes years.
        contents.header["cycles"] = original.header["cycles"]
    return contents, original, [change.__name__[1:] for change in changes]


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield every container within a JSON value with every key or index of it."""
    for key in list(value) if isinstance(value, dict) else range(len(value) if isinstance(value, list) else 0):
        yield value, key
        yield from places(value[key])


def _place(contents: Contents, rng: np.random.Generator) -> tuple[Any, Any]:
    found = [*places(contents.header)] or [({"none": 0}, "none")]
    return found[rng.integers(len(found))]


def _value_replaced(contents: Contents, rng: np.random.Generator) -> None:
    container, key = _place(contents, rng)
    container[key] = copy.deepcopy(VALUES[rng.integers(len(VALUES))])


def _value_nudged(contents: Contents, rng: np.random.Generator) -> None:
    container, key = _place(contents, rng)
    if type(container[key]) is int:
        container[key] += int(rng.choice([-100, -2, -1, 1, 2, 100]))
    elif isinstance(container[key], str):
        container[key] = container[key][1:] + container[key][:1]


def _key_deleted(contents: Contents, rng: np.random.Generator) -> None:
    container, key = _place(contents, rng)
    del container[key]


def _key_renamed(contents: Contents, rng: np.random.Generator) -> None:
    container, key = _place(contents, rng)
    if isinstance(container, dict):
        container[f"{key}s"] = container.pop(key)
    else:
        container.append(copy.deepcopy(container[key]))


def _values_swapped(contents: Contents, rng: np.random.Generator) -> None:
    (first, a), (second, b) = _place(contents, rng), _place(contents, rng)
    first[a], second[b] = copy.deepcopy(second[b]), copy.deepcopy(first[a])


def _text_damaged(contents: Contents, rng: np.random.Generator) -> None:
    at, kind, byte = int(rng.integers(1 << 16)), int(rng.integers(6)), int(rng.integers(256))

    def change(text: bytes) -> bytes:
        middle = at % max(len(text), 1)
        return [
            text[:middle] + bytes([byte]) + text[middle + 1 :],
            text[:middle],
            b"[" * 100_000,
            text.replace(b'"cycles"', b'"cycles": 1, "cycles"', 1),
            text.replace(b'"cycles": ', b'"cycles": ' + b"9" * 5000, 1),
            text.decode(errors="replace").encode("utf-16"),
        ][kind]

    contents.text = change


def _array(contents: Contents, rng: np.random.Generator) -> str:
    return sorted(contents.arrays)[rng.integers(len(contents.arrays))] if contents.arrays else ""


def _array_deleted(contents: Contents, rng: np.random.Generator) -> None:
    contents.arrays.pop(_array(contents, rng), None)


def _array_renamed(contents: Contents, rng: np.random.Generator) -> None:
    name = _array(contents, rng)
    if name:
        contents.arrays[str(rng.choice(["queue_999", "a/b", "..", "\u00fc", "constant_words2"]))] = contents.arrays[
            name
        ]


def _array_resized(contents: Contents, rng: np.random.Generator) -> None:
    name = _array(contents, rng)
    if name:
        value = contents.arrays[name]
        contents.arrays[name] = [
            value[:-1],
            value[:0],
            np.concatenate([value, value]),
            np.repeat(value, 400, axis=0),
            value[None],
            value[..., None],
            value.reshape(-1)[:1].reshape(()) if value.size else value,
            np.asfortranarray(np.concatenate([value, value]).reshape(2, -1)),
        ][rng.integers(8)]


def _array_retyped(contents: Contents, rng: np.random.Generator) -> None:
    name = _array(contents, rng)
    if name:
        shape = contents.arrays[name].shape
        dtype = np.dtype(object) if rng.integers(8) == 0 else np.dtype(DTYPES[rng.integers(len(DTYPES))])
        contents.arrays[name] = np.zeros(shape, dtype)


def _number_changed(contents: Contents, rng: np.random.Generator) -> None:
    name = _array(contents, rng)
    if name and contents.arrays[name].size and contents.arrays[name].dtype.kind in "iu":
        contents.endless |= name.startswith(("queue", "constant"))
        value = contents.arrays[name] = contents.arrays[name].copy()
        limits = np.iinfo(value.dtype)
        flat = value.reshape(-1)
        flat[rng.integers(flat.size)] = [limits.min, limits.max, 0, 1, limits.max // 3][rng.integers(5)]


def _bit_flipped(contents: Contents, rng: np.random.Generator) -> None:
    name = _array(contents, rng)
    if name and contents.arrays[name].nbytes:
        contents.endless |= name.startswith(("queue", "constant"))
        value = contents.arrays[name] = np.ascontiguousarray(contents.arrays[name]).copy()
        content = value.reshape(-1).view(np.uint8)
        content[rng.integers(content.size)] ^= 1 << int(rng.integers(8))


def _rows_shuffled(contents: Contents, rng: np.random.Generator) -> None:
    name = _array(contents, rng)
    if name and contents.arrays[name].ndim:
        contents.endless |= name.startswith(("queue", "constant"))
        contents.arrays[name] = rng.permutation(contents.arrays[name])


def _arrays_swapped(contents: Contents, rng: np.random.Generator) -> None:
    first, second = _array(contents, rng), _array(contents, rng)
    if first:
        contents.endless = True
        arrays = contents.arrays
        arrays[first], arrays[second] = arrays[second], arrays[first]


def _words_randomised(contents: Contents, rng: np.random.Generator) -> None:
    queues = [name for name in contents.arrays if name.startswith("queue_")]
    if queues:
        contents.endless = True
        name = queues[rng.integers(len(queues))]
        words = contents.arrays[name].copy().reshape(-1)
        for at in rng.integers(max(words.size, 1), size=rng.integers(1, 9)):
            if words.size and words.dtype == np.uint64:
                words[at] = _word(rng)
        contents.arrays[name] = words


def _word_moved(contents: Contents, rng: np.random.Generator) -> None:
    queues = [name for name in contents.arrays if name.startswith("queue_")]
    first, second = (queues[rng.integers(len(queues))] for _ in range(2))
    if contents.arrays[first].size and contents.arrays[second].size:
        contents.endless = True
        word = rng.choice(contents.arrays[first])
        contents.arrays[second] = contents.arrays[second].copy()
        contents.arrays[second][rng.integers(contents.arrays[second].size)] = word


def _words_repeated(contents: Contents, rng: np.random.Generator) -> None:
    queues = [name for name in contents.arrays if name.startswith("queue_")]
    name = queues[rng.integers(len(queues))]
    words = contents.arrays[name]
    contents.endless = True
    at = sorted(rng.integers(words.size + 1, size=2).tolist())
    room = int(contents.header["config"]["queue_depth"]) - words.size
    contents.arrays[name] = np.concatenate([words[: at[1]], words[at[0] : at[1]][:room], words[at[1] :]])


def _constant_flipped(contents: Contents, rng: np.random.Generator) -> None:
    words = contents.arrays["constant_words"]
    if words.size:
        contents.endless = True
        contents.arrays["constant_words"] = words.copy()
        contents.arrays["constant_words"][tuple(rng.integers(words.shape))] ^= 1 << int(rng.integers(8))


def _word(rng: np.random.Generator) -> int:
    if rng.integers(4) == 0:
        return int(rng.integers(1 << 64, dtype=np.uint64))
    row = INSTRUCTIONS[rng.integers(len(INSTRUCTIONS))]
    small = rng.integers(2)
    return encode(
        row.mnemonic,
        **{
            field.name: int(rng.integers(field.minimum, min(field.maximum, 3) + 1 if small else field.maximum + 1))
            for field in row.fields
        },
    )


def _member_added(contents: Contents, rng: np.random.Generator) -> None:
    name = f"{_array(contents, rng)}.npy"
    contents.extra.append(
        [(name, b""), ("readme.txt", b"hello"), ("/etc/x.npy", b"\x93NUMPY"), (name, b"\0" * 999)][rng.integers(4)]
    )


def _shape_overstated(contents: Contents, rng: np.random.Generator) -> None:
    name = _array(contents, rng)
    if name and not contents.arrays[name].dtype.hasobject:
        member = io.BytesIO()
        kind = np.lib.format.dtype_to_descr(contents.arrays[name].dtype)
        shape = [(1 << 40,), (1 << 62, 8), (-1,), (1 << 20, 8)][rng.integers(4)]
        np.lib.format.write_array_header_1_0(member, {"descr": kind, "fortran_order": False, "shape": shape})
        del contents.arrays[name]
        contents.extra.append((f"{name}.npy", member.getvalue()))


def _compressed_otherwise(contents: Contents, rng: np.random.Generator) -> None:
    contents.method = [zipfile.ZIP_STORED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA][rng.integers(3)]


CHANGES = [
    _value_replaced,
    _value_nudged,
    _key_deleted,
    _key_renamed,
    _values_swapped,
    _text_damaged,
    _array_deleted,
    _array_renamed,
    _array_resized,
    _array_retyped,
    _number_changed,
    _bit_flipped,
    _rows_shuffled,
    _arrays_swapped,
    _words_randomised,
    _member_added,
    _shape_overstated,
    _compressed_otherwise,
]
"""Each changes contents in one way."""

MEANINGS = [_words_randomised, _words_repeated, _word_moved, _constant_flipped]
"""Changes of a program that leave the file an image."""
