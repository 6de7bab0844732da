"""``takt picture``."""

from pathlib import Path

import click

from arch.config import Config
from runtime.console import write_text
from runtime.floorplan import floorplan_svg
from runtime.options import Command, OutputFile, examples, machine_options

__all__ = ["command"]

_EPILOG = examples("takt picture -o small.svg", "takt picture --preset groqchip -o docs/img/groqchip.svg")


@click.command("picture", cls=Command, epilog=_EPILOG)
@machine_options()
@click.option("-o", "--out", type=OutputFile(".svg"), required=True, help="Picture to write.")
def command(config: Config, out: Path) -> None:
    """Draw the chip: units west to east, superlanes bottom to top, instruction queues at the foot."""
    write_text(out, floorplan_svg(config))
    click.echo(f"wrote {out}")
