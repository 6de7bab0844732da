"""What `takt gemm` refuses before it compiles: one line, exit code 2."""

import numpy as np
import pytest

from verif.runtime.command_line import refusal


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("a.npy", np.ones((3, 4), np.int8))
    np.save("b.npy", np.ones((4, 5), np.int8))
    np.save("wide.npy", np.ones((3, 4), np.int16))
    np.save("flat.npy", np.ones(4, np.int8))
    np.save("empty.npy", np.ones((4, 0), np.int8))
    np.save("bias.npy", np.ones(5, np.int32))
    np.save("scale.npy", np.ones(5, np.float32))
    np.save("zero.npy", np.zeros(5, np.float32))
    np.save("double.npy", np.ones(5))
    (tmp_path / "cut.npy").write_bytes((tmp_path / "a.npy").read_bytes()[:-1])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("", "what to multiply must be given"),
        ("-m 3 -k 4", "what to multiply must be given"),
        ("--a a.npy", "must be given together, not only --a"),
        ("--b b.npy -m 3", "must be given together, not only --b"),
        ("--a a.npy --b b.npy -m 3", "leave out -m"),
        ("--a none.npy --b b.npy", "cannot read A from 'none.npy': No such file"),
        ("--a cut.npy --b b.npy", "truncated"),
        ("--a wide.npy --b b.npy", "A must be int8, not int16"),
        ("--a a.npy --b flat.npy", "B must have 2 dimensions, not 1"),
        ("--a a.npy --b empty.npy", "B must not be empty"),
        ("--a b.npy --b b.npy", "B must have as many rows as A has columns (5), not 4"),
        ("-m 0 -k 4 -n 5", "m must be at least 1, not 0"),
        ("-m 3 -k 4 -n -5", "n must be at least 1, not -5"),
        ("-m three -k 4 -n 5", "'three'"),
        ("--a a.npy --b b.npy --bias scale.npy", "bias must be int32, not float32"),
        ("-m 3 -k 4 -n 6 --bias bias.npy", "bias must be int32 of shape (6,), not int32 of shape (5,)"),
        ("-m 3 -k 4 -n 6 --scale scale.npy", "scale must be float32 of shape (), (1,) or (6,)"),
        ("-m 3 -k 4 -n 5 --scale zero.npy", "scale must be positive and finite, not 0.0"),
        ("-m 3 -k 4 -n 5 --scale double.npy", "scale must be float32, not float64"),
        ("-m 3 -k 4 -n 5 --dtype int4", "dtype must be int8 or fp16, not 'int4'"),
        ("--a a.npy --b b.npy --dtype fp16", "A must be float16, not int8"),
        ("-m 3 -k 4 -n 5 --dtype fp16 --relu", "bias, scale and relu must be left out of an fp16 product"),
        ("-m 3 -k 4 -n 5 --dtype fp16 --planes 1", "planes must be 2 to 4, not 1"),
        ("-m 3 -k 4 -n 5 --dtype fp16 --set planes=2", "planes of a machine for float16 products must be 4, not 2"),
        ("-m 3 -k 4 -n 5 --planes 5", "planes must be 1 to 4, not 5"),
        ("-m 3 -k 4 -n 5 --planes 0", "planes must be 1 to 4, not 0"),
        ("-m 3 -k 4 -n 5 --backend vcs", "backend must be one of golden, verilator, icarus, not 'vcs'"),
        ("-m 3 -k 4 -n 5 --wave x.fst", "backend must be verilator or icarus, not 'golden'"),
        ("-m 3 -k 4 -n 5 --backend icarus --wave x.png", "must end in .fst, not 'x.png'"),
        ("-m 3 -k 4 -n 5 --preset tiny", "preset must be one of nano, small, base, groqchip, not 'tiny'"),
        ("-m 3 -k 4 -n 5 --set planes=3", "planes must be 2 or 4, not 3"),
        ("-m 3 -k 4 -n 5 --out none/c.npy", "cannot write 'none/c.npy': there is no folder 'none'"),
        ("-m 3 -k 4 -n 5 --json .", "cannot write '.': it is a folder"),
        ("-m 3 -k 4 -n 5 --save-image none/x", "there is no folder 'none'"),
    ],
)
@pytest.mark.usefixtures("files")
def test_refusal(arguments, message):
    assert message in refusal("gemm", *arguments.split())
