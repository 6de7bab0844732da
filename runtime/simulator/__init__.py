"""Build RTL for Verilator or Icarus Verilog and run cocotb tests on it.

::

    built = build(MemSlice(config), name="mem_slice", simulator="verilator")
    results = built.run("verif.mem.slice_tests", seed=1, parameters={"depth": 16})

Builds are kept under ``build/`` of the project (or ``TAKT_BUILD``) by a hash of what they are made of; see
:mod:`runtime.simulator.built`.
"""

from runtime.simulator.built import Built, build
from runtime.simulator.failure import SimulationFailed
from runtime.simulator.runner import SIMULATORS
from runtime.simulator.toolchain import MissingTool

__all__ = ["SIMULATORS", "Built", "MissingTool", "SimulationFailed", "build"]
