"""What to show of a run on the chip, whatever the viewer."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from arch.geometry import Unit, units
from arch.image import Image
from compiler.verifier.walks import Walks
from runtime.run import PERIOD, RunResult
from runtime.waves.hierarchy import Instance

__all__ = ["Group", "Trace", "View", "view_of"]

_BUS = ("clk", "rst", "cyc", "stb", "we", "adr", "dat_w", "ack", "dat_r")
_RUN = ("run", "cycle", "busy", "done")
_FAULT = ("fault", "kind", "unit", "at")
_DECIMAL = ("cycle", "kind", "unit", "at")


@dataclass(frozen=True)
class Trace:
    """A signal to show.

    Attributes
    ----------
    name
        In full, as the waveform has it.
    label
    form
        ``"bit"``, ``"hex"``, ``"decimal"``, ``"mnemonic"`` or ``"instruction"``: the word without or with its fields.
    """

    name: str
    label: str
    form: str


@dataclass(frozen=True)
class Group:
    """Signals under one heading; `folded` hides them until asked for."""

    title: str
    traces: tuple[Trace, ...]
    folded: bool


@dataclass(frozen=True)
class View:
    """A waveform as it opens.

    Attributes
    ----------
    title
        The work, the machine, the cycles.
    groups
        From the top down.
    words
        Every word that a queue can show.
    runs
        First cycle and end of each run, in picoseconds.
    """

    title: str
    groups: tuple[Group, ...]
    words: tuple[int, ...]
    runs: tuple[tuple[int, int], ...]

    @property
    def start(self) -> int:
        """Begin of what is seen at first: a cycle before the first run."""
        return max(0, self.runs[0][0] - PERIOD)

    @property
    def stop(self) -> int:
        """End of what is seen at first: a cycle after the first run."""
        return self.runs[0][1] + PERIOD


def view_of(image: Image, results: Sequence[RunResult], chip: Instance) -> View:
    """Return the view of a waveform.

    Groups: the run, the program as one line per unit that works in it, these units in the order in which they begin;
    then, folded, the host's bus, all faults, and every other unit.

    Parameters
    ----------
    image
        The program.
    results
        Of each run in the waveform.
    chip
        The chip's instances and signals.
    """
    walks = Walks(image, image.limit).by_queue
    begun = {
        queue: min(int(item.cycles[0]) for item in [*walk.issued, *walk.fetches])
        for queue, walk in walks.items()
        if walk.issued or walk.fetches
    }
    every = units(image.config)
    working = [every[queue] for queue in sorted(begun, key=lambda queue: (begun[queue], queue))]
    columns = list(chip.children())
    inside = {unit: tuple(_unit(columns, unit)) for unit in every}
    program = tuple(Trace(inside[unit][0].name, unit.name, "mnemonic") for unit in working)
    groups = [
        Group("run", tuple(_of_children(chip, _RUN)), False),
        Group("program", program, False),
        *(Group(unit.name, inside[unit], False) for unit in working),
        Group("host", tuple(_traces(chip, _BUS)), True),
        Group("faults", (*_of_children(chip, _FAULT), *_faults(columns, working)), True),
        *(Group(unit.name, inside[unit], True) for unit in every if unit not in working),
    ]
    work = str(image.notes.get("work", ""))
    runs = [(result.began, result.began + result.cycles * PERIOD) for result in results if result.began is not None]
    return View(
        title=f"{' '.join(work.split()) or 'program'} on {image.config.name}: {results[0].cycles:,} cycles",
        groups=tuple(groups),
        words=tuple(sorted({word for walk in walks.values() for word in walk.words})),
        runs=tuple(runs),
    )


def _unit(columns: Iterable[Instance], unit: Unit) -> Iterator[Trace]:
    """Everything between a queue and its unit but faults, the instruction first."""
    signals = dict(_signals(columns, unit))
    yield replace(signals.pop("issue_word"), label="instruction", form="instruction")
    yield replace(signals.pop("issue_valid"), label="issue")
    for name in sorted(signals):
        if not name.startswith("issue_") and not name.endswith("_fault"):
            yield signals[name]


def _faults(columns: Iterable[Instance], working: Iterable[Unit]) -> Iterator[Trace]:
    for unit in working:
        for name, trace in sorted(_signals(columns, unit)):
            if name.endswith("_fault"):
                yield replace(trace, label=f"{unit.name}_{name.removesuffix('_fault')}")


def _signals(columns: Iterable[Instance], unit: Unit) -> Iterator[tuple[str, Trace]]:
    """What a unit's column has of it, by the name behind the unit's."""
    prefix = f"unit_{unit.name.lower().replace('.', '_')}__"
    column = next(column for column in columns if f"{prefix}issue_word" in column.wires)
    for name, wire in column.wires.items():
        if name.startswith(prefix) and "$" not in name:
            label = name.removeprefix(prefix)
            yield label, Trace(column.trace(name), label, "hex" if wire.width > 1 else "bit")


def _of_children(chip: Instance, names: tuple[str, ...]) -> Iterator[Trace]:
    for instance in chip.having(*names):
        yield from _traces(instance, names)


def _traces(instance: Instance, names: Iterable[str]) -> Iterator[Trace]:
    for name in names:
        form = "decimal" if name in _DECIMAL else "hex" if instance.wires[name].width > 1 else "bit"
        yield Trace(instance.trace(name), name, form)
