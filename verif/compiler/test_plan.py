"""How products are shared out among planes, and results among ALUs."""

import pytest

from arch.presets import preset
from compiler.kernels.epilogue import chains, epilogue
from compiler.kernels.plan import plans
from compiler.operation import MatMul
from compiler.tensor import Tensor

NANO = preset("nano")
SMALL = preset("small")


def product(config, m, k, n, planes, bias=False, scale=False, zero_point=False, relu=False):
    def vector(wanted, dtype):
        return Tensor("v", (n,), dtype) if wanted else None

    y = Tensor("y", (m, n), "int8" if scale else "int32")
    x, w = Tensor("x", (m, k), "int8"), Tensor("w", (k, n), "int8")
    extra = vector(bias, "int32"), vector(scale, "float32"), vector(zero_point, "int32")
    return MatMul(config, x, w, y, *extra, relu, planes)


@pytest.mark.parametrize("planes", [1, 2, 3, 4])
@pytest.mark.parametrize("shape", [(1, 9, 40), (3, 8, 8), (200, 9, 40), (65, 7, 9)])
def test_every_plan_computes_every_result_once(planes, shape):
    m, k, n = shape
    op = product(NANO, m, k, n, planes)
    for plan in plans(op):
        assert plan.planes <= planes
        seen: set[tuple[int, int]] = set()
        for feeder in plan.feeders:
            assert len(feeder.groups[0]) == len(feeder.planes)
            for first, rows in feeder.blocks:
                assert 1 <= rows <= NANO.acc_depth
                words = {
                    (block, row) for group in feeder.groups for block in group for row in range(first, first + rows)
                }
                assert seen.isdisjoint(words)
                seen |= words
        assert seen == {(block, row) for block in range(op.n_blocks) for row in range(op.m)}


def test_more_planes_promise_more():
    estimates = [plans(product(SMALL, 256, 256, 256, planes))[0].estimate for planes in (1, 2, 4)]
    assert estimates == sorted(estimates, reverse=True)


@pytest.mark.parametrize("rows", [1, 2, 4])
@pytest.mark.parametrize("columns", [2, 4])
@pytest.mark.parametrize("extras", [{"bias"}, {"relu"}, {"scale"}, {"bias", "scale", "relu"}, {"scale", "zero_point"}])
def test_chains(rows, columns, extras):
    config = NANO.replace(alu_rows=rows, alu_cols=columns)
    steps = epilogue(product(config, 4, 4, 4, 1, **dict.fromkeys(extras, True)))
    used: set[int] = set()
    for chain in chains(config, steps):
        for place, (alu, keeper, step) in enumerate(zip(chain.alus, chain.keepers, steps, strict=True)):
            column = alu % columns
            assert column == (chain.alus[0] + place) % columns
            assert step.mnemonic != "MUL" or column % 2 == 0
            assert (keeper is None) == (step.constant is None)
            assert keeper is None or keeper % columns == (column - 1) % columns
        mine = [*chain.alus, *(keeper for keeper in chain.keepers if keeper is not None)]
        assert used.isdisjoint(mine) and len(set(mine)) == len(mine) and max(mine) < rows * columns
        used |= set(mine)


def test_the_usual_epilogue_fits_twice():
    steps = epilogue(product(SMALL, 4, 4, 4, 1, bias=True, scale=True, relu=True))
    assert len(chains(SMALL, steps)) == 2


def test_no_steps_need_no_chains():
    assert epilogue(product(SMALL, 4, 4, 4, 1)) == ()
    assert chains(SMALL, ()) == []


def test_hemispheres_have_chains_of_their_own():
    plan = plans(product(SMALL, 64, 16, 16, 2, bias=True, scale=True, relu=True))[0]
    west, east = (feeder.chains[0] for feeder in plan.feeders)
    assert set(west.alus).isdisjoint(east.alus)
