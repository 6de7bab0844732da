"""The verifier: every rule of docs/machine.md, and the length of the run."""

from collections.abc import Iterator, Mapping

from arch.config import Config
from arch.faults import Fault, FaultError, FaultKind
from arch.geometry import units
from arch.image import Image
from arch.timing import timing
from compiler.verifier.banks import bank_faults
from compiler.verifier.engines import engine_faults, pair_faults
from compiler.verifier.mesh import mesh_faults
from compiler.verifier.planes import plane_faults
from compiler.verifier.queue_walk import Issued, QueueWalk, walk_queue
from compiler.verifier.stream_checks import stream_faults


def verify(image: Image) -> int:
    """Check an image's timetable against every rule of the machine, from its queue words alone.

    Returns
    -------
    int
        Cycles that the machine takes for it.

    Raises
    ------
    FaultError
        With the fault that the machine would report: of all violations the one of the lowest cycle, in it of the lowest
        queue, for it of the lowest code. OVERRUN comes before everything, since the machine does not start.
    """
    config = image.config
    walks = {queue: walk_queue(config, units(config)[queue], image.queues[queue]) for queue in sorted(image.queues)}
    found = [walk.fault for walk in walks.values() if walk.fault is not None]
    overrun = [fault for fault in found if fault.kind is FaultKind.OVERRUN]
    issued = {queue: walk.issued for queue, walk in walks.items()}
    found.extend(_faults(config, issued))
    if found:
        fault = min(overrun or found, key=lambda fault: fault.key)
        raise FaultError(fault, units(config)[fault.unit].name)
    return _length(config, walks)


def _faults(config: Config, issued: Mapping[int, list[Issued]]) -> Iterator[Fault]:
    for items in issued.values():
        yield from engine_faults(items)
        yield from bank_faults(config, items)
    yield from pair_faults(config, issued)
    yield from plane_faults(config, issued)
    yield from mesh_faults(config, issued)
    yield from stream_faults(config, (item for items in issued.values() for item in items))


def _length(config: Config, walks: Mapping[int, QueueWalk]) -> int:
    """Return the first cycle in which every queue is closed and every element has retired."""
    closed = max((walk.closed for walk in walks.values()), default=0)
    retired = max(
        (
            item.last + timing(config).retire(item.mnemonic, item.fields)
            for walk in walks.values()
            for item in walk.issued
        ),
        default=0,
    )
    return max(closed, retired)
