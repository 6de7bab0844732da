"""Options and parameter types that several subcommands share."""

import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from arch.config import Config
from arch.errors import TaktError
from arch.presets import PRESETS, preset

__all__ = ["BACKENDS", "OutputFile", "backend_option", "examples", "json_option", "machine_options"]

BACKENDS = ("golden", "verilator", "icarus")
"""Names of the backends: the NumPy machine, and the RTL in two simulators."""

_Function = TypeVar("_Function", bound=Callable[..., Any])


class OutputFile(click.ParamType):  # type: ignore[type-arg]  # generic from click 8.5 on
    """A file to write, checked before long work starts.

    Parameters
    ----------
    suffixes
        Legal endings of the name, such as ``.svg``; none given means any.
    """

    name = "file"

    def __init__(self, *suffixes: str) -> None:
        self.suffixes = suffixes

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """Return the path; see click."""
        path = Path(value)
        if str(value) == "-":
            return path
        if self.suffixes and path.suffix not in self.suffixes:
            raise TaktError(f"name of an output file must end in {' or '.join(self.suffixes)}, not {str(path)!r}")
        folder = path.parent
        reason = (
            "it is a folder"
            if path.is_dir()
            else f"there is no folder {str(folder)!r}"
            if not folder.is_dir()
            else "permission denied"
            if not os.access(path if path.exists() else folder, os.W_OK)
            else None
        )
        if reason:
            raise TaktError(f"cannot write {str(path)!r}: {reason}")
        return path


def machine_options(default: str | None = "small") -> Callable[[_Function], _Function]:
    """Add ``--preset`` and ``--set``; the function gets ``config: Config``.

    Parameters
    ----------
    default
        Preset without ``--preset``. None: `config` is None unless one of the options is given.
    """

    def decorate(function: _Function) -> _Function:
        @functools.wraps(function)
        def wrapper(*args: Any, preset_name: str | None, settings: tuple[str, ...], **kwargs: Any) -> Any:
            config: Config | None = None
            if default or preset_name or settings:
                config = preset(preset_name or default or "small", settings)
            return function(*args, config=config, **kwargs)

        text = f"Machine: {', '.join(PRESETS)}." + (f"  [default: {default}]" if default else "")
        wrapped = click.option(
            "--set", "settings", multiple=True, metavar="PARAMETER=VALUE", help="Change a parameter; repeatable."
        )(wrapper)
        return click.option("--preset", "preset_name", metavar="P", help=text)(wrapped)  # type: ignore[return-value]

    return decorate


def backend_option(default: str = "verilator", name: str = "backend") -> Callable[[_Function], _Function]:
    """Add ``--backend``."""

    def check(ctx: click.Context, param: click.Parameter, value: str) -> str:
        if value not in BACKENDS:
            raise TaktError(f"backend must be one of {', '.join(BACKENDS)}, not {value!r}")
        return value

    return click.option(
        "--backend",
        name,
        metavar="|".join(BACKENDS),
        default=default,
        show_default=True,
        callback=check,
        help="Golden model in NumPy, or the RTL in a simulator.",
    )


def json_option(function: _Function) -> _Function:
    """Add ``--json FILE``."""
    return click.option("--json", "json_file", type=OutputFile(), help="Write the figures as JSON; - prints them.")(
        function
    )


def examples(*lines: str) -> str:
    """Text for a command's epilog: one example per line, kept as typed."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)
