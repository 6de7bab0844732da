"""``takt kernel``."""

from pathlib import Path
from typing import Any

import click

from arch.config import Config
from arch.errors import TaktError
from arch.presets import PRESETS
from compiler.library.catalogue import KERNELS, find_kernel
from compiler.library.kernel import Kernel
from runtime.backend import make_backend
from runtime.console import show_table, working, write_json
from runtime.kernel import KernelRun, run_kernel
from runtime.kernel_table import write_kernel_table
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
from runtime.report import show_mismatches

__all__ = ["command"]

_EPILOG = examples(
    "takt kernel",
    "takt kernel --markdown docs/kernels.md",
    "takt kernel softmax --in x=scores.npy --out y.npy",
    "takt kernel conv2d --in x=image.npy --in w=filters.npy --param padding=1 --out y.npy --preset nano",
    "takt kernel attention --in q=q.npy --in k=k.npy --in v=v.npy --in position=rows.npy --param length=64 --out y.npy",
    "takt kernel lstm --in x=x.npy --in w_x=wx.npy --in w_h=wh.npy --in bias=b.npy --out y.npy --out c=c.npy --json -",
)


_SIZE = 64


@click.command("kernel", cls=Command, epilog=_EPILOG)
@click.argument("name", required=False)
@click.option("--in", "inputs", multiple=True, metavar="ARG=FILE.npy", help="An argument; repeatable.")
@click.option("--param", "parameters", multiple=True, metavar="NAME=VALUE", help="A parameter; repeatable.")
@click.option(
    "--out", "outputs", multiple=True, metavar="[RESULT=]FILE.npy", help="Where to write a result; repeatable."
)
@click.option(
    "--markdown",
    type=OutputFile(".md"),
    help="Without NAME: run every kernel at size 64 on small and base, into the file's `takt kernels` markers.",
)
@machine_options()
@backend_option("golden")
@json_option
def command(
    config: Config,
    markdown: Path | None,
    backend: str,
    name: str | None,
    inputs: tuple[str, ...],
    parameters: tuple[str, ...],
    outputs: tuple[str, ...],
    json_file: Path | None,
) -> None:
    """Run a kernel on arrays: compile for their shapes, run, compare with the golden model and the NumPy definition.

    Without NAME: list the kernels with their arguments.
    """
    if name is None:
        unused = {"--in": inputs, "--param": parameters, "--out": outputs, "--json": json_file}
        for option, value in unused.items():
            if value:
                raise TaktError(f"{option} must come with the NAME of a kernel")
        if markdown is None:
            _list()
        else:
            machine = make_backend(backend, progress=working)
            wrong = write_kernel_table(markdown, (PRESETS["small"], PRESETS["base"]), machine, _SIZE, working)
            show_mismatches(*wrong)
            if wrong:
                raise click.exceptions.Exit(1)
        return
    chosen = find_kernel(name)
    if markdown is not None:
        raise TaktError(f"--markdown must come without the NAME of a kernel, not with {name!r}")
    machine = make_backend(backend, progress=working)
    values = chosen.values(pairs("--param", parameters))
    files = pairs("--in", inputs, "ARG=FILE.npy")
    chosen.check_names(files)
    targets = _targets(chosen, outputs)
    check_apart(
        {**{f"--out {result}": path for result, path in targets.items()}, "--json": json_file},
        {f"--in {argument}": path for argument, path in files.items()},
    )
    arrays = {argument: load_array(path, argument) for argument, path in files.items()}
    with working(f"{name} on {backend}"):
        run = run_kernel(chosen, config, arrays, values, machine)
    for result, path in targets.items():
        save_array(path, run.outputs[result])
    figures = _figures(run)
    if json_file is not None:
        write_json(json_file, figures | {"mismatches": list(run.measurement.mismatches)})
    if str(json_file) != "-":
        rows = [(label.replace("_", " "), _text(label, value)) for label, value in figures.items()]
        show_table(("", run.measurement.work), rows)
    show_mismatches(run.measurement, err=str(json_file) == "-")
    if not run.measurement.right:
        raise click.exceptions.Exit(1)


def _list() -> None:
    rows = []
    for item in KERNELS.values():
        for number, argument in enumerate(item.arguments):
            heading = (item.name, item.doc) if number == 0 else ("", "")
            given = f"{argument.name}: {' or '.join(argument.dtypes)} ({argument.shape})"
            rows.append((*heading, given + (", optional" if argument.optional else "")))
        rows += [("", "", f"--param {p.name}={p.default}: {p.doc}") for p in item.parameters]
    show_table(("kernel", "what", "arguments"), rows)


def _targets(chosen: Kernel, outputs: tuple[str, ...]) -> dict[str, Path]:
    named = pairs(
        "--out", (text if "=" in text else f"{chosen.results[0]}={text}" for text in outputs), "[RESULT=]FILE.npy"
    )
    for result in named:
        if result not in chosen.results:
            raise TaktError(f"result of {chosen.name} must be one of {', '.join(chosen.results)}, not {result!r}")
    return {result: OutputFile(".npy").convert(path, None, None) for result, path in named.items()}


def _figures(run: KernelRun) -> dict[str, Any]:
    result = run.measurement
    return {
        "preset": result.config_name,
        "backend": result.backend,
        "predicted_cycles": result.predicted_cycles,
        "golden_cycles": result.golden_cycles,
        "cycles": result.cycles,
        "bound_cycles": run.bound.cycles,
        "limit": run.bound.limit,
        "of_the_bound": run.closeness,
        "matches_golden": result.matches_golden,
        "matches_definition": result.matches_expected,
        "sim_cycles_per_s": result.sim_cycles_per_s,
    }


def _text(label: str, value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "NO"
    if isinstance(value, str):
        return value
    return f"{value:.1%}" if label == "of_the_bound" else f"{value:,.0f}"
