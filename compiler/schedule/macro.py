"""Macro-operations: instructions whose cycles are fixed relative to one another."""

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field

from arch.config import Config
from arch.geometry import Unit, UnitKind
from arch.isa.mem_rows import gather_accesses, scatter_accesses
from arch.timing import timing
from compiler.schedule.flow import Flow
from compiler.schedule.pattern import Pattern

Key = Hashable


@dataclass
class Action:
    """One instruction word, issued `issues` times, `every` cycles apart.

    Attributes
    ----------
    unit : Unit
    mnemonic : str
    cycle : int
        First issue, relative to the macro-operation.
    fields : dict of str to int
        Instruction fields other than streams.
    streams : dict of str to (Flow, int)
        Stream fields: flow and member.
    issues, every : int
    advance : int
        Words by which `addr` grows from one issue to the next (MEM).
    interval : int
        Cycles from one element of an issue to the next.
    """

    unit: Unit
    mnemonic: str
    cycle: int
    fields: dict[str, int]
    streams: dict[str, tuple[Flow, int]] = field(default_factory=dict)
    issues: int = 1
    every: int = 1
    advance: int = 0
    interval: int = 1
    _needs: list[tuple[Key, Pattern]] | None = field(default=None, repr=False, compare=False)

    @property
    def elements(self) -> int:
        """Elements of one issue."""
        return self.fields.get("count", 1)

    @property
    def work(self) -> Pattern:
        """Cycles of the elements."""
        return Pattern(self.cycle, self.issues, self.every, self.elements, self.interval)

    @property
    def text(self) -> int:
        """About how many words of text it takes, where nothing else of its queue comes in between."""
        # Only a word that is the same again, or continues where the last one ended, can be repeated.
        if self.advance not in (0, self.elements * self.fields.get("stride", 0)):
            return self.issues * (1 + (self.every > 1))
        # A pause, the word, and how often it comes again; the first one, which sets the address, does not continue.
        return 2 if self.issues == 1 else 3 + bool(self.advance)

    def needs(self, config: Config) -> list[tuple[Key, Pattern]]:
        """Return what the action occupies, streams apart; worked out once, for several macro-operations share it."""
        if self._needs is None:
            self._needs = [*self._claims(config)]
        return self._needs

    def _claims(self, config: Config) -> Iterator[tuple[Key, Pattern]]:
        """Yield what the action occupies, streams apart: issue slot, engine, bank, fetch port."""
        yield ("issue", self.unit.id), Pattern(self.cycle, self.issues, self.every)
        if self.mnemonic == "IFETCH":
            # Vectors of text follow each other at this distance, and nobody else's may come between.
            port = 2 * config.superlanes * self.elements
            yield ("fetch", self.unit.position), Pattern(self.cycle, self.issues, self.every, port)
            return
        # An ALU takes a word in every cycle. One that holds a word, or sums one up, may not be given others; its queue
        # may have words of its own in the meantime.
        if self.unit.kind is UnitKind.VXM:
            yield ("alu", self.unit.id), Pattern(self.cycle, self.issues, self.every)
            return
        # These access a word per lane for each element, so that their banks are busy long after the issue.
        if self.mnemonic in ("GATHER", "SCATTER"):
            yield from self._indexed(config)
            return
        # Engines are busy in the pauses of a burst too, banks are not.
        burst = (self.elements - 1) * self.interval + 1
        yield ("engine", self.unit.id, self.mnemonic), Pattern(self.cycle, self.issues, self.every, burst)
        if self.unit.kind is UnitKind.MEM:
            access = timing(config).mem_access if self.mnemonic == "READ" else timing(config)["WRITE"].d_skew
            yield ("bank", self.unit.id, self.fields["addr"] // config.mem_depth), self.work.shifted(access or 0)

    def _indexed(self, config: Config) -> Iterator[tuple[Key, Pattern]]:
        """Yield the engine, and the bank, which has accesses for every lane."""
        assert self.issues == 1
        table = timing(config)
        skew = table[self.mnemonic].d_skew
        assert skew is not None
        span = (self.elements - 1) * self.interval
        engine, each = ("READ", gather_accesses) if self.mnemonic == "GATHER" else ("WRITE", scatter_accesses)
        yield ("engine", self.unit.id, engine), Pattern(self.cycle, length=span + table.mem_free[self.mnemonic])
        accesses = Pattern(self.cycle + skew + 1, length=span + each(config))
        yield ("bank", self.unit.id, self.fields["addr"] // config.mem_depth), accesses


@dataclass(eq=False)
class Macro:
    """Actions, the streams between them, and what else must stay free for them.

    Attributes
    ----------
    name : str
        For error messages.
    actions : list of Action
    flows : list of Flow
        In the order in which streams are picked: wide ones first.
    holds : list of (key, Pattern)
        Resources without an instruction: weight buffers, planes.
    """

    name: str
    actions: list[Action] = field(default_factory=list)
    flows: list[Flow] = field(default_factory=list)
    holds: list[tuple[Key, Pattern]] = field(default_factory=list)

    def without(self, kind: UnitKind) -> "Macro":
        """Return it without its actions on units of a kind, nor what it holds of these."""
        left = [action for action in self.actions if action.unit.kind is not kind]
        own = {("alu", action.unit.id) for action in self.actions if action.unit.kind is kind}
        return Macro(self.name, left, self.flows, [hold for hold in self.holds if hold[0] not in own])

    @property
    def first(self) -> int:
        """Relative cycle of the first issue."""
        return min(action.cycle for action in self.actions)
