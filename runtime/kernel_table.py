"""How close every kernel comes to its lower bound."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from arch.config import Config
from compiler.library.catalogue import KERNELS
from runtime.backend import Backend
from runtime.kernel import run_kernel
from runtime.kernel_samples import SAMPLES, sample
from runtime.measure import Measurement
from runtime.run import Working, silent
from runtime.table import between_markers, markdown_table

__all__ = ["KERNEL_COLUMNS", "kernel_rows", "write_kernel_table"]

KERNEL_COLUMNS = ("kernel", "preset", "size", "x", "cycles", "bound", "over the bound", "as predicted", "limit")
"""Headings of the table."""


def kernel_rows(
    configs: Iterable[Config], backend: Backend, size: int, progress: Working = silent
) -> Iterator[tuple[tuple[str, ...], Measurement]]:
    """Yield a row, and what it was made of, for every kernel, format and machine.

    Parameters
    ----------
    configs
    backend
    size
        Of most axes of the arguments.
    progress
        Told of each row.
    """
    for config in configs:
        for name, kernel in KERNELS.items():
            for dtype in SAMPLES[name][1]:
                with progress(f"{name} {dtype} on {config.name}"):
                    run = run_kernel(kernel, config, sample(name, dtype, size), kernel.values({}), backend)
                cycles = run.measurement.cycles
                row = (
                    name,
                    config.name,
                    str(size),
                    dtype,
                    f"{cycles:,}",
                    f"{run.bound.cycles:,}",
                    f"{cycles / run.bound.cycles - 1:.1%}",
                    "yes" if run.measurement.right else "NO",
                    run.bound.limit,
                )
                yield row, run.measurement


def write_kernel_table(
    path: Path, configs: Iterable[Config], backend: Backend, size: int, progress: Working = silent
) -> list[Measurement]:
    """Write the rows as Markdown between the markers ``takt kernels`` of a file; return what is not right."""
    found = list(kernel_rows(configs, backend, size, progress))
    between_markers(path, "takt kernels", markdown_table(KERNEL_COLUMNS, [row for row, _ in found]))
    return [result for _, result in found if not result.right]
