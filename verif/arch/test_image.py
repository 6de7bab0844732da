from pathlib import Path
from typing import Any

import numpy as np
import pytest

import arch.image
from arch.errors import TaktError
from arch.image import Image, TensorMap
from arch.presets import preset
from verif.arch.images import NANO, refusal, rewritten, sample, tensor_map


def same(a: Any, b: Any) -> bool:
    if isinstance(a, np.ndarray):
        return bool(a.dtype == b.dtype and np.array_equal(a, b))
    if isinstance(a, Image | TensorMap):
        return all(same(value, getattr(b, name)) for name, value in vars(a).items())
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, tuple):
        return len(a) == len(b) and all(map(same, a, b))
    return bool(a == b)


def test_round_trip(saved: Path) -> None:
    assert same(Image.load(saved), sample())
    assert [path.name for path in saved.parent.iterdir()] == [saved.name]


def test_empty_program(tmp_path: Path) -> None:
    none = np.zeros(0, np.int32)
    image = Image(NANO, {}, none, none, np.zeros((0, NANO.vector_length), np.uint8), (), (), 0)
    image.save(tmp_path / "empty.takt")
    assert same(Image.load(tmp_path / "empty.takt"), image)


@pytest.mark.parametrize("dtype,shape", [("int8", (3, 5)), ("int32", (2, 3)), ("float32", (4,)), ("int8", (1, 1))])
def test_tensors_survive_packing(dtype: str, shape: tuple[int, ...], rng: np.random.Generator) -> None:
    tensor = rng.integers(-100, 100, shape).astype(dtype)
    layout = tensor_map("x", dtype, shape)
    words = layout.pack(tensor)
    assert words.shape == layout.index.shape
    assert words.dtype == np.uint8
    assert not words[layout.index < 0].any()
    np.testing.assert_array_equal(layout.unpack(words), tensor)
    # Lane 0 holds the lowest byte of the first element.
    assert int(words[0, 0]) == int(tensor.reshape(-1)[0]) & 0xFF if dtype == "int8" else True


def test_tensors_that_are_not_contiguous_are_packed_by_value(rng: np.random.Generator) -> None:
    tensor = rng.integers(-128, 128, (5, 3), dtype=np.int8)
    layout = tensor_map("x", "int8", (3, 5))
    np.testing.assert_array_equal(layout.unpack(layout.pack(tensor.T)), tensor.T)


@pytest.mark.parametrize("wrong", [np.zeros((5, 3), np.int8), np.zeros((3, 5), np.uint8), np.zeros(15, np.int8)])
def test_tensor_of_another_kind_is_refused(wrong: Any) -> None:
    message = f"a must be int8 of shape \\(3, 5\\), not {wrong.dtype} of shape "
    with pytest.raises(TaktError, match=message):
        sample().inputs[0].pack(wrong)


def test_a_damaged_byte_anywhere_is_noticed_or_means_nothing(saved: Path, rng: np.random.Generator) -> None:
    """An image file with any byte changed is refused."""
    good = saved.read_bytes()
    noticed = 0
    places = range(int(rng.integers(4)), len(good), 4)
    for at in places:
        damaged = bytearray(good)
        damaged[at] ^= 0x5A
        saved.write_bytes(damaged)
        message = refusal(saved)
        if message is None:  # a time stamp or an attribute of the archive
            assert same(Image.load(saved), sample()), at
        else:
            noticed += 1
            assert "\n" not in message, at
    assert noticed > 0.7 * len(places)


def test_every_truncation_is_noticed(saved: Path) -> None:
    good = saved.read_bytes()
    for length in [*range(0, len(good), 29), len(good) - 1]:
        saved.write_bytes(good[:length])
        with pytest.raises(TaktError, match="is not a Takt image, or is damaged$"):
            Image.load(saved)


@pytest.mark.parametrize("member", ["constant_words", "queue_0", "input_0_index", "header"])
def test_changed_contents_with_a_sound_archive_are_noticed(saved: Path, member: str) -> None:
    with np.load(saved) as file:
        arrays = {name: file[name] for name in file.files}
    changed = arrays[member].copy()
    if member == "header":
        changed = np.frombuffer(changed.tobytes().replace(b'"cycles": 42', b'"cycles": 43'), np.uint8)
    else:
        changed.reshape(-1)[0] ^= 1
    np.savez_compressed(saved.with_suffix(".npz"), **{**arrays, member: changed})
    with pytest.raises(TaktError, match="is damaged: its digest does not match its contents"):
        Image.load(saved.with_suffix(".npz"))


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(TaktError, match="cannot read image '.*nothing.takt': No such file or directory"):
        Image.load(tmp_path / "nothing.takt")


def test_folder(tmp_path: Path) -> None:
    with pytest.raises(TaktError, match="cannot read image '.*': Is a directory"):
        Image.load(tmp_path)


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04 not a zip", b"\x93NUMPY"])
def test_other_files(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "other"
    path.write_bytes(content)
    with pytest.raises(TaktError, match="is not a Takt image, or is damaged$"):
        Image.load(path)


def test_numpy_files(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.zeros(3))
    np.savez(tmp_path / "b.npz", x=np.zeros(3))
    for name in ("a.npy", "b.npz"):
        with pytest.raises(TaktError, match="is not a Takt image, or is damaged$"):
            Image.load(tmp_path / name)


def test_other_format_and_version(saved: Path) -> None:
    rewritten(saved, version=arch.image.VERSION + 1)
    with pytest.raises(TaktError, match="image version must be 1, not 2, in "):
        Image.load(saved)
    rewritten(saved, format="other")
    with pytest.raises(TaktError, match="is not a Takt image, or is damaged$"):
        Image.load(saved)


def test_parameters_that_this_version_does_not_know(saved: Path) -> None:
    rewritten(saved, config={**NANO.as_dict(), "speed": 3})
    with pytest.raises(TaktError, match="parameters must be those of this version, not 'speed'"):
        Image.load(saved)


def test_fingerprint_of_another_version(saved: Path) -> None:
    rewritten(saved, fingerprint="0" * 16)
    message = "must be of a version of Takt whose machine of these parameters is [0-9a-f]{16}, not '0{16}'"
    with pytest.raises(TaktError, match=message):
        Image.load(saved)


def test_image_of_another_machine() -> None:
    image = sample()
    image.check_machine(NANO.replace(checks=False, name="mine"))
    other = preset("nano", ["superlanes=3"])
    message = f"image is for nano {NANO.fingerprint:016x}, not for nano {other.fingerprint:016x}"
    with pytest.raises(TaktError, match=message):
        image.check_machine(other)


@pytest.mark.parametrize("place", ["missing/program.takt", "file/program.takt", "."])
def test_places_that_cannot_be_written(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(TaktError, match="cannot write image "):
        sample().save(tmp_path / place)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file"]
