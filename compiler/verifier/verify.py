"""The verifier: every rule of docs/machine.md, and the length of the run."""

from collections.abc import Iterator, Mapping

from arch.config import Config
from arch.faults import Fault, FaultError, FaultKind
from arch.geometry import units
from arch.image import Image
from arch.timing import timing
from compiler.memory.accesses import Contents
from compiler.verifier.banks import bank_faults
from compiler.verifier.contents import check_contents
from compiler.verifier.engines import engine_faults, pair_faults
from compiler.verifier.mesh import mesh_faults
from compiler.verifier.planes import plane_faults
from compiler.verifier.queue_walk import Issued, QueueWalk
from compiler.verifier.stream_checks import stream_faults
from compiler.verifier.walks import Walks


def verify(image: Image, contents: Contents | None = None) -> int:
    """Check an image's timetable against every rule of the machine, from its queue words alone.

    Parameters
    ----------
    image : Image
    contents : Contents, optional
        What its operations mean to find in MEM; with it that is checked too.

    Returns
    -------
    int
        Cycles that the machine takes for it.

    Raises
    ------
    FaultError
        With the fault that the machine would report: of all violations the one of the lowest cycle, in it of the lowest
        queue, for it of the lowest code. OVERRUN by the host comes before everything, since the machine does not start.
    AssertionError
        For contents that are not as meant: the compiler is wrong then.
    TaktError
        For program text that is fetched and cannot be known: it must be constants of the image, which nothing writes.
    """
    config = image.config
    walks = Walks(image)
    found = [*walks.faults(), *_faults(config, walks.by_queue)]
    unknown = walks.unknown()
    if found:
        overrun = [fault for fault in found if fault.kind is FaultKind.OVERRUN and fault.cycle == 0]
        fault = min(overrun or found, key=lambda fault: fault.key)
        if unknown is None or (fault.cycle, fault.unit) < unknown[:2]:
            raise FaultError(fault, units(config)[fault.unit].name)
    if unknown is not None:
        raise unknown[2]
    overwritten = walks.overwritten()
    if overwritten is not None:
        raise overwritten
    if contents is not None:
        check_contents(config, walks.by_queue, contents)
    return _length(config, walks.by_queue)


def _faults(config: Config, walks: Mapping[int, QueueWalk]) -> Iterator[Fault]:
    issued = {queue: walk.issued for queue, walk in walks.items()}
    for items in issued.values():
        yield from engine_faults(config, items)
        yield from bank_faults(config, items)
    yield from pair_faults(config, issued)
    yield from plane_faults(config, issued)
    yield from mesh_faults(config, issued)
    yield from stream_faults(config, (item for walk in walks.values() for item in _all(walk)))


def _length(config: Config, walks: Mapping[int, QueueWalk]) -> int:
    """Return the first cycle in which every queue is closed and every element has retired."""
    closed = max((walk.closed or 0 for walk in walks.values()), default=0)
    retired = max(
        (
            item.last + timing(config).retire(item.mnemonic, item.fields)
            for walk in walks.values()
            for item in _all(walk)
        ),
        default=0,
    )
    return max(closed, retired)


def _all(walk: QueueWalk) -> list[Issued]:
    return walk.issued + walk.fetches
