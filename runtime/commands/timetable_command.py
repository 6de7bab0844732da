"""``takt timetable``."""

import json
from pathlib import Path

import click

from arch.config import Config
from runtime.console import working, write_text
from runtime.images import load_image
from runtime.options import Command, OutputFile, check_apart, examples, machine_options
from runtime.timetable.trace import trace_events

__all__ = ["command"]

_EPILOG = examples(
    "takt gemm -m 64 -k 64 -n 64 --save-image gemm.takt",
    "takt timetable gemm.takt -o gemm.svg",
    "takt timetable gemm.takt -o gemm.json     (open it at ui.perfetto.dev)",
)


@click.command("timetable", cls=Command, epilog=_EPILOG)
@click.argument("image_file", metavar="IMAGE")
@machine_options(default=None)
@click.option("-o", "--out", type=OutputFile(".svg", ".png", ".json"), required=True, help="Picture or trace to write.")
def command(image_file: str, config: Config | None, out: Path) -> None:
    """Draw when every unit does what: units down, cycles across; or write it as a trace for Perfetto."""
    check_apart({"--out": out}, {"IMAGE": image_file})
    image = load_image(image_file, config)
    with working(f"drawing {image.cycles:,} cycles"):
        if out.suffix == ".json":
            write_text(out, json.dumps(trace_events(image)))
        else:
            from runtime.timetable.chart import draw_chart

            draw_chart(image, out)
    click.echo(f"wrote {out}")
