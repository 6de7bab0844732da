"""Layers of one row that depend on each other: what a cycle of them is spent on."""

from dataclasses import dataclass

import numpy as np

from arch.config import Config
from arch.geometry import Hemisphere, mxm_position, vxm_position
from arch.image import Image
from arch.presets import preset
from arch.timing import timing
from compiler.library.bounds import chain_levels, mesh_latency, sums_latency
from compiler.program import Program
from compiler.verifier.walks import Walks
from runtime.table import markdown_table

__all__ = ["LAYERS", "WIDTH", "layers", "section"]

LAYERS = 8
WIDTH = 512
_MACHINES = ("base", "groqchip")
_EPILOGUE = ("CVT", "MUL", "RELU", "CVT")


def layers(config: Config, count: int) -> Image:
    """Return the image of dependent int8 layers of one row, each with weights of its own, a scale and relu."""
    rng = np.random.default_rng(0)
    program = Program(config, f"{count} layers of {WIDTH} x {WIDTH}")
    value = program.input("x", (1, WIDTH), "int8")
    for number in range(count):
        weights = program.constant(f"w{number}", rng.integers(-128, 128, (WIDTH, WIDTH), dtype=np.int8))
        value = program.matmul(value, weights, scale=0.001, relu=True)
    program.output("y", value)
    return program.compile()


@dataclass(frozen=True)
class _Way:
    """Cycles from the issue of a row of activations to that of one that depends on it, through MEM next to the VXM."""

    plane: int
    inward: int
    alus: int
    outward: int

    @property
    def cycles(self) -> int:
        return self.plane + self.inward + self.alus + self.outward


def _way(config: Config, image: Image) -> _Way:
    table = timing(config)
    read, skew = table["READ"].d_func, table["ABC"].d_skew
    assert read is not None and skew is not None
    # Planes that share out K have their sums added first.
    added = any(item.mnemonic == "ADD" for walk in Walks(image).by_queue.values() for item in walk.issued)
    levels = chain_levels(config, _EPILOGUE)
    assert levels is not None
    distance = vxm_position(config) - mxm_position(config, Hemisphere.WEST)
    plane = sums_latency(config, "int8", through_vxm=False)
    # A hop to MEM, where READ issues as the word passes; the other way round all hops but that one.
    outward = 1 + read + distance - 1 - skew
    return _Way(plane, distance, mesh_latency(config, levels + added), outward)


def section() -> str:
    """Return what layers take on each machine, and what a further layer waits for."""
    rows = []
    for machine in _MACHINES:
        config = preset(machine)
        image = layers(config, LAYERS)
        further = (layers(config, 2 * LAYERS).cycles - image.cycles) / LAYERS
        way = _way(config, image)
        parts = (way.plane, way.inward, way.alus, way.outward)
        rest = further - way.cycles
        rows.append((machine, str(image.cycles), f"{further:.1f}", *map(str, parts), f"{rest:.1f}"))
    columns = (
        "preset",
        f"{LAYERS} layers",
        "a further layer",
        "sums in the plane",
        "to the VXM",
        "ALUs",
        "MEM, and back to the plane",
        "the rest",
    )
    return markdown_table(columns, rows)
