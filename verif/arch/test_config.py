import dataclasses
from typing import Any

import pytest

from arch.config import Config
from arch.errors import TaktError
from arch.presets import PRESETS, preset

NANO = PRESETS["nano"]

ILLEGAL: list[tuple[str, Any, str]] = [
    *(("lanes", value, "4, 8 or 16") for value in (0, -4, 3, 12, 32)),
    *(("superlanes", value, "1 to 20") for value in (0, -1, 21)),
    *(("streams", value, "at most 32 and a multiple of 4 and of lanes (4)") for value in (0, 2, 18, 36, -4)),
    *(("slices_per_hop", value, "1 to 44") for value in (0, -2, 45)),
    *(("mem_slices", value, "4 to 44 and a multiple of slices_per_hop (2)") for value in (0, 2, 7, 46, -8)),
    *(("mem_depth", value, "a power of two from 16 to 8192") for value in (0, 8, 100, 16384, -16)),
    *(("sram_latency", value, "1 or 2") for value in (0, 3)),
    *(("planes", value, "2 or 4") for value in (0, 1, 3, 6)),
    *(("acc_depth", value, "a power of two from 4 to 4096") for value in (0, 2, 5, 8192)),
    *(("alu_rows", value, "1 to 4") for value in (0, 5)),
    *(("alu_cols", value, "2 or 4") for value in (0, 1, 3, 8)),
    *(("queue_depth", value, "a power of two from 16 to 4096") for value in (0, 8, 17, 8192)),
    *(("links", value, "even, 0 to 16") for value in (-2, 1, 18)),
    *(("clock_hz", value, "1e3 to 1e11") for value in (0.0, -1.0, 1e12, float("nan"))),
]


@pytest.mark.parametrize("parameter,value,legal", ILLEGAL, ids=lambda value: str(value)[:20])
def test_illegal_value_is_named_in_one_line(parameter: str, value: Any, legal: str) -> None:
    with pytest.raises(TaktError) as caught:
        NANO.replace(**{parameter: value})
    assert str(caught.value) == f"{parameter} must be {legal}, not {value!r}"


def test_every_parameter_with_a_range_has_an_illegal_value_above() -> None:
    unlimited = {"name", "checks", "ecc"}
    assert {field.name for field in dataclasses.fields(Config)} - unlimited == {row[0] for row in ILLEGAL}


NUMBERS = [field.name for field in dataclasses.fields(Config) if field.type is int]


@pytest.mark.parametrize("parameter", NUMBERS)
@pytest.mark.parametrize("name", PRESETS)
def test_numbers_beyond_every_machine(name: str, parameter: str) -> None:
    for value in (10**9, 10**12, -(10**12), 1 << 63):
        with pytest.raises(TaktError, match=f"^{parameter} must be .*, not {value}$"):
            preset(name, [f"{parameter}={value}"])
    with pytest.raises(TaktError, match=f"^{parameter} must be .*, not an integer of 24000 bits$"):
        preset(name, [f"{parameter}=0x{'f' * 6000}"])
    with pytest.raises(TaktError, match=f"^{parameter} must be of type int, not '9"):
        preset(name, [f"{parameter}={'9' * 6000}"])


def test_what_fits_mem() -> None:
    NANO.check_fits("x", NANO.mem_bytes)
    for more in (1, 10**30):
        with pytest.raises(TaktError) as caught:
            NANO.check_fits("x", 65536 + more)
        assert (
            str(caught.value) == f"x must fit the MEM of nano, 65536 bytes, not need {65536 + more} ({more} too many)"
        )
    with pytest.raises(TaktError, match="not need an integer of 33220 bits"):
        NANO.check_fits("x", 10**10000)


@pytest.mark.parametrize(
    "parameter,value,kind",
    [
        ("superlanes", 2.0, "int"),
        ("superlanes", True, "int"),
        ("lanes", "4", "int"),
        ("checks", 1, "bool"),
        ("clock_hz", "fast", "float"),
        ("name", 3, "str"),
    ],
)
def test_wrong_type_is_named_in_one_line(parameter: str, value: Any, kind: str) -> None:
    with pytest.raises(TaktError) as caught:
        NANO.replace(**{parameter: value})
    assert str(caught.value) == f"{parameter} must be of type {kind}, not {value!r}"


def test_a_weight_load_needs_a_slice_per_lane() -> None:
    with pytest.raises(TaktError, match=r"mem_slices must be at least lanes \(16\), not 8"):
        preset("small", ["mem_slices=8"])


def test_streams_hold_a_weight_load() -> None:
    with pytest.raises(TaktError, match=r"multiple of 4 and of lanes \(16\), not 24"):
        preset("small", ["streams=24"])


@pytest.mark.parametrize("name", PRESETS)
def test_presets_are_legal_and_survive_json(name: str) -> None:
    config = preset(name)
    assert config.name == name
    assert Config.from_dict(config.as_dict()) == config
    assert Config.from_dict(config.as_dict()).fingerprint == config.fingerprint


def test_presets_have_the_sizes_of_the_design() -> None:
    sizes = {name: (config.lanes, config.superlanes, config.planes) for name, config in PRESETS.items()}
    assert sizes == {"nano": (4, 2, 4), "small": (16, 1, 4), "base": (16, 4, 4), "groqchip": (16, 20, 4)}
    # A 256^3 product with int32 results.
    assert PRESETS["small"].mem_bytes >= 256 * 256 * (1 + 1 + 4)


def test_fingerprint_is_of_what_a_program_depends_on() -> None:
    same = [NANO.replace(name="other"), NANO.replace(clock_hz=1e9), NANO.replace(checks=False)]
    assert {config.fingerprint for config in same} == {NANO.fingerprint}
    legal: dict[str, Any] = {
        "lanes": 8, "superlanes": 3, "streams": 12, "mem_slices": 10, "mem_depth": 512, "sram_latency": 2,
        "slices_per_hop": 4, "planes": 2, "acc_depth": 128, "alu_rows": 3, "alu_cols": 2, "queue_depth": 512,
        "links": 4, "ecc": True,
    }  # fmt: skip
    not_there = {"name", "clock_hz", "checks"}
    assert legal.keys() == {field.name for field in dataclasses.fields(Config)} - not_there
    others = [NANO.replace(**{parameter: value}) for parameter, value in legal.items()]
    assert len({config.fingerprint for config in [NANO, *others]}) == 1 + len(others)


def test_settings_apply_together() -> None:
    config = preset("nano", ["lanes=8", "superlanes=0x3", "streams=32", "checks=false", "clock_hz=1.2e9"])
    assert (config.lanes, config.superlanes, config.streams) == (8, 3, 32)
    assert config.checks is False
    assert config.clock_hz == 1.2e9
    assert config.vector_length == 24
    # Neither setting is legal beside the preset's other value.
    assert preset("nano", ["mem_slices=9", "slices_per_hop=3"]).mem_hops == 3


@pytest.mark.parametrize(
    "setting,message",
    [
        ("superlanes", "setting must be PARAMETER=VALUE, not 'superlanes'"),
        ("=4", "not ''"),
        ("speed=4", "parameter must be one of acc_depth, .*, not 'speed'"),
        ("name=x", "parameter must be one of acc_depth, .*, not 'name'"),
        ("superlanes=two", "superlanes must be of type int, not 'two'"),
        ("superlanes=2.0", "superlanes must be of type int, not '2.0'"),
        ("superlanes=", "superlanes must be of type int, not ''"),
        ("checks=maybe", "checks must be of type bool, not 'maybe'"),
        ("clock_hz=fast", "clock_hz must be of type float, not 'fast'"),
        ("superlanes=21", "superlanes must be 1 to 20, not 21"),
    ],
)
def test_wrong_setting_is_named_in_one_line(setting: str, message: str) -> None:
    with pytest.raises(TaktError, match=f"{message}$"):
        preset("nano", [setting])


def test_unknown_preset() -> None:
    with pytest.raises(TaktError, match="preset must be one of nano, small, base, groqchip, not 'huge'"):
        preset("huge")


def test_unknown_parameter_of_a_saved_configuration() -> None:
    with pytest.raises(TaktError, match="parameters must be those of this version, not 'speed'"):
        Config.from_dict({**NANO.as_dict(), "speed": 1})
    values = NANO.as_dict()
    del values["lanes"]
    with pytest.raises(TaktError, match="parameters must include 'lanes'"):
        Config.from_dict(values)
