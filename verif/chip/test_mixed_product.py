"""fp16 on one pair of planes and int8 on the other, at full rate: every bit and cycle as the golden machine has it."""

import numpy as np
import pytest

from arch.presets import preset
from golden.machine.machine import Machine
from runtime.rtl_backend import run_on_rtl
from verif.bench import default_seed
from verif.bits import same_bits
from verif.chip.mixed_product import MixedProduct


@pytest.mark.parametrize(
    "name,simulator,rows,passes",
    [("nano", "icarus", 9, 2), ("nano", "verilator", 21, 3), ("small", "verilator", 50, 4)],
)
def test_mixed_product(name: str, simulator: str, rows: int, passes: int) -> None:
    """fp16 on one pair of planes and int8 on the other at full rate: nothing that they share gets in the way."""
    mixed = MixedProduct(preset(name), np.random.default_rng(default_seed(__name__)), rows=rows, passes=passes)
    (result,) = run_on_rtl(mixed.image, [{}], simulator)
    golden = Machine(mixed.image.config).run_image(mixed.image, {})
    assert result.fault is None, result.fault
    assert result.cycles == golden.cycles == mixed.image.cycles
    for output in ("fp32", "int32"):
        same_bits(result.outputs[output], golden.outputs[output], output)
    same_bits(mixed.numbers(golden.outputs["int32"], "<i4"), mixed.int32_sums())
    assert np.allclose(mixed.numbers(golden.outputs["fp32"], "<f4"), mixed.fp32_sums(), rtol=1e-5, atol=1e-4)
