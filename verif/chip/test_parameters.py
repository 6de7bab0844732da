"""Machines that no preset describes."""

import numpy as np
import pytest

from arch.isa.encoding import decode
from arch.presets import preset
from verif.bench import default_seed
from verif.chip.test_gemm import check, product, requantised

MACHINES = {
    "slow SRAM, two planes, no links, small mesh": (
        "planes=2", "links=0", "alu_cols=2", "sram_latency=2", "superlanes=3", "slices_per_hop=1"
    ),
    "one superlane, one hop, no shadow bits, short queues": (
        "lanes=8", "superlanes=1", "streams=8", "mem_slices=12", "slices_per_hop=12", "mem_depth=64", "acc_depth=16",
        "checks=false", "queue_depth=16",
    ),
    "sizes that are no power of two": ("streams=12", "slices_per_hop=4", "queue_depth=64", "links=6", "superlanes=5"),
}  # fmt: skip


@pytest.mark.parametrize(
    "machine",
    [
        pytest.param(name, marks=pytest.mark.long) if name == "slow SRAM, two planes, no links, small mesh" else name
        for name in MACHINES
    ],
)
def test_machine(machine: str) -> None:
    """Products on chips of odd sizes give the bits and cycles that are due, also with text longer than the queues."""
    config = preset("nano", MACHINES[machine])
    rng = np.random.default_rng(default_seed(__name__))
    jobs = [product(config, (7, 9, 11), None, rng)]
    if config.alu_cols == 4:  # two columns have no room for bias, scale, zero point and relu
        jobs.append(requantised(config, (3, 5, 4), 3, True, rng))
    if config.queue_depth == 16:
        jobs.append(product(config, (3, 9, 33), 1, rng))
        words = np.concatenate(list(jobs[-1][0].queues.values())).tolist()
        assert "IFETCH" in {decode(word)[0].mnemonic for word in words}
    check(jobs, "icarus")
