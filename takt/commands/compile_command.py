"""``takt compile``."""

import time
from pathlib import Path
from typing import Any

import click

from arch.config import Config
from runtime.console import show_table, working, write_json
from runtime.options import Command, OutputFile, check_apart, examples, json_option, machine_options
from takt.commands.models import api, precision_option, shapes_of

__all__ = ["command"]

_EPILOG = examples(
    "takt compile model.onnx -o model.takt",
    "takt compile model.onnx -o model.takt --shape x=1x128 --preset base --precision float32",
    "takt run model.takt --in x=x.npy --out y=y.npy",
)


@click.command("compile", cls=Command, epilog=_EPILOG)
@click.argument("model_file", metavar="MODEL.onnx")
@click.option("-o", "image_file", type=OutputFile(), help="Write the program, for run, disasm and timetable.")
@click.option("--shape", "shapes", multiple=True, metavar="NAME=1x128", help="Of an input that is open; repeatable.")
@precision_option
@machine_options()
@json_option
def command(
    model_file: str,
    image_file: Path | None,
    shapes: tuple[str, ...],
    precision: str | None,
    config: Config,
    json_file: Path | None,
) -> None:
    """Compile an ONNX model: its cycles are known before it runs.

    What the host does at the edge of the model, such as conversions between its types and the chip's, is listed.
    """
    check_apart({"-o": image_file, "--json": json_file}, {"MODEL.onnx": model_file})
    sizes = shapes_of(shapes)
    start = time.process_time()
    with working(f"compiling {model_file} for {config.name}"):
        compiled = api().compile(model_file, config, shapes=sizes, precision=precision or "float16")
    seconds = time.process_time() - start
    if image_file is not None:
        api().save(compiled, image_file)
    figures = {
        "model": model_file,
        "preset": config.name,
        "precision": precision or "float16",
        "predicted_cycles": 0 if compiled.image is None else compiled.image.cycles,
        "macs": 0 if compiled.image is None else compiled.image.notes["macs"],
        "instructions": 0 if compiled.image is None else compiled.image.notes["instructions"],
        "constant_bytes": 0 if compiled.image is None else int(compiled.image.constant_words.nbytes),
        "compile_cpu_seconds": seconds,
        "inputs": {port.name: _described(port) for port in compiled.inputs},
        "outputs": {port.name: _described(port) for port in compiled.outputs},
        "on_the_host": [*compiled.at_the_edge],
    }
    if json_file is not None:
        write_json(json_file, figures)
    if str(json_file) != "-":
        show_table(
            ("", Path(model_file).name), [(name.replace("_", " "), _text(value)) for name, value in figures.items()]
        )


def _described(port: Any) -> str:
    return f"{port.dtype.name.lower()} {'x'.join(map(str, port.shape)) or 'scalar'}"


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name}: {text}" for name, text in value.items()) or "-"
    if isinstance(value, list):
        return "; ".join(value) or "-"
    return value if isinstance(value, str) else f"{value:,.1f}" if isinstance(value, float) else f"{value:,}"
