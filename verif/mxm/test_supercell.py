"""The supercell, alone."""

from hdl.mxm.supercell import Supercell
from verif.bench import each_simulator, run_bench


@each_simulator
def test_supercell(simulator: str) -> None:
    """Weights move in, are installed and multiply along the wavefront, in a block of the array."""
    parameters = {"lanes": 4, "psum_bits": 19}
    run_bench(lambda: Supercell(**parameters), "verif.mxm.supercell_tests", simulator, parameters=parameters)
