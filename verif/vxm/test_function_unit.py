"""The costly functions of a lane: all of fp16 in Verilator, a sample in Icarus."""

from verif.bench import each_simulator, run_bench
from verif.vxm.function_lanes import FunctionLanes


@each_simulator
def test_function_unit(simulator: str) -> None:
    """The costly functions' table, polynomial and rounding, bit for bit with the golden model."""
    lanes, vectors = (16, 1 << 12) if simulator == "verilator" else (4, 60)
    run_bench(
        FunctionLanes(lanes),
        "verif.vxm.function_unit_tests",
        simulator,
        parameters={"lanes": lanes, "vectors": vectors},
    )
