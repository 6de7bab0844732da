"""``takt run``."""

from pathlib import Path

import click

from arch.config import Config
from arch.errors import TaktError
from arch.image import TensorMap
from runtime.backend import make_backend
from runtime.console import working
from runtime.images import load_image
from runtime.measure import run_checked
from runtime.npy import load_array, save_array
from runtime.options import Command, OutputFile, backend_option, check_apart, examples, machine_options, pairs
from runtime.report import show_wave_file
from runtime.run import WaveFile, checked_inputs

__all__ = ["command"]

_EPILOG = examples(
    "takt gemm -m 8 -k 8 -n 8 --save-image gemm.takt",
    "takt run gemm.takt --in a=A.npy --in b=B.npy --out c=C.npy",
    "takt run gemm.takt --in a=A.npy --in b=B.npy --backend verilator --wave run.fst",
)


@click.command("run", cls=Command, epilog=_EPILOG)
@click.argument("image_file", metavar="IMAGE")
@click.option("--in", "inputs", multiple=True, metavar="NAME=FILE.npy", help="An input of the program; repeatable.")
@click.option("--out", "outputs", multiple=True, metavar="NAME=FILE.npy", help="Where to write an output; repeatable.")
@machine_options(default=None)
@backend_option("golden")
@click.option("--wave", type=OutputFile(".fst"), help="Record the RTL run, with a GTKWave save file beside it.")
def command(
    image_file: str,
    inputs: tuple[str, ...],
    outputs: tuple[str, ...],
    config: Config | None,
    backend: str,
    wave: Path | None,
) -> None:
    """Run a compiled program on files.

    With --preset or --set the image must be for that machine.
    """
    wave_file = WaveFile(wave) if wave is not None else None
    machine = make_backend(backend, wave_file, working)
    image = load_image(image_file, config)
    sources = _files("--in", inputs, image.inputs, "input")
    targets = {
        name: OutputFile(".npy").convert(file, None, None)
        for name, file in _files("--out", outputs, image.outputs, "output").items()
    }
    check_apart(
        {**{f"--out {name}": path for name, path in targets.items()}, "--wave": wave},
        {**{f"--in {name}": path for name, path in sources.items()}, "IMAGE": image_file},
    )
    tensors = {tensor.name: tensor for tensor in image.inputs}
    arrays = {name: load_array(file, name, tensors[name].dtype) for name, file in sources.items()}
    checked_inputs(image, [arrays])
    with working(f"running {image.cycles:,} cycles on {backend}"):
        result = run_checked(machine, image, [arrays])[0]
    for name, path in targets.items():
        save_array(path, result.outputs[name])
    click.echo(f"{result.cycles} cycles, {image.cycles} predicted")
    show_wave_file(wave_file)
    if result.cycles != image.cycles:
        raise click.exceptions.Exit(1)


def _files(option: str, texts: tuple[str, ...], tensors: tuple[TensorMap, ...], role: str) -> dict[str, str]:
    """Return the files of the tensors that an option names."""
    known = [tensor.name for tensor in tensors]
    found = pairs(option, texts, "NAME=FILE.npy")
    for name in found:
        if name not in known:
            raise TaktError(f"{role} must be one of {', '.join(known) or 'none'}, not {name!r}")
    return found
