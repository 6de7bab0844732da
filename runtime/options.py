"""Options and parameter types that several subcommands share."""

import functools
import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click

from arch.config import Config
from arch.errors import TaktError
from arch.presets import PRESETS, preset

__all__ = [
    "BACKENDS",
    "Command",
    "OutputFile",
    "backend_option",
    "check_apart",
    "examples",
    "json_option",
    "machine_options",
    "pairs",
]

BACKENDS = ("golden", "verilator", "icarus")
"""Names of the backends: the NumPy machine, and the RTL in two simulators."""

_Function = TypeVar("_Function", bound=Callable[..., Any])


class Command(click.Command):
    """A subcommand that takes an option once, unless it is repeatable: none is dropped in silence for a later one."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments; see click."""
        _, _, order = self.make_parser(ctx).parse_args(args=list(args))
        for param, count in Counter(order).items():
            if count > 1 and isinstance(param, click.Option) and not param.multiple and not param.is_flag:
                raise TaktError(f"{param.opts[0]} must be given once, not {count} times")
        return super().parse_args(ctx, args)


class OutputFile(click.ParamType):  # type: ignore[type-arg]  # generic from click 8.5 on
    """A file to write, checked before long work starts.

    Parameters
    ----------
    suffixes
        Legal endings of the name, such as ``.svg``; none given means any.
    stdout
        Whether ``-`` stands for stdout; otherwise it is refused. A file of that name is ``./-``.
    """

    name = "file"

    def __init__(self, *suffixes: str, stdout: bool = False) -> None:
        self.suffixes = suffixes
        self.stdout = stdout

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """Return the path; see click."""
        path = Path(value)
        if str(value) == "-":
            if not self.stdout:
                option = f"{param.opts[-1]} " if param is not None else ""
                raise TaktError(f"{option}must be the name of a file, not '-': only text can go to stdout")
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


def pairs(option: str, texts: Iterable[str], form: str = "NAME=VALUE") -> dict[str, str]:
    """Return the values of a repeatable option by name; `form` says what it must be.

    Raises
    ------
    TaktError
        For another form, and for a name that comes twice.
    """
    found: dict[str, str] = {}
    for text in texts:
        name, _, value = text.partition("=")
        if not (name and value):
            raise TaktError(f"{option} must be {form}, not {text!r}")
        if name in found:
            raise TaktError(f"{option} must name {name!r} once, not twice: {found[name]!r} and {value!r}")
        found[name] = value
    return found


def check_apart(outputs: Mapping[str, Path | None], inputs: Mapping[str, str | Path | None] | None = None) -> None:
    """Refuse output files of which one would overwrite another, or an input, before anything is written.

    Parameters
    ----------
    outputs, inputs
        Files by the option that names them; None for one that is not given. A waveform's save file counts too.

    Raises
    ------
    TaktError
        When two are the same file, under whatever names.
    """
    wave = outputs.get("--wave")
    beside = {"the save file of --wave": wave.with_suffix(".gtkw")} if wave is not None else {}
    taken = {_identity(Path(path)): option for option, path in (inputs or {}).items() if path is not None}
    for option, path in {**outputs, **beside}.items():
        if path is None or str(path) == "-" or (path.exists() and not path.is_file()):
            continue  # stdout and devices lose nothing
        if other := taken.get(_identity(path)):
            raise TaktError(f"{option} must be another file than {other}, not {str(path)!r} too")
        taken[_identity(path)] = option


def _identity(path: Path) -> object:
    """Return what all names of a file have in common: links are followed, two hard links are one file."""
    if not path.exists():
        return path.resolve()
    status = path.stat()
    return status.st_dev, status.st_ino


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
    return click.option(
        "--json", "json_file", type=OutputFile(stdout=True), help="Write the figures as JSON; - prints them."
    )(function)


def examples(*lines: str) -> str:
    """Text for a command's epilog: one example per line, kept as typed."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)
