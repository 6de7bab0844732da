"""What every file of the repository keeps to."""

import re

import pytest

from verif.repo.files import PACKAGES, ROOT, all_files, name_of, source_files
from verif.repo.sizes import sizes

# A letter of each in brackets, so that this file does not hold what it looks for.
UNFINISHED = re.compile(r"\b(T[O]DO|FIX[M]E|X[X]X|NotImplemented[E]rror)\b")
NOT_RUN = re.compile(r"mark\.(s[k]ip|xf[a]il)|pytest\.(s[k]ip|xf[a]il|importor[s]kip)\b")
MACHINE = re.compile(r"/r[o]ot/|/h[o]me/\w|/w[o]rk/|/t[m]p/|/f[a]rm/")


def lines_matching(pattern: re.Pattern[str], *suffixes: str) -> list[str]:
    return [
        f"{name_of(path)}:{number}: {line.strip()}"
        for path in source_files(*suffixes)
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if pattern.search(line)
    ]


def test_the_list_of_files_is_not_empty() -> None:
    names = {name_of(path) for path in source_files()}
    assert {"Makefile", "README.md", ".ci/run", "pyproject.toml", "arch/config.py", "hdl/sv/takt_sram.sv"} <= names
    assert not any(name.startswith(("build/", ".venv/")) for name in names)


@pytest.mark.parametrize("package", PACKAGES)
def test_packages_exist(package: str) -> None:
    assert (ROOT / package / "__init__.py").is_file()


def test_every_folder_with_python_is_a_package() -> None:
    folders = {path.parent for path in source_files(".py") if name_of(path).partition("/")[0] in PACKAGES}
    assert [name_of(folder) for folder in sorted(folders) if not (folder / "__init__.py").exists()] == []


def test_no_file_is_longer_than_500_lines() -> None:
    lengths = {name_of(path): len(path.read_text().splitlines()) for path in source_files(".py", ".sv", ".sh")}
    assert {name: length for name, length in lengths.items() if length > 500} == {}


def test_nothing_is_left_unfinished() -> None:
    assert lines_matching(UNFINISHED) == []


def test_no_test_is_left_out() -> None:
    """Only what opens a window may be, or mounts a small disk: neither a screen nor root can be had everywhere."""
    allowed = ("verif/runtime/waves/test_gtkwave.py:", "verif/toolchain/small_disk.py:")
    assert [line for line in lines_matching(NOT_RUN, ".py") if not line.startswith(allowed)] == []


def test_no_path_of_somebody_s_machine() -> None:
    assert lines_matching(MACHINE) == []


def test_amaranth_sees_its_annotations() -> None:
    postponed = re.compile(r"^from __future__ import " r"annotations")
    assert [line for line in lines_matching(postponed, ".py") if line.startswith(("hdl/", "verif/"))] == []


def test_no_large_file() -> None:
    large = 512 * 1024
    assert [name_of(path) for path in all_files() if path.stat().st_size > large] == []


def test_licence() -> None:
    licence = (ROOT / "LICENSE").read_text()
    assert "Apache License" in licence
    assert "Version 2.0, January 2004" in licence
    assert "END OF TERMS AND CONDITIONS" in licence


def test_sizes_count_every_folder() -> None:
    found = sizes()
    assert {".", ".ci", *PACKAGES} <= found.keys()
    assert all(files > 0 and lines > 0 for files, lines in found.values())


def test_scripts_can_be_run() -> None:
    scripts = [*source_files(".sh"), ROOT / ".ci" / "run"]
    assert [name_of(path) for path in scripts if not path.stat().st_mode & 0o100] == []
    assert all(path.read_text().startswith("#!/bin/sh\n") for path in scripts)


def test_patterns_find_what_they_look_for() -> None:
    assert UNFINISHED.search("# T_ODO: later".replace("_", ""))
    assert NOT_RUN.search("@pytest.mark.s_kipif(True)".replace("_", ""))
    assert MACHINE.search("open('/t_mp/x')".replace("_", ""))
