import io
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest

from verif.arch.images import refusal

DAMAGED = "is not a Takt image, or is damaged"


def members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def write(path: Path, contents: list[tuple[str, bytes]], method: int = zipfile.ZIP_DEFLATED) -> None:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in contents:
            archive.writestr(name, content)


def described(dtype: str, shape: tuple[int, ...], fortran: bool = False, version: int = 1) -> bytes:
    member = io.BytesIO()
    writer = np.lib.format.write_array_header_1_0 if version == 1 else np.lib.format.write_array_header_2_0
    writer(member, {"descr": dtype, "fortran_order": fortran, "shape": shape})
    return member.getvalue()


def test_the_file_itself_is_right(saved: Path) -> None:
    write(saved, [*members(saved).items()])
    assert refusal(saved) is None


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_member_twice(saved: Path) -> None:
    contents = members(saved)
    write(saved, [*contents.items(), ("queue_7.npy", contents["queue_7.npy"])])
    assert (refusal(saved) or "").endswith(DAMAGED)


@pytest.mark.parametrize("name", ["readme.txt", "../x", "/etc/x.py", "header"])
def test_members_that_are_no_arrays(saved: Path, name: str) -> None:
    write(saved, [*members(saved).items(), (name, b"hello")])
    assert (refusal(saved) or "").endswith(DAMAGED)


@pytest.mark.parametrize("name", ["header", "digest", "queue_7", "constant_words", "input_0_index"])
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x93NUMPY",
        b"\x93NUMPY\x01\x00\xff\xff",
        b"\x93NUMPY\x01\x00\x04\x00((((",
        b"\x93NUMPY\x01\x00\x10\x27" + b"(" * 10_000,
        b"\x93NUMPY\x01\x00\x10\x27" + b"-" * 9_999 + b"1",
        described("|O", (1,)) + b"\x80\x04N.",
        described("<u8", (2,), version=2) + bytes(16),
        described("<u8", (1 << 61,)),
        described("<u8", (-1,)),
        described("|u1", (1 << 40,)) + bytes(8),
    ],
)
def test_members_that_are_damaged(saved: Path, name: str, content: bytes) -> None:
    contents = members(saved) | {f"{name}.npy": content}
    write(saved, [*contents.items()])
    found = refusal(saved)
    assert found is not None
    assert DAMAGED in found or " must be " in found
    assert "\n" not in found


@pytest.mark.parametrize("length", [8, 24])
def test_an_array_whose_length_is_not_its_shape_s(saved: Path, length: int) -> None:
    contents = members(saved) | {"queue_0.npy": described("<u8", (2,)) + bytes(length)}
    write(saved, [*contents.items()])
    assert (refusal(saved) or "").endswith(DAMAGED)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_methods_that_are_unpacked_at_once(saved: Path, method: int) -> None:
    write(saved, [*members(saved).items()], method)
    assert (refusal(saved) or "").endswith(DAMAGED)


@pytest.mark.parametrize(
    ("name", "start", "message"),
    [
        ("queue_0.npy", described("<u8", (1 << 21,)), "shape of queue_0 must be"),
        ("queue_0.npy", described("<u8", (2,)), DAMAGED),
        ("header.npy", described("|u1", (1 << 24,)), DAMAGED),
        ("digest.npy", described("|u1", (1 << 24,)), DAMAGED),
        ("constant_words.npy", described("|u1", (1 << 21, 8)), "shape of constant_words must be"),
        ("input_0_index.npy", described("<i4", (1 << 19, 8)), "shape of input_0_index must be"),
    ],
)
def test_megabytes_of_zeros_are_not_unpacked(saved: Path, name: str, start: bytes, message: str) -> None:
    contents = members(saved) | {name: start + bytes(1 << 24)}
    write(saved, [*contents.items()])
    del contents
    assert saved.stat().st_size < 1 << 17
    tracemalloc.start()
    found = refusal(saved)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert message in (found or "")
    assert peak < 1 << 22, peak
