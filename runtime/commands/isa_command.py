"""``takt isa``."""

import sys
from pathlib import Path

import click

from arch.config import Config
from runtime.console import show_markdown, write_text
from runtime.isa_reference import isa_markdown
from runtime.options import Command, OutputFile, examples, machine_options
from runtime.waves.surfer import decoder_toml

__all__ = ["command"]

_EPILOG = examples(
    "takt isa", "takt isa --preset groqchip | less", "takt isa --markdown docs/isa.md", "takt isa --surfer takt.toml"
)


@click.command("isa", cls=Command, epilog=_EPILOG)
@machine_options(default=None)
@click.option("--markdown", type=OutputFile(stdout=True), help="Write Markdown to a file; - prints it.")
@click.option(
    "--surfer", type=OutputFile(stdout=True), help="Write Surfer's decoder of instruction words (TOML); - prints it."
)
def command(config: Config | None, markdown: Path | None, surfer: Path | None) -> None:
    """Show the instruction reference, generated from the tables; latencies of all presets, or of one machine.

    Surfer finds decoders in ~/.config/surfer/decoders/NAME/, or in .surfer/decoders/NAME/ where it is started.
    """
    if surfer is not None:
        write_text(surfer, decoder_toml())
        return
    text = isa_markdown(None if config is None else [config])
    if markdown is not None or not sys.stdout.isatty():
        write_text(markdown or Path("-"), text)
        return
    show_markdown(text)
