"""``takt demo``, which `make sim` runs."""

import shutil
import time
from collections.abc import Callable
from pathlib import Path

import click
import numpy as np

from arch.config import Config
from arch.presets import PRESETS
from compiler.kernels.catalogue import find_kernel
from compiler.kernels.kernel import Arrays
from runtime.backend import Backend, make_backend
from runtime.bench import Case
from runtime.commands.digits_command import show_digits
from runtime.console import show_table, working, write_json
from runtime.digits.evaluate import evaluate_digits
from runtime.kernel import run_kernel
from runtime.measure import Measurement
from runtime.options import backend_option, examples, json_option, machine_options
from runtime.report import COLUMNS, cells, figures

__all__ = ["command"]

_EPILOG = examples("takt demo", "takt demo --backend golden", "takt demo --json demo.json")


@click.command("demo", epilog=_EPILOG)
@machine_options()
@backend_option()
@json_option
def command(config: Config, backend: str, json_file: Path | None) -> None:
    """Run everything once: digits, products, kernels on the RTL, each against the golden model and the prediction.

    Exits with 1 if a bit or a cycle differs.
    """
    start = time.monotonic()
    machine = make_backend(backend)
    with working(f"digits: training, compiling, building {config.name} for {backend}, running"):
        digits = evaluate_digits(config, machine)
    show_digits(digits)
    click.echo()
    results = [digits.measurement, *(_run(case) for case in _cases(config, machine))]
    results += [_run_kernel(name, config, machine) for name in _KERNELS]
    if json_file is not None:
        write_json(json_file, [figures(result) for result in results])
    show_table(COLUMNS, [cells(result) for result in results])
    right = all(result.right for result in results)
    verdict = "every output bit and every cycle as predicted" if right else "MISMATCH"
    click.echo(f"\n{verdict}; {time.monotonic() - start:.0f} s")
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
        cases.append(Case(PRESETS["nano"], make_backend("icarus"), (9, 17, 10), 1))
    return cases


def _run_kernel(name: str, config: Config, machine: Backend) -> Measurement:
    kernel = find_kernel(name)
    with working(f"{name} on {config.name}, {machine.name}"):
        size = 64 if config.mem_bytes > _ROOM else 8
        arrays = _KERNELS[name](np.random.default_rng(1), size)
        return run_kernel(kernel, config, arrays, kernel.values({}), machine).measurement


def _scores(rng: np.random.Generator, size: int) -> Arrays:
    return {"x": rng.normal(size=(size, size)).astype(np.float32)}


def _recurrent(rng: np.random.Generator, size: int) -> Arrays:
    shapes = {"x": (2, size), "w_x": (size, 4 * size), "w_h": (size, 4 * size)}
    weights = {name: rng.normal(size=shape).astype(np.float16) / np.float16(8) for name, shape in shapes.items()}
    return {**weights, "bias": rng.normal(size=4 * size).astype(np.float32)}


_KERNELS: dict[str, Callable[[np.random.Generator, int], Arrays]] = {"softmax": _scores, "lstm": _recurrent}
"""Kernels, and what makes their arguments of a size; of the LSTM two steps."""

_ROOM = 1 << 19
"""Bytes of MEM from which on the kernels' size is 64."""


def _run(case: Case) -> Measurement:
    with working(case.text):
        return case.measure(case.compile())
