"""CPU seconds of a cold build, stage by stage: ``python -m runtime.build_cost --preset small``.

CPU and not wall-clock time, since a build's stages use one core or all of them, and machines are shared.
"""

import os
import re
import resource
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from amaranth.lib import wiring

from arch.config import Config
from hdl.chip import Chip
from hdl.emit import emit
from runtime.console import show_table, working
from runtime.options import machine_options
from runtime.simulator import SIMULATORS, build
from runtime.simulator.toolchain import simulator_text
from runtime.simulator.verilated import verilated_objects

__all__ = ["build_cost"]

_VERILATOR_CPU = re.compile(r"cpu ([\d.]+) s on")


def build_cost(design: wiring.Component, name: str, simulator: str) -> dict[str, float]:
    """Build a design in an empty cache.

    Parameters
    ----------
    design, name
        The top module, and its name.
    simulator
        One of `runtime.simulator.SIMULATORS`.

    Returns
    -------
    dict
        CPU seconds, user and system, by stage in order; those of programs that a stage starts are included.
    """
    with tempfile.TemporaryDirectory(prefix="takt-build-cost-") as folder, _cache(folder):
        cost = {}
        own, others = _cpu()
        emitted = emit(design, name, Path(folder) / "emitted")
        cost["elaboration and RTLIL"], cost["Yosys"] = _cpu()[0] - own, _cpu()[1] - others
        if simulator == "verilator":
            others = _cpu()[1]
            verilated_objects(False)
            cost["Verilator's library"] = _cpu()[1] - others
        others = _cpu()[1]
        built = build(emitted, name, simulator)
        compiled = _cpu()[1] - others
        if simulator != "verilator":
            return cost | {simulator: compiled}
        verilated = sum(map(float, _VERILATOR_CPU.findall((built.folder / "build.log").read_text(encoding="utf-8"))))
        return cost | {"Verilator": verilated, "C++": compiled - verilated}


@contextmanager
def _cache(folder: str) -> Iterator[None]:
    before = os.environ.get("TAKT_BUILD")
    os.environ["TAKT_BUILD"] = folder
    try:
        yield
    finally:
        if before is None:
            del os.environ["TAKT_BUILD"]
        else:
            os.environ["TAKT_BUILD"] = before


def _cpu() -> tuple[float, float]:
    """CPU seconds of this process, and of those that it started and that have ended."""
    own, others = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime, others.ru_utime + others.ru_stime


@click.command()
@machine_options()
@click.option(
    "--simulator", type=click.Choice(SIMULATORS), default="verilator", show_default=True, help="To build for."
)
def _main(config: Config, simulator: str) -> None:
    """Measure what building a chip for a simulator costs, without any cache. TAKT_CXX chooses the C++ compiler."""
    with working(f"building {config.name} for {simulator_text(simulator)}"):
        cost = build_cost(Chip(config=config), "chip", simulator)
    rows = [(stage, f"{seconds:.1f}") for stage, seconds in {**cost, "all": sum(cost.values())}.items()]
    show_table((f"{config.name}, {simulator_text(simulator)}", "CPU s"), rows)


if __name__ == "__main__":
    _main()
