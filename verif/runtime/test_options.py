"""Options of the commands: none is dropped in silence, no file is written twice or over an input."""

import os

import numpy as np
import pytest

from verif.runtime.command_line import refusal, takt

PRODUCT = "gemm -m 2 -k 3 -n 4 --preset nano"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("x.npy", np.zeros((2, 4), np.float32))
    np.save("z.npy", np.ones((2, 4), np.float32))
    np.save("a.npy", np.ones((2, 3), np.int8))
    np.save("b.npy", np.ones((3, 4), np.int8))
    assert takt(*PRODUCT.split(), "--save-image", "g.takt").exit_code == 0
    return tmp_path


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


ONCE = [
    ("kernel softmax --in x=x.npy --in x=z.npy", "--in must name 'x' once, not twice: 'x.npy' and 'z.npy'"),
    ("kernel rmsnorm --param epsilon=1 --param epsilon=2", "--param must name 'epsilon' once, not twice: '1' and '2'"),
    ("kernel softmax --in x=x.npy --out y.npy --out y=z.npy", "--out must name 'y' once, not twice"),
    ("run g.takt --in a=a.npy --in a=b.npy", "--in must name 'a' once, not twice"),
    ("run g.takt --out c=1.npy --out c=2.npy --in a=a.npy --in b=b.npy", "--out must name 'c' once, not twice"),
    (f"{PRODUCT} --set superlanes=1 --set superlanes=2", "superlanes must be set once, not twice"),
    (f"{PRODUCT} --out 1.npy --out 2.npy", "--out must be given once, not 2 times"),
    (f"{PRODUCT} -m 3", "-m must be given once, not 2 times"),
    (f"{PRODUCT} --preset small --preset base", "--preset must be given once, not 3 times"),
    ("info --preset nano --preset small", "--preset must be given once, not 2 times"),
    ("digits --count 3 --count 4", "--count must be given once, not 2 times"),
    ("timetable g.takt -o 1.svg --out 2.svg", "-o must be given once, not 2 times"),
]

STDOUT = [
    (f"{PRODUCT} --out -", "--out must be the name of a file, not '-'"),
    (f"{PRODUCT} --save-image -", "--save-image must be the name of a file, not '-'"),
    (f"{PRODUCT} --backend icarus --wave -", "--wave must be the name of a file, not '-'"),
    ("digits --save-image -", "--save-image must be the name of a file, not '-'"),
    ("kernel softmax --in x=x.npy --out -", "must be the name of a file, not '-'"),
    ("kernel softmax --in x=x.npy --out y=-", "must be the name of a file, not '-'"),
    ("run g.takt --in a=a.npy --in b=b.npy --out c=-", "must be the name of a file, not '-'"),
    ("timetable g.takt -o -", "--out must be the name of a file, not '-'"),
    ("picture -o -", "--out must be the name of a file, not '-'"),
    ("bench --markdown -", "--markdown must be the name of a file, not '-'"),
    ("kernel --markdown -", "--markdown must be the name of a file, not '-'"),
]

APART = [
    (f"{PRODUCT} --out 1.npy --save-image 1.npy", "--save-image must be another file than --out, not '1.npy' too"),
    (f"{PRODUCT} --out 1.npy --json ./1.npy", "--json must be another file than --out"),
    (f"{PRODUCT} --save-image w.gtkw --backend icarus --wave w.fst", "must be another file than --save-image"),
    (f"{PRODUCT} --json w.fst --backend icarus --wave w.fst", "--json must be another file than --wave"),
    ("digits --json d --save-image d", "--json must be another file than --save-image"),
    ("gemm --preset nano --a a.npy --b b.npy --out a.npy", "--out must be another file than --a, not 'a.npy' too"),
    ("gemm --preset nano --a a.npy --b b.npy --out hard.npy", "--out must be another file than --b"),
    ("gemm --preset nano --a a.npy --b b.npy --json soft.json", "--json must be another file than --a"),
    ("kernel softmax --in x=x.npy --out x.npy", "--out y must be another file than --in x"),
    ("kernel lstm --in x=x.npy --out y=1.npy --out c=1.npy", "--out c must be another file than --out y"),
    ("kernel softmax --in x=x.npy --json x.npy", "--json must be another file than --in x"),
    ("run g.takt --in a=a.npy --in b=b.npy --out c=b.npy", "--out c must be another file than --in b"),
    ("disasm g.takt -o g.takt", "--out must be another file than IMAGE"),
    ("timetable g.json -o g.json", "--out must be another file than IMAGE"),
    ("bench --markdown r.md --json r.md", "--markdown must be another file than --json"),
]

ALONE = [
    ("kernel --in x=x.npy", "--in must come with the NAME of a kernel"),
    ("kernel --json -", "--json must come with the NAME of a kernel"),
    ("kernel --param epsilon=1", "--param must come with the NAME of a kernel"),
    ("kernel softmax --markdown r.md --in x=x.npy", "--markdown must come without the NAME of a kernel"),
]


@pytest.mark.parametrize(("arguments", "message"), [*ONCE, *STDOUT, *APART, *ALONE])
def test_refused_before_anything_is_written(arguments, message, folder):
    (folder / "r.md").write_text("")
    (folder / "g.json").write_bytes((folder / "g.takt").read_bytes())
    os.link("b.npy", "hard.npy")
    (folder / "soft.json").symlink_to("a.npy")
    before = contents(folder)
    assert message in refusal(*arguments.split())
    assert contents(folder) == before


@pytest.mark.usefixtures("folder")
def test_repeatable_options_and_other_files_go_on_working():
    arguments = f"{PRODUCT} --set superlanes=1 --set checks=false --out ./- --json 1.json --save-image 1.takt"
    assert "must end in .npy" in refusal(*arguments.split())
    assert takt(*arguments.replace("./-", "1.npy").split()).exit_code == 0
    assert takt("kernel", "softmax", "--in", "x=x.npy", "--out", "x=y.npy").exit_code == 2
    assert takt("kernel", "softmax", "--in", "x=x.npy", "--out", "y=s=1.npy").exit_code == 0


def test_text_still_goes_to_stdout(folder):
    assert takt("info", "--json", "-").stdout.startswith("{")
    assert takt("disasm", folder / "g.takt", "-o", "-").stdout.startswith("; ")
    assert takt("isa", "--markdown", "-").stdout.startswith("#")
    assert takt(*PRODUCT.split(), "--json", "-").stdout.startswith("{")
