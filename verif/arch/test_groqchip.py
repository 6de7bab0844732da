"""Every number of the published machine that follows from geometry.

Sources: "Think Fast", ISCA 2020, and "A Software-defined Tensor Streaming Multiprocessor", ISCA 2022.
"""

from collections import Counter

import pytest

from arch.config import HEMISPHERES
from arch.geometry import Direction, Hemisphere, Unit, UnitKind, positions, units, vxm_position
from arch.isa.encoding import encode, illegality
from arch.isa.footprint import footprint
from arch.isa.table import BY_MNEMONIC
from arch.presets import preset
from arch.timing import timing

CONFIG = preset("groqchip")
UNITS = units(CONFIG)
KIB, MIB = 1024, 1024**2


def of_kind(kind: UnitKind) -> list[Unit]:
    return [unit for unit in UNITS if unit.kind is kind]


def test_vector_is_320_lanes_of_20_superlanes_of_16() -> None:
    assert (CONFIG.superlanes, CONFIG.lanes, CONFIG.vector_length) == (20, 16, 320)


def test_streams() -> None:
    assert CONFIG.streams == 32
    assert len(Direction) * CONFIG.streams == 64


def test_stream_bandwidth_is_20_kib_per_cycle() -> None:
    assert len(Direction) * CONFIG.streams * CONFIG.vector_length == 20 * KIB


def test_sram() -> None:
    assert (HEMISPHERES, CONFIG.mem_slices, CONFIG.slices) == (2, 44, 88)
    assert len(of_kind(UnitKind.MEM)) == 88
    banks, words, word_bytes = 2, CONFIG.mem_depth, CONFIG.lanes
    assert (words, word_bytes) == (4096, 16)
    assert CONFIG.superlanes * banks * words * word_bytes == 2.5 * MIB
    assert CONFIG.mem_bytes == 220 * MIB
    assert CONFIG.mem_bytes // 10**6 == 230


def test_ecc_is_9_bits_on_128() -> None:
    assert (8 * CONFIG.lanes, CONFIG.ecc_bits) == (128, 9)


def test_sram_bandwidth_is_55_kib_per_cycle() -> None:
    assert CONFIG.slices * 2 * CONFIG.vector_length == 55 * KIB


def test_mxm_is_four_planes_of_320_x_320() -> None:
    assert CONFIG.planes == 4
    assert len(of_kind(UnitKind.MXM_ACTIVATIONS)) == 4
    assert CONFIG.macs_per_cycle == 4 * 320 * 320 == 409_600


def test_weights_of_a_plane_load_in_20_cycles_over_16_streams() -> None:
    plane = of_kind(UnitKind.MXM_WEIGHTS)[0]
    whole = encode("LW", stream=0, count=20)
    assert illegality(CONFIG, plane, whole) is None
    assert illegality(CONFIG, plane, encode("LW", stream=0, count=21)) is not None
    touched = footprint(CONFIG, plane, "LW", {"stream": 0, "count": 20})
    assert (touched.elements, touched.interval) == (20, 1)
    (group,) = touched.reads
    assert group.size == 16
    # 20 steps of 16 streams are the plane.
    assert touched.elements * group.size * CONFIG.vector_length == CONFIG.macs_per_cycle // CONFIG.planes


def test_all_weights_load_in_under_40_cycles() -> None:
    # Both planes of a hemisphere load at once, from the two halves of the outward streams.
    for side in Hemisphere:
        planes = [unit for unit in of_kind(UnitKind.MXM_WEIGHTS) if unit.hemisphere is side]
        starts = [plane.index * CONFIG.lanes for plane in planes]
        assert starts == [0, 16]
        for plane, stream in zip(planes, starts, strict=True):
            assert illegality(CONFIG, plane, encode("LW", stream=stream, count=20)) is None
    d_skew = timing(CONFIG)["LW"].d_skew
    assert d_skew is not None
    last_step, last_superlane = 20 - 1, CONFIG.superlanes - 1
    assert d_skew + last_step + last_superlane < 40


def test_int8_rate_is_a_vector_per_plane_and_cycle() -> None:
    field = BY_MNEMONIC["ABC"].offsets["interval"][1]
    plane = of_kind(UnitKind.MXM_ACTIVATIONS)[0]
    assert field.minimum <= 1 <= field.maximum
    assert illegality(CONFIG, plane, encode("ABC", count=8191, interval=1)) is None


def test_vxm_is_a_4_x_4_mesh_in_the_middle() -> None:
    assert (CONFIG.alu_rows, CONFIG.alu_cols, CONFIG.alus) == (4, 4, 16)
    assert len(of_kind(UnitKind.VXM)) == 16
    assert {unit.position for unit in of_kind(UnitKind.VXM)} == {vxm_position(CONFIG)}
    assert 2 * vxm_position(CONFIG) == positions(CONFIG) - 1


def test_icu_has_144_queues() -> None:
    count = Counter(unit.kind for unit in UNITS)
    assert len(UNITS) == 144
    assert [unit.id for unit in UNITS] == list(range(144))
    assert count[UnitKind.MEM] == 88
    assert count[UnitKind.VXM] == 16
    mxm = (UnitKind.MXM_WEIGHTS, UnitKind.MXM_ACTIVATIONS, UnitKind.MXM_RESULTS)
    assert [count[kind] for kind in mxm] == [4, 4, 4]
    assert sum(count.values()) - 88 - 16 - 12 == 28
    assert count[UnitKind.C2C] == 16


def test_barrier_takes_35_cycles() -> None:
    assert timing(CONFIG).barrier == 35


def test_ifetch_fills_640_bytes() -> None:
    assert 2 * CONFIG.vector_length == 640


def test_links() -> None:
    assert CONFIG.links == 16
    cycles = CONFIG.vector_length * 8 / 100e9 * CONFIG.clock_hz
    assert cycles == pytest.approx(23, abs=0.1)


def test_rates_at_900_mhz() -> None:
    assert CONFIG.clock_hz == 900e6
    int8 = 2 * CONFIG.macs_per_cycle * CONFIG.clock_hz
    assert int8 == 2 * 409_600 * 900e6
    assert round(int8 / 1e12) == 737
    # FP16: two planes together, one vector per two cycles.
    assert round(int8 / 4 / 1e12) == 184
    assert round(2 * CONFIG.macs_per_cycle * 915e6 / 1e12) == 750
    assert round(2 * CONFIG.macs_per_cycle * 915e6 / 4 / 1e12, 1) == 187.4


def test_slices_stand_west_to_east_as_published() -> None:
    order = ["C2C", "MXM", "SXM", "MEM", "VXM", "MEM", "SXM", "MXM", "C2C"]
    found: list[str] = []
    for position in range(positions(CONFIG)):
        (kind,) = {unit.kind.value.partition(".")[0] for unit in UNITS if unit.position == position}
        if not found or found[-1] != kind:
            found.append(kind)
    assert found == order


def test_mem_0_is_next_to_the_vxm() -> None:
    by_name = {unit.name: unit.position for unit in UNITS}
    assert by_name["MEM_W0"] == vxm_position(CONFIG) - 1
    assert by_name["MEM_E0"] == vxm_position(CONFIG) + 1
    assert by_name["MEM_W43"] == vxm_position(CONFIG) - 11
    assert by_name["MEM_E43"] == vxm_position(CONFIG) + 11
