"""Named configurations and the overrides of the command line."""

import dataclasses
from collections.abc import Iterable
from typing import Any

from arch.config import Config
from arch.errors import TaktError

PRESETS: dict[str, Config] = {
    config.name: config
    for config in (
        Config(
            name="nano",
            lanes=4,
            superlanes=2,
            streams=16,
            mem_slices=8,
            mem_depth=256,
            slices_per_hop=2,
            acc_depth=64,
            queue_depth=1024,
            links=2,
        ),
        Config(
            name="small",
            lanes=16,
            superlanes=1,
            streams=32,
            mem_slices=20,
            mem_depth=1024,
            slices_per_hop=4,
            acc_depth=256,
            queue_depth=1024,
            links=4,
        ),
        Config(
            name="base",
            lanes=16,
            superlanes=4,
            streams=32,
            mem_slices=44,
            mem_depth=4096,
            slices_per_hop=4,
            acc_depth=1024,
            queue_depth=1024,
            links=16,
        ),
        Config(
            name="groqchip",
            lanes=16,
            superlanes=20,
            streams=32,
            mem_slices=44,
            mem_depth=4096,
            sram_latency=2,
            slices_per_hop=4,
            acc_depth=4096,
            ecc=True,
            queue_depth=1024,
            links=16,
        ),
    )
}
"""``nano`` for Icarus and exhaustive tests, ``small`` for `make sim`, ``base`` for transformer layers,
``groqchip`` for the published machine (Think Fast, ISCA 2020)."""


def preset(name: str, settings: Iterable[str] = ()) -> Config:
    """Return preset `name` with ``PARAMETER=VALUE`` `settings` applied together.

    Raises
    ------
    TaktError
        For an unknown preset or parameter, a parameter that is set twice, a value of the wrong type, or an illegal
        combination.
    """
    if name not in PRESETS:
        raise TaktError(f"preset must be one of {', '.join(PRESETS)}, not {name!r}")
    config = PRESETS[name]
    changes: dict[str, Any] = {}
    for parameter, value in map(_parse, settings):
        if parameter in changes:
            raise TaktError(f"{parameter} must be set once, not twice: {changes[parameter]!r} and {value!r}")
        changes[parameter] = value
    return config.replace(**changes) if changes else config


def _parse(setting: str) -> tuple[str, Any]:
    parameter, equals, text = setting.partition("=")
    types = {field.name: field.type for field in dataclasses.fields(Config) if field.name != "name"}
    if not equals:
        raise TaktError(f"setting must be PARAMETER=VALUE, not {setting!r}")
    if parameter not in types:
        raise TaktError(f"parameter must be one of {', '.join(sorted(types))}, not {parameter!r}")
    try:
        return parameter, _convert(types[parameter], text)
    except ValueError:
        kind = getattr(types[parameter], "__name__", str(types[parameter]))
        raise TaktError(f"{parameter} must be of type {kind}, not {text!r}") from None


def _convert(kind: Any, text: str) -> Any:
    if kind is bool:
        if text.lower() not in ("true", "false", "1", "0"):
            raise ValueError
        return text.lower() in ("true", "1")
    return int(text, 0) if kind is int else kind(text)
