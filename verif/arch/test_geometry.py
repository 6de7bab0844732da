import pytest

from arch.config import Config
from arch.geometry import (
    Direction,
    Hemisphere,
    UnitKind,
    c2c_position,
    mem_position,
    mem_slice,
    mxm_position,
    positions,
    sxm_position,
    units,
    vxm_position,
)
from arch.presets import PRESETS, preset

CONFIGS = [*PRESETS.values(), preset("nano", ["links=0", "planes=2", "alu_rows=1", "alu_cols=2"])]
each_config = pytest.mark.parametrize("config", CONFIGS, ids=[f"{c.name}-{c.planes}" for c in CONFIGS])


@each_config
def test_queue_numbers_and_names_are_unique(config: Config) -> None:
    found = units(config)
    assert [unit.id for unit in found] == list(range(len(found)))
    assert len({unit.name for unit in found}) == len(found)


@each_config
def test_number_of_queues(config: Config) -> None:
    expected = config.slices + config.alus + 3 * config.planes + 12 + config.links
    assert len(units(config)) == expected


@each_config
def test_queue_order_groups_the_units(config: Config) -> None:
    groups = [unit.kind.value.partition(".")[0] for unit in units(config)]
    order = [group for i, group in enumerate(groups) if i == 0 or groups[i - 1] != group]
    assert order == ["MEM", "VXM", "MXM", "SXM"] + ["C2C"] * (config.links > 0)


@each_config
def test_hemispheres_mirror_each_other(config: Config) -> None:
    last = positions(config) - 1
    for place in (c2c_position, mxm_position, sxm_position):
        assert place(config, Hemisphere.WEST) + place(config, Hemisphere.EAST) == last
    for index in range(config.mem_slices):
        assert mem_position(config, Hemisphere.WEST, index) + mem_position(config, Hemisphere.EAST, index) == last
    assert 2 * vxm_position(config) == last


@each_config
def test_slices_of_a_hop_share_a_position(config: Config) -> None:
    for index in range(config.mem_slices):
        distance = mem_position(config, Hemisphere.EAST, index) - vxm_position(config)
        assert distance == 1 + index // config.slices_per_hop


@each_config
def test_outward_leads_away_from_the_vxm(config: Config) -> None:
    for unit in units(config):
        if unit.kind is UnitKind.VXM:
            assert unit.hemisphere is None
            continue
        away = unit.position - vxm_position(config)
        assert away * unit.outward.step > 0
        assert unit.inward.step == -unit.outward.step


@each_config
def test_slice_number_is_the_queue_number(config: Config) -> None:
    for unit in units(config):
        if unit.kind is UnitKind.MEM:
            assert unit.hemisphere is not None
            assert mem_slice(config, unit.hemisphere, unit.index) == unit.id


def test_direction_codes() -> None:
    assert [(direction.name, int(direction), direction.step) for direction in Direction] == [
        ("EAST", 0, 1),
        ("WEST", 1, -1),
    ]


def test_links_stand_half_and_half() -> None:
    sides = [unit.hemisphere for unit in units(preset("small")) if unit.kind is UnitKind.C2C]
    assert sides == [Hemisphere.WEST] * 2 + [Hemisphere.EAST] * 2
