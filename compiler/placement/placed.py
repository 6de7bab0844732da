"""Storage of one operation."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from arch.geometry import Hemisphere
from compiler.gather.operation import Gathering
from compiler.operation import MatMul
from compiler.placement.demand import Port
from compiler.placement.layout import Layout, Numbers


@dataclass
class Placed:
    """Storage of one operation.

    Attributes
    ----------
    ports : dict of int to Port
        What it reads: one per feeder of a MatMul, one per stream of a Pass, by number.
    results : list of Layout
        Every copy of a MatMul's result; rows or blocks that a copy lacks have slice -1.
    outputs : list of list of Layout
        The same for each result of a Pass.
    weights : dict of Hemisphere to (slices, addrs)
        Shape (ways * lanes, words): word i of stream j, in the order of use.
    constants : dict of str to (slices, addrs)
        Shape (4, n_blocks): byte planes of the VXM's vectors.
    gathering : Gathering or None
        Of a Gather.
    """

    ports: dict[int, Port] = field(default_factory=dict)
    results: list[Layout] = field(default_factory=list)
    outputs: list[list[Layout]] = field(default_factory=list)
    weights: dict[Hemisphere, tuple[Numbers, Numbers]] = field(default_factory=dict)
    constants: dict[str, tuple[Numbers, Numbers]] = field(default_factory=dict)
    gathering: Gathering | None = None

    @cached_property
    def activations(self) -> list[Layout]:
        """Activations of each feeder of a MatMul, shape (bytes, k_blocks, m); only its rows are valid.

        To be asked for when all that produces them is placed in time.
        """
        found = []
        for _, port in sorted(self.ports.items()):
            op = port.demand.op
            assert isinstance(op, MatMul)
            slices, addrs, ready = port.words()
            shape = (len(slices), op.k_blocks, op.m)
            found.append(Layout(slices.reshape(shape), addrs.reshape(shape), ready.reshape(shape[1:])))
        return found

    @property
    def reads(self) -> set[int]:
        """Slices that are read, weights and the VXM's vectors apart."""
        return {number for port in self.ports.values() for number in port.slices}


def slices_of_parts(parts: dict[Hemisphere, tuple[Numbers, Numbers]] | dict[str, tuple[Numbers, Numbers]]) -> set[int]:
    """Return the slices of weights or of vectors of the VXM."""
    return {int(number) for slices, _ in parts.values() for number in np.unique(slices)}


def slices_of_layouts(layouts: list[Layout]) -> set[int]:
    """Return the slices that copies of a tensor use."""
    return {int(number) for layout in layouts for number in np.unique(layout.slices) if number >= 0}
