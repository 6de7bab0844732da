"""``takt demo``, which `make sim` runs."""

import shutil
import time
from pathlib import Path

import click

from arch.config import Config
from arch.presets import PRESETS
from compiler.library.catalogue import find_kernel
from runtime.backend import Backend, make_backend
from runtime.bench import Case
from runtime.commands.digits_command import show_digits
from runtime.console import show_table, working, write_json
from runtime.digits.evaluate import evaluate_digits
from runtime.kernel import run_kernel
from runtime.kernel_samples import sample
from runtime.measure import Measurement
from runtime.options import Command, backend_option, examples, json_option, machine_options
from runtime.report import COLUMNS, cells, figures, show_mismatches

__all__ = ["command"]

_EPILOG = examples("takt demo", "takt demo --backend golden", "takt demo --json demo.json")


@click.command("demo", cls=Command, epilog=_EPILOG)
@machine_options()
@backend_option()
@json_option
def command(config: Config, backend: str, json_file: Path | None) -> None:
    """Run everything once: digits, products, kernels on the RTL, each against the golden model and the prediction.

    Exits with 1 if a bit or a cycle differs.
    """
    start = time.monotonic()
    machine = make_backend(backend, progress=working)
    with working(f"digits: training, compiling, building {config.name} for {backend}, running"):
        digits = evaluate_digits(config, machine)
    quiet = str(json_file) == "-"
    if not quiet:
        show_digits(digits)
        click.echo()
    results = [digits.measurement, *(_run(case) for case in _cases(config, machine))]
    results += [_run_kernel(name, config, machine) for name in _KERNELS]
    if json_file is not None:
        write_json(json_file, [figures(result) for result in results])
    if not quiet:
        show_table(COLUMNS, [cells(result) for result in results])
    show_mismatches(*results, err=quiet)
    right = all(result.right for result in results)
    verdict = "every output bit and every cycle as predicted" if right else "MISMATCH"
    click.echo(f"\n{verdict}; {time.monotonic() - start:.0f} s", err=quiet)
    if not right:
        raise click.exceptions.Exit(1)


def _cases(config: Config, machine: Backend) -> list[Case]:
    cases = [
        Case(config, machine, (64, 64, 64), 1),
        Case(config, machine, (64, 64, 64), config.planes),
        Case(config, machine, (37, 129, 83), 1),
        Case(config, machine, (1, 512, 512), 1),
        Case(config, machine, (64, 64, 64), 2, "fp16"),
    ]
    if machine.name == "verilator" and shutil.which("iverilog"):
        cases.append(Case(PRESETS["nano"], make_backend("icarus", progress=working), (9, 17, 10), 1))
    return cases


def _run_kernel(name: str, config: Config, machine: Backend) -> Measurement:
    kernel = find_kernel(name)
    with working(f"{name} on {config.name}, {machine.name}"):
        size = 64 if config.mem_bytes > _ROOM else 8
        arrays = sample(name, _KERNELS[name], size)
        return run_kernel(kernel, config, arrays, kernel.values({}), machine).measurement


_KERNELS = {"softmax": "float32", "lstm": "float16"}
"""Kernels, and the format of their argument x."""

_ROOM = 1 << 19
"""Bytes of MEM from which on the kernels' size is 64."""


def _run(case: Case) -> Measurement:
    with working(case.text):
        return case.measure(case.compile())
