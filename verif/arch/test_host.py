import itertools

import pytest

from arch.geometry import units
from arch.host import ADR_BITS, REGION_SHIFT, Ctrl, Region, Register, Status, mem_address, queue_address
from arch.presets import PRESETS


@pytest.mark.parametrize("name", PRESETS)
def test_addresses_are_distinct_and_fit(name: str) -> None:
    config = PRESETS[name]
    words = [
        mem_address(slice_, tile, addr)
        for slice_ in range(config.slices)
        for tile in (0, config.superlanes - 1)
        for addr in (0, 2 * config.mem_depth - 1)
    ]
    queues = [queue_address(unit.id, half) for unit in units(config) for half in (0, 1)]
    used = words + queues + [int(register) for register in Register]
    tiles = min(2, config.superlanes)
    assert len(set(used)) == config.slices * tiles * 2 + len(queues) + len(Register)
    assert max(used) < 1 << ADR_BITS
    regions = {Region.MEM: words, Region.QUEUES: queues, Region.REGISTERS: [int(register) for register in Register]}
    for region, addresses in regions.items():
        assert {address >> REGION_SHIFT for address in addresses} == {region}


def test_the_largest_memory_fits_its_fields() -> None:
    # 88 slices, 20 tiles, two banks of 8192: the fields of an address do not run into one another.
    ends = itertools.product((0, 87), (0, 19), (0, 2 * 8192 - 1))
    assert len({mem_address(*place) for place in ends}) == 8


def test_flags_are_single_bits() -> None:
    for flags in (Ctrl, Status):
        assert sorted(flag.value for flag in flags) == [1 << bit for bit in range(len(flags))]
