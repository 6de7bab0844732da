"""READs and WRITEs that move words between MEM and a stream."""

import numpy as np

from arch.config import Config
from arch.geometry import units
from arch.timing import timing
from compiler.schedule.flow import Flow
from compiler.schedule.macro import Action, Macro
from compiler.schedule.pattern import Pattern
from compiler.schedule.sweeps import Cycles, Numbers, Sweep, sweeps


class Transfers:
    """Adds MEM actions to a macro-operation.

    Words are given by `slices` and `addrs`, shape (n,), and by the `cycles`, shape (n,), in which they pass the
    other end of their way.
    """

    def __init__(self, config: Config, macro: Macro) -> None:
        self._config = config
        self._timing = timing(config)
        self._units = units(config)
        self._macro = macro

    def read(
        self,
        flow: Flow,
        member: int,
        slices: Numbers,
        addrs: Numbers,
        cycles: Cycles,
        sink: int,
        interval: int = 1,
    ) -> None:
        """Read words so that they are on the register at `sink` in their cycles; `interval` as of `sweeps`."""
        assert slices.min() >= 0
        for sweep in sweeps(slices, addrs, cycles, self._config.mem_depth, interval):
            self._read(flow, member, sweep, sink)

    def read_constant(self, flow: Flow, member: int, number: int, addr: int, cycles: Pattern, sink: int) -> None:
        """Read one word again and again, to be on the register at `sink` in all of `cycles`."""
        self._read(flow, member, Sweep(number, addr, 0, 0, cycles), sink)

    def write(
        self,
        flow: Flow,
        member: int,
        copies: list[tuple[Numbers, Numbers]],
        cycles: Cycles,
        source: int,
        interval: int = 1,
    ) -> list[Cycles]:
        """Write words that are on the register at `source` in their cycles to several places each.

        Parameters
        ----------
        copies : list of (slices, addrs)
            Shape (n,) each; they lie in one direction from `source`, and no two in the same slice. Slice -1: a copy
            lacks the word, which another one has.
        interval : int
            As of `sweeps`.

        Returns
        -------
        list of ndarray, shape (n,)
            Per copy, the first cycles in which a READ may access the words that it has.
        """
        latency = self._timing["WRITE"].d_skew
        assert latency is not None
        for slices, addrs in copies:
            held = slices >= 0
            for sweep in sweeps(slices[held], addrs[held], cycles[held], self._config.mem_depth, interval):
                travel = abs(self._units[sweep.slice].position - source)
                self._access("WRITE", flow, member, sweep, travel - latency)
        travels = [np.where(slices < 0, 0, self._travel(slices, source)) for slices, _ in copies]
        # One value serves all copies that it passes: it has to stay on its stream up to the farthest.
        farthest = np.max(travels, axis=0)
        for way in sweeps(farthest, np.zeros_like(farthest), cycles, self._config.mem_depth):
            flow.carry(member, source, source + flow.direction.step * way.slice, way.cycles)
        # A bank is written when the value arrives, and can be read in the cycle after.
        return [cycles + travel + 1 for travel in travels]

    def read_travel(self, slices: Numbers, sink: int) -> Cycles:
        """Return the cycles from the READ access of words to their arrival on the register at `sink`."""
        latency = self._timing["READ"].d_func
        assert latency is not None
        return self._travel(slices, sink) + latency - self._timing.mem_access

    def _travel(self, slices: Numbers, end: int) -> Cycles:
        """Return the cycles between slices and a position."""
        positions = np.array([unit.position for unit in self._units[: self._config.slices]], np.int64)
        return np.abs(positions[slices] - end)

    def _read(self, flow: Flow, member: int, sweep: Sweep, sink: int) -> None:
        latency = self._timing["READ"].d_func
        assert latency is not None
        position = self._units[sweep.slice].position
        travel = abs(position - sink)
        flow.carry(member, position, sink, sweep.cycles.shifted(-travel))
        self._access("READ", flow, member, sweep, -travel - latency)

    def _access(self, mnemonic: str, flow: Flow, member: int, sweep: Sweep, later: int) -> None:
        """Add a sweep whose instructions issue `later` cycles after its words pass."""
        # Instructions have no time to spare: a READ issues so early that its word arrives in its cycle, a WRITE just
        # in time.
        at = sweep.cycles.shifted(later)
        self._macro.actions.append(
            Action(
                self._units[sweep.slice],
                mnemonic,
                at.start,
                {"dir": int(flow.direction), "addr": sweep.addr, "stride": sweep.stride, "count": at.length},
                {"stream": (flow, member)},
                at.count,
                at.every,
                sweep.advance,
                at.interval,
            )
        )
