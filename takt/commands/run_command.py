"""``takt run``."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import click

from arch.config import Config
from arch.errors import TaktError
from arch.image import Image
from arch.image_header import EDGE
from runtime.backend import Backend, make_backend
from runtime.console import show_table, working, write_json
from runtime.images import load_image
from runtime.measure import Measurement, measure
from runtime.npy import load_array, save_array
from runtime.options import (
    Command,
    OutputFile,
    backend_option,
    check_apart,
    examples,
    json_option,
    machine_options,
    pairs,
)
from runtime.report import figures, show_mismatches, show_wave_file
from runtime.run import WaveFile, checked_inputs
from takt.commands.models import api, beside_onnxruntime, precision_option

__all__ = ["command"]

_EPILOG = examples(
    "takt gemm -m 8 -k 8 -n 8 --save-image gemm.takt",
    "takt run gemm.takt --in a=A.npy --in b=B.npy --out c=C.npy",
    "takt run gemm.takt --in a=A.npy --in b=B.npy --backend verilator --wave run.fst",
    "takt run model.onnx --in x=x.npy --out y=y.npy --check onnxruntime",
)

Arrays = dict[str, Any]


@click.command("run", cls=Command, epilog=_EPILOG)
@click.argument("source", metavar="IMAGE|MODEL.onnx")
@click.option("--in", "inputs", multiple=True, metavar="NAME=FILE.npy", help="An input of the program; repeatable.")
@click.option("--out", "outputs", multiple=True, metavar="NAME=FILE.npy", help="Where to write an output; repeatable.")
@precision_option
@machine_options(default=None)
@backend_option("golden")
@click.option("--wave", type=OutputFile(".fst"), help="Record the RTL run, with a GTKWave save file beside it.")
@click.option("--check", metavar="onnxruntime", help="Hold the outputs of a model against onnxruntime's.")
@json_option
def command(
    source: str,
    inputs: tuple[str, ...],
    outputs: tuple[str, ...],
    precision: str | None,
    config: Config | None,
    backend: str,
    wave: Path | None,
    check: str | None,
    json_file: Path | None,
) -> None:
    """Run a compiled program or an ONNX model on files.

    With --preset or --set an image must be for that machine; a model is compiled for it (small by default), and for
    the shapes of its inputs.
    """
    wave_file = WaveFile(wave) if wave is not None else None
    machine = make_backend(backend, wave_file, working)
    is_model = Path(source).suffix == ".onnx"
    if check not in (None, "onnxruntime"):
        raise TaktError(f"--check must be onnxruntime, not {check!r}")
    for option, value in (("--check", check), ("--precision", precision)):
        if value is not None and not is_model:
            raise TaktError(f"{option} must come with a MODEL.onnx, not with an image")
    sources, targets = pairs("--in", inputs, "NAME=FILE.npy"), pairs("--out", outputs, "NAME=FILE.npy")
    if is_model:
        result = _run_model(source, sources, targets, precision or "float16", config, machine, check, wave, json_file)
    else:
        image = load_image(source, config)
        result = _run_image(image, source, sources, targets, machine, wave, json_file)
    show_wave_file(wave_file)
    if not result:
        raise click.exceptions.Exit(1)


def _files(files: Mapping[str, str], known: Iterable[str], role: str) -> None:
    names = [*known]
    for name in files:
        if name not in names:
            raise TaktError(f"{role} must be one of {', '.join(names) or 'none'}, not {name!r}")


def _targets(
    source: str, sources: Mapping[str, str], targets: Mapping[str, str], wave: Path | None, json_file: Path | None
) -> dict[str, Path]:
    """Return where outputs go, none over another file that counts."""
    found = {name: OutputFile(".npy").convert(file, None, None) for name, file in targets.items()}
    check_apart(
        {**{f"--out {name}": path for name, path in found.items()}, "--wave": wave, "--json": json_file},
        {**{f"--in {name}": path for name, path in sources.items()}, "IMAGE or MODEL.onnx": source},
    )
    return found


def _run_image(
    image: Image,
    source: str,
    sources: Mapping[str, str],
    targets: Mapping[str, str],
    machine: Backend,
    wave: Path | None,
    json_file: Path | None,
) -> bool:
    """Run an image; one of a model takes and gives the model's types."""
    compiled = api().model_of(image) if EDGE in image.notes else None
    tensors = {tensor.name: tensor for tensor in image.inputs}
    _files(sources, tensors, "input")
    _files(targets, (tensor.name for tensor in image.outputs), "output")
    paths = _targets(source, sources, targets, wave, json_file)
    if compiled is None:
        arrays = {name: load_array(file, name, str(tensors[name].dtype)) for name, file in sources.items()}
        checked_inputs(image, [arrays])
    else:
        session = api().Session(compiled)
        arrays = session.feeds({name: load_array(file, name) for name, file in sources.items()})
    with working(f"running {image.cycles:,} cycles on {machine.name}"):
        result = measure(image, [arrays], machine)
    made = result.outputs[0] if compiled is None else session.results(result.outputs[0])
    return _told(result, made, paths, json_file, {})


def _run_model(
    source: str,
    sources: Mapping[str, str],
    targets: Mapping[str, str],
    precision: str,
    config: Config | None,
    machine: Backend,
    check: str | None,
    wave: Path | None,
    json_file: Path | None,
) -> bool:
    """Compile a model for the shapes of its inputs and run it."""
    paths = _targets(source, sources, targets, wave, json_file)
    arrays = {name: load_array(file, name) for name, file in sources.items()}
    with working(f"compiling {source}"):
        shapes = {name: array.shape for name, array in arrays.items()}
        compiled = api().compile(source, config or "small", shapes=shapes, precision=precision)
    _files(targets, (port.name for port in compiled.outputs), "output")
    session = api().Session(compiled)
    feeds = session.feeds(arrays)
    result = None
    if compiled.image is not None:
        with working(f"running {compiled.image.cycles:,} cycles on {machine.name}"):
            result = measure(compiled.image, [feeds], machine)
    made = session.results(result.outputs[0] if result is not None else {})
    more: dict[str, Any] = {"precision": precision, "on_the_host": [*compiled.at_the_edge]}
    if check is not None:
        more["onnxruntime"] = beside_onnxruntime(source, arrays, made, precision)
    return _told(result, made, paths, json_file, more)


def _told(
    result: Measurement | None,
    made: Mapping[str, Any],
    paths: Mapping[str, Path],
    json_file: Path | None,
    more: Mapping[str, Any],
) -> bool:
    """Write outputs and figures, and return whether all is right."""
    for name, path in paths.items():
        save_array(path, made[name])
    found = ({} if result is None else figures(result)) | dict(more)
    if json_file is not None:
        write_json(json_file, found)
    checks = more.get("onnxruntime", [])
    if str(json_file) != "-":
        cycles = (0, 0) if result is None else (result.cycles, result.predicted_cycles)
        click.echo(f"{cycles[0]} cycles, {cycles[1]} predicted")
        for line in more.get("on_the_host", []):
            click.echo(f"on the host: {line}")
        if checks:
            rows = [
                (one["name"], _error(one["max_abs_error"]), _error(one["tolerance"]), "yes" if one["near"] else "NO")
                for one in checks
            ]
            show_table(("output", "largest error beside onnxruntime", "tolerance", "near enough"), rows)
    if result is not None:
        show_mismatches(result, err=str(json_file) == "-")
    return (result is None or result.right) and all(one["near"] for one in checks)


def _error(value: float | None) -> str:
    return "other shape or type" if value is None else f"{value:.3g}"
