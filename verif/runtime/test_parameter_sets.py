"""Whatever numbers, names and arrays a command gets: a right result, or one line that says what would be legal."""

import json
import shlex

import numpy as np
import pytest

from verif.bench import default_seed
from verif.runtime.command_line import refusal, takt
from verif.runtime.parameter_sets import parameter_set


def check(seed: int, count: int, folder) -> tuple[int, int]:
    """Run random calls; return how many were right and how many refused."""
    rng = np.random.default_rng(seed)
    right = refused = 0
    for number in range(count):
        call = parameter_set(rng, folder)
        where = f"seed {seed}, call {number}: takt {shlex.join(call)}"
        print(where)
        result = takt(*call)
        said = [line for line in result.stderr.splitlines() if not line.endswith(("...", " s"))]
        if result.exit_code == 0:
            figures = json.loads(result.stdout)
            assert figures["mismatches"] == [] and not said, where
            assert figures["predicted_cycles"] == figures["golden_cycles"] == figures["cycles"], where
            right += 1
        else:
            assert result.exit_code == 2, f"{where}\n{result.output}"
            assert len(said) == 1 and said[0].startswith("takt: error: "), f"{where}\n{result.stderr}"
            assert not result.stdout, where
            refused += 1
    return right, refused


def test_random_calls(tmp_path):
    right, refused = check(default_seed(__name__), 40, tmp_path)
    assert right >= 8 and refused >= 8


@pytest.mark.long
@pytest.mark.parametrize("seed", range(20))
def test_a_thousand_random_calls(seed, tmp_path):
    right, refused = check(seed, 50, tmp_path)
    assert right >= 10 and refused >= 10


@pytest.fixture
def arrays(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("x.npy", np.ones((4, 3, 2), np.float32))
    np.save("gamma.npy", np.ones(2, np.float32))
    np.save("half.npy", np.ones((2, 2, 4), np.float16))
    np.save("w.npy", np.ones((2, 2, 2, 3), np.float16))
    np.save("matrix.npy", np.ones((4, 4), np.float16))
    np.save("position.npy", np.array([0, 2], np.int32))
    np.save("flat.npy", np.ones(4, np.float32))
    np.save("short.npy", np.ones(3, np.float32))
    np.save("table.npy", np.ones((5, 4), np.float32))
    np.save("indices.npy", np.array([0, 5], np.int32))


WINDOW = "--in x=x.npy --preset nano"
ATTENTION = "attention --in q=half.npy --in k=half.npy --in v=half.npy"
REFUSED = [
    ("transpose --in x=x.npy --param axes=-1", "axes must be 0 to 987654321, not -1"),
    ("transpose --in x=x.npy --param axes=12", "axes must have each digit from 1 to 3 once, or be 0, not 12"),
    ("transpose --in x=x.npy --param axes=1234", "axes must have each digit from 1 to 3 once, or be 0, not 1234"),
    ("transpose --in x=x.npy --param axes=301", "axes must have each digit from 1 to 3 once, or be 0, not 301"),
    ("transpose --in x=x.npy --param axes=1.5", "axes must be of type int, not '1.5'"),
    ("transpose --in x=x.npy --param axis=1", "parameter of transpose must be one of axes, not 'axis'"),
    (f"maxpool {WINDOW} --param stride=0", "stride must be 1 to 32768, not 0"),
    (f"maxpool {WINDOW} --param height=-2", "height must be 1 to 32768, not -2"),
    (f"maxpool {WINDOW} --param height=9", "window's height must be at most 4, not 9"),
    (f"maxpool {WINDOW} --param padding=2", "padding must be less than the window, 2, not 2"),
    (f"avgpool {WINDOW} --param padding=-1", "padding must be 0 to 32768, not -1"),
    (f"avgpool {WINDOW} --param padding=99999999999", "padding must be 0 to 32768, not 99999999999"),
    (f"avgpool {WINDOW} --param padding=9000", "must have at most 67108864 elements, not"),
    (f"avgpool {WINDOW} --param padding=150 --param stride=1", "result must fit the MEM of nano, 65536 bytes, not"),
    (f"avgpool {WINDOW} --param width=inf", "width must be of type int, not 'inf'"),
    ("conv2d --in x=half.npy --in w=w.npy", "w must be int8 or float16 of shape (r, s, c, f), not (2, 2, 2, 3)"),
    ("rmsnorm --in x=x.npy --in gamma=gamma.npy --param epsilon=nan", "epsilon must be 0.0 to 3.4028234663852886e+38"),
    ("rmsnorm --in x=x.npy --in gamma=gamma.npy --param epsilon=-1", "e+38, not -1.0"),
    ("rmsnorm --in x=x.npy --in gamma=gamma.npy --param epsilon=1e39", "e+38, not 1e+39"),
    ("rmsnorm --in x=x.npy --in gamma=gamma.npy --param epsilon=small", "epsilon must be of type float, not 'small'"),
    ("gemm --in x=matrix.npy --in w=matrix.npy --param activation=4", "activation must be 0 to 3, not 4"),
    (f"{ATTENTION} --param length=4", "length must be 0 without position"),
    (f"{ATTENTION} --in position=position.npy --param length=5", "length must be a multiple of the 2 rows of a run"),
    (f"{ATTENTION} --in position=position.npy --param length=-2", "length must be 0 to 1073741824, not -2"),
    (f"{ATTENTION} --in position=position.npy --param length=2", "position must be a multiple of 2 from 0 to 0, not 2"),
    (f"{ATTENTION} --in position=position.npy --param length=1000000000", "store must fit the MEM of small"),
    ("embedding --in table=table.npy --in indices=indices.npy", "index must be 0 to 4, not 5"),
    ("rope --in x=flat.npy --in cosine=flat.npy --in sine=flat.npy", "x must be float16 or float32 of shape (m, d)"),
    (
        "elementwise --in x=x.npy --in scale=gamma.npy --in shift=gamma.npy --in residual=gamma.npy",
        "residual must be float32 of shape (4, 3, 2) as x, not float32 (2,)",
    ),
]


@pytest.mark.parametrize(("call", "message"), REFUSED)
@pytest.mark.usefixtures("arrays")
def test_parameters_are_checked_before_anything_uses_them(call, message, monkeypatch):
    monkeypatch.setattr("runtime.kernel.define", None)
    monkeypatch.setattr("runtime.kernel.Program", None)
    assert message in refusal("kernel", *call.split())


OTHERS = [
    ("gemm -m 3 -k 4 -n 5 --seed -1", "seed must be at least 0, not -1"),
    ("gemm -m 3 -k 4 -n 5 --seed 1.5", "'1.5' is not a valid integer"),
    ("gemm -m 1000000000000000000000 -k 4 -n 5", "not 1000000000000000000000"),
    ("gemm -m 4 -k 4 -n 99999999999", "not 99999999999"),
    ("gemm -m 4 -k 4 -n 4 --planes -1", "planes must be 1 to 4, not -1"),
    ("gemm -m 4 -k 4 -n 4 --set lanes=1000000000000000000000", "lanes must be 4, 8 or 16, not 1000000000000000000000"),
    ("gemm -m 4 -k 4 -n 4 --set superlanes=0", "superlanes must be 1 to 20, not 0"),
    ("gemm -m 4 -k 4 -n 4 --set clock_hz=nan", "clock_hz must be 1e3 to 1e11, not nan"),
    ("gemm -m 4 -k 4 -n 4 --set queue_depth=many", "queue_depth must be of type int, not 'many'"),
    ("digits --count 0", "count must be 1 to 360, not 0"),
    ("digits --count -5 --backend golden", "count must be 1 to 360, not -5"),
]


@pytest.mark.parametrize(("call", "message"), OTHERS)
def test_numbers_of_other_options(call, message):
    assert message in refusal(*call.split())
