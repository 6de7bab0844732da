"""Every operation of the compiler's interface on the RTL: bits and cycles of the golden machine."""

import numpy as np
import pytest

from arch.config import Config
from golden.machine.machine import Machine
from runtime.rtl_backend import run_jobs_on_rtl
from verif.bench import default_seed
from verif.bits import same_bits
from verif.coverage.operations import NANO, OPERATIONS, SHORT_QUEUES, SMALL, sample_inputs


def test_every_operation_runs_below() -> None:
    assert all(operation.config in (NANO, SHORT_QUEUES, SMALL) for operation in OPERATIONS.values())


@pytest.mark.parametrize(
    "config",
    [NANO, SMALL, pytest.param(SHORT_QUEUES, marks=pytest.mark.long)],
    ids=["nano", "small", "short queues"],
)
def test_operations(config: Config) -> None:
    """Every operation of the compiler's interface gives the golden machine's bits and cycles on the RTL."""
    rng = np.random.default_rng(default_seed(__name__))
    images = {name: operation.compile() for name, operation in OPERATIONS.items() if operation.config == config}
    inputs = {name: sample_inputs(image, rng) for name, image in images.items()}
    results = run_jobs_on_rtl([(image, [inputs[name]]) for name, image in images.items()], "verilator")
    for (name, image), (result,) in zip(images.items(), results, strict=True):
        golden = Machine(config).run_image(image, inputs[name])
        assert result.fault is None, f"{name}: {result.fault}"
        assert result.cycles == golden.cycles == image.cycles, name
        for output, values in golden.outputs.items():
            same_bits(result.outputs[output], values, f"{name}: {output}")
