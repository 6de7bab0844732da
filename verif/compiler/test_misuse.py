"""Wrong calls of the compiler's interface end in TaktError, and nothing else."""

import pytest

from arch.presets import preset
from verif.compiler.misuse import Misuse

CALLS = 10


def check(seed, config):
    misuse = Misuse(seed, config)
    try:
        for _ in range(CALLS):
            misuse.call()
        misuse.finish()
    except Exception as error:
        lines = "\n".join(misuse.log)
        raise AssertionError(f"seed {seed}: {type(error).__name__} left the compiler: {error}\n{lines}") from error


@pytest.mark.parametrize("name", ["nano", "small"])
def test_random_calls(name, rng):
    first = int(rng.integers(1 << 30))
    for seed in range(first, first + 60):
        check(seed, preset(name))


@pytest.mark.long
@pytest.mark.parametrize("name", ["nano", "small", "base"])
def test_many_random_calls(name):
    for seed in range(4000):
        check(seed, preset(name))
