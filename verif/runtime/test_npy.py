import numpy as np
import pytest

from arch.errors import TaktError
from runtime.npy import load_array, save_array


@pytest.fixture
def values():
    return np.arange(-6, 6, dtype=np.int8).reshape(3, 4)


@pytest.mark.parametrize("order", ["C", "F"])
def test_layout_in_the_file_does_not_matter(values, order, tmp_path):
    np.save(tmp_path / "a.npy", np.asarray(values, order=order))
    found = load_array(tmp_path / "a.npy", "A", "int8", 2)
    assert found.flags.c_contiguous
    np.testing.assert_array_equal(found, values)


def test_big_endian_files_are_read(tmp_path):
    np.save(tmp_path / "bias.npy", np.array([1, -2], ">i4"))
    found = load_array(tmp_path / "bias.npy", "bias", "int32", 1)
    assert found.dtype == np.int32
    assert found.tolist() == [1, -2]


def wrong(path, content, message):
    path.write_bytes(content)
    with pytest.raises(TaktError, match=message) as error:
        load_array(path, "A", "int8", 2)
    assert "\n" not in str(error.value)


def test_damaged_files_are_refused(values, tmp_path):
    path = tmp_path / "a.npy"
    with pytest.raises(TaktError, match="cannot read A from .*: No such file"):
        load_array(path, "A")
    with pytest.raises(TaktError, match="Is a directory"):
        load_array(tmp_path, "A")
    np.save(path, values)
    content = path.read_bytes()
    wrong(path, content[:-1], "truncated")
    wrong(path, content[:20], "truncated or damaged")
    wrong(path, b"", "truncated or damaged")
    wrong(path, b"1,2,3\n4,5,6\n", "not a .npy file")
    wrong(path, content.replace(b"(3, 4)", b"(3, 4,"), "damaged")
    wrong(path, content.replace(b"(3, 4)", b"(3,-4)"), "damaged")
    np.save(path, np.array([{}, []], object))
    wrong(path, path.read_bytes(), "numbers, not of Python objects")
    np.savez(tmp_path / "a.npz", values)
    wrong(path, (tmp_path / "a.npz").read_bytes(), "archive")


def test_wrong_arrays_are_refused(values, tmp_path):
    path = tmp_path / "a.npy"
    for array, message in (
        (values.astype(np.uint8), "A must be int8, not uint8"),
        (values.astype(np.float64), "A must be int8, not float64"),
        (values[0], "A must have 2 dimensions, not 1"),
        (values[None], "A must have 2 dimensions, not 3"),
        (values[:0], "A must not be empty, not of shape"),
    ):
        save_array(path, array)
        with pytest.raises(TaktError, match=message):
            load_array(path, "A", "int8", 2)


def test_unwritable_files_are_refused(values, tmp_path):
    with pytest.raises(TaktError, match="cannot write .*: No such file"):
        save_array(tmp_path / "none" / "a.npy", values)
