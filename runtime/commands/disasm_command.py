"""``takt disasm``."""

from pathlib import Path

import click

from arch.config import Config
from arch.errors import TaktError
from arch.geometry import units
from arch.isa.encoding import disassemble
from runtime.console import write_text
from runtime.images import load_image
from runtime.options import Command, OutputFile, check_apart, examples, machine_options

__all__ = ["command"]

_EPILOG = examples(
    "takt gemm -m 64 -k 64 -n 64 --save-image gemm.takt",
    "takt disasm gemm.takt",
    "takt disasm gemm.takt --unit MXM_E0.A",
)


@click.command("disasm", cls=Command, epilog=_EPILOG)
@click.argument("image_file", metavar="IMAGE")
@machine_options(default=None)
@click.option("--unit", "names", multiple=True, metavar="NAME", help="Only this queue, such as MEM_W3; repeatable.")
@click.option("-o", "--out", type=OutputFile(stdout=True), default="-", help="File to write instead of stdout.")
def command(image_file: str, config: Config | None, names: tuple[str, ...], out: Path) -> None:
    """Print an image as text: header, then the words of every queue."""
    check_apart({"--out": out}, {"IMAGE": image_file})
    image = load_image(image_file, config)
    known = {unit.name: unit.id for unit in units(image.config)}
    for name in names:
        if name not in known:
            raise TaktError(f"unit must be one of {', '.join(known)}, not {name!r}")
    lines = [
        f"; {image.notes.get('work', 'program')}",
        f"; machine {image.config.name} {image.config.fingerprint:016x}, {image.cycles} cycles predicted",
    ]
    for role, tensors in (("input", image.inputs), ("output", image.outputs)):
        lines += [f"; {role} {tensor.name}: {tensor.dtype} {tensor.shape}" for tensor in tensors]
    for queue in sorted(image.queues):
        name = units(image.config)[queue].name
        if names and name not in names:
            continue
        lines += ["", f"{name}:  ; queue {queue}"]
        lines += [f"  {disassemble(int(word)):<100} ; {int(word):016x}" for word in image.queues[queue]]
    write_text(out, "\n".join(lines) + "\n")
