"""The command line: ``takt SUBCOMMAND``."""

import importlib
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import click

from arch.errors import TaktError
from runtime.console import say, say_warnings
from runtime.os_errors import os_error_line
from runtime.surroundings import Stopped, mend_streams, silence_stdout, stoppable

__all__ = ["guarded", "main"]

_COMMANDS = (
    "info", "gemm", "kernel", "digits", "bench", "demo", "compile", "run", "disasm", "timetable", "isa", "picture",
)  # fmt: skip
"""Subcommands in the order of the help text; each is `command` of ``runtime.commands.<name>_command``."""

_OF_MODELS = ("compile", "run")
"""Those that take models, of ``takt.commands``."""

_FAILED, _MISTAKE, _INTERRUPTED = 1, 2, 130


class _Takt(click.Group):
    """Loads a subcommand when it is asked for, and turns every mistake into one line."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            raise TaktError(f"command must be one of {', '.join(_COMMANDS)}, not {cmd_name!r}")
        package = "takt" if cmd_name in _OF_MODELS else "runtime"
        command = importlib.import_module(f"{package}.commands.{cmd_name}_command").command
        if not isinstance(command, click.Command):
            raise TypeError(f"{cmd_name} has no command")
        return command

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        run = super().main
        sys.exit(guarded(lambda: run(args, prog_name or "takt", complete_var, standalone_mode=False, **extra)))


def guarded(work: Callable[[], Any]) -> int:
    """Return the exit code of a piece of work; what users or their systems can cause is one line on stderr.

    Signals that end the process become exceptions meanwhile, so that nothing is left behind.
    """
    mend_streams()
    try:
        with stoppable(), say_warnings():
            code = work()
            sys.stdout.flush()
    except click.ClickException as error:
        code = _fail(error.format_message(), _MISTAKE)
    except Stopped as stopped:
        code = _fail(str(stopped), stopped.code)
    except (KeyboardInterrupt, click.Abort):
        code = _fail("interrupted", _INTERRUPTED)
    except BrokenPipeError:  # the reader of a pipe, such as `head`, has had enough
        silence_stdout()
        code = _FAILED
    except OSError as error:
        code = _fail(os_error_line(error), _MISTAKE)
        silence_stdout()
    except Exception as error:
        code = _fail(str(error), _exit_code(error))
    return code if isinstance(code, int) else 0


def _exit_code(error: Exception) -> int:
    """The exit code of an error that a user can cause; anything else is a bug and shows its traceback."""
    if isinstance(error, TaktError):
        return _MISTAKE
    from runtime.simulator import MissingTool, SimulationFailed

    if isinstance(error, MissingTool):
        return _MISTAKE
    if isinstance(error, SimulationFailed):
        return _FAILED
    if isinstance(error, MemoryError):
        return _MISTAKE
    raise error


def _fail(message: str, code: int) -> int:
    say(f"takt: error: {message.strip() or 'out of memory'}")
    return code


def _version() -> str:
    try:
        return version("takt")
    except PackageNotFoundError:  # run from the sources, not installed
        return "(sources)"


@click.group(
    cls=_Takt,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@click.version_option(_version(), prog_name="takt")
@click.pass_context
def main(context: click.Context) -> None:
    """An open, software-scheduled tensor streaming processor: compile, run, look, measure.

    `takt SUBCOMMAND --help` shows examples.
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


if __name__ == "__main__":
    main()
