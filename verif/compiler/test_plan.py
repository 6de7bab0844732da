"""How products are shared out among planes, and results among ALUs."""

import pytest

from arch.presets import preset
from compiler.lower.mxm.epilogue import chains
from compiler.lower.mxm.group import teams_of
from compiler.lower.mxm.plan import plans
from compiler.mesh.graph import Kind
from verif.compiler.layers import product

NANO = preset("nano")
SMALL = preset("small")


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
def test_chains_share_no_alu_and_keep_what_rows_share(rows, columns, extras):
    config = NANO.replace(alu_rows=rows, alu_cols=columns)
    op = product(config, 9, 4, 4, 1, **dict.fromkeys(extras, True))
    for way in chains(op):
        used: set[int] = set()
        for mapping in way:
            alus = {cell.alu for cell in mapping.cells}
            assert used.isdisjoint(alus) and max(alus) < rows * columns
            used |= alus
            kept = [number for number in range(len(mapping.streams)) if mapping.holds(number)]
            assert len(kept) in (0, len(mapping.streams) - 1)
            for cell in mapping.cells:
                assert cell.node.holds == any(
                    source.kind is Kind.PORT and source.index in kept for source in cell.sources
                )


def test_the_usual_epilogue_fits_twice():
    assert len(chains(product(SMALL, 4, 4, 4, 1, bias=True, scale=True, relu=True))[0]) == 2


def test_a_short_epilogue_fits_once_per_plane():
    assert len(chains(product(SMALL, 4, 4, 4, 4, bias=True))[0]) >= 4


def test_no_plan_without_room_in_the_mesh():
    op = product(NANO.replace(alu_rows=1, alu_cols=2), 4, 4, 4, 1, bias=True, scale=True, relu=True)
    assert not chains(op) and not plans(op)
    assert plans(op.apart()[0])


def test_hemispheres_have_chains_of_their_own():
    plan = plans(product(SMALL, 64, 16, 16, 2, bias=True, scale=True, relu=True))[0]
    west, east = (feeder.chains[0] for feeder in plan.feeders)
    assert {cell.alu for cell in west.cells}.isdisjoint(cell.alu for cell in east.cells)


def test_joint_weights_need_fewer_slices():
    found = plans(product(SMALL, 64, 64, 64, 4, bias=True, scale=True))
    assert {plan.joint for plan in found} == {False, True}
    assert not any(plan.joint for plan in found if len({feeder.hemisphere for feeder in plan.feeders}) == 1)


@pytest.mark.parametrize("blocks", [2, 5, 8, 13])
def test_hemispheres_take_blocks_of_columns_in_turn(blocks):
    """The first blocks are ready first, whoever makes them: readers begin with these."""
    found = plans(product(SMALL, 4, 16, 16 * blocks, 4, scale=True))
    shared = [plan for plan in found if len(plan.feeders) == 2 and plan.feeders[0].groups != plan.feeders[1].groups]
    assert shared
    for plan in shared:
        west, east = plan.feeders
        if west.ways == east.ways and 2 * len(west.groups[0]) <= blocks:
            assert {*west.groups[0], *east.groups[0]} == {*range(2 * len(west.groups[0]))}
            assert 0 <= sum(map(len, east.groups)) - sum(map(len, west.groups)) <= 1


@pytest.mark.parametrize("extras", [{}, {"bias"}, {"bias", "scale", "relu", "zero_point"}])
def test_planes_that_share_out_rows_load_the_same_weights_once(extras):
    op = product(SMALL, 64, 16, 16, 4, **dict.fromkeys(extras, True))
    found = [plan for plan in plans(op) if len({feeder.hemisphere for feeder in plan.feeders}) < len(plan.feeders)]
    # The mesh has room for the longest epilogue once, and rows of two planes cannot leave in the same cycles then.
    assert {plan.together for plan in found} == {len(extras) < 4}
    for plan in found:
        for group in (groups for team in teams_of(op, plan) for groups in team):
            assert len(group) == 1 + plan.together
            alus = [cell.alu for one in group for chain in one.feeder.chains for cell in chain.cells]
            assert len(set(alus)) == len(alus)
