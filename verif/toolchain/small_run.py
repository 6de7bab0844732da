"""A small unit, built and run in a process of its own that can be killed: ``python -m verif.toolchain.small_run``."""

import sys

from runtime.cli import guarded
from verif.bench import run_bench
from verif.toolchain.designs import WideBus

__all__ = ["LANES", "run"]

LANES = 4


def run(simulator: str, cycles: int = 0) -> None:
    """Build and run it; it counts so many cycles before it ends."""
    parameters = {"lanes": LANES, "cycles": cycles}
    run_bench(
        lambda: WideBus(lanes=LANES), "verif.toolchain.wide_bus_tests", simulator, name="small", parameters=parameters
    )
    print("right")


if __name__ == "__main__":
    sys.exit(guarded(lambda: run(sys.argv[1], int(sys.argv[2]))))
