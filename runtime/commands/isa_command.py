"""``takt isa``."""

import sys
from pathlib import Path

import click

from arch.config import Config
from runtime.console import show_markdown, write_text
from runtime.isa_reference import isa_markdown
from runtime.options import OutputFile, examples, machine_options

__all__ = ["command"]

_EPILOG = examples("takt isa", "takt isa --preset groqchip | less", "takt isa --markdown docs/isa.md")


@click.command("isa", epilog=_EPILOG)
@machine_options(default=None)
@click.option("--markdown", type=OutputFile(), help="Write Markdown to a file; - prints it.")
def command(config: Config | None, markdown: Path | None) -> None:
    """Show the instruction reference, generated from the tables; latencies of all presets, or of one machine."""
    text = isa_markdown(None if config is None else [config])
    if markdown is not None or not sys.stdout.isatty():
        write_text(markdown or Path("-"), text)
        return
    show_markdown(text)
