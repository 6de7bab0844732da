"""The image of a program whose plans are chosen: place, schedule, assemble, verify."""

import numpy as np

from arch.image import Image
from arch.timing import timing
from compiler.candidate import Candidate
from compiler.kernels.plan import Plan
from compiler.operation import MatMul
from compiler.placement.demand import Work
from compiler.placement.maps import empty_map, tensor_map, view_map
from compiler.placement.storage import Storage
from compiler.schedule.scheduler import Scheduler
from compiler.scheduling import schedule_operation
from compiler.source import Source
from compiler.text.streamer import TextStreamer
from compiler.vector.operation import Pass
from compiler.vector.plan import PassPlan
from compiler.verifier.verify import verify

_BESIDE = 2
"""Passes after one that it leaves ALUs for, if it can."""
_BESIDE_COPIED = 4
"""The same where each has copies of its own of what the host writes."""


def build_image(source: Source, candidate: Candidate) -> Image:
    """Return the verified image of a program compiled in one way.

    Raises
    ------
    Unschedulable
        When an operation does not fit even where nothing else is.
    TaktError
        When it exceeds MEM or the queues.
    """
    config, work = source.config, candidate.work
    storage = Storage(
        config,
        work,
        candidate.stored,
        [view.tensor for view in source.outputs.values()],
        candidate.states,
        candidate.policy,
    )
    scheduler, control = Scheduler(config), candidate.control
    for op, plan in _beside_each_other(work, _BESIDE_COPIED if candidate.policy.copied else _BESIDE):
        scheduler.configure(control.superlanes.get(id(op), config.superlanes))
        schedule_operation(scheduler, storage, op, plan, candidate.policy.copied)
        if id(op) in control.barriers:
            scheduler.barrier()
    scheduler.configure(config.superlanes)
    scheduler.synchronise()
    text = TextStreamer(config, scheduler, storage.allocator).fit()
    waits = {"SYNC": timing(config).barrier - 1}
    closed = max(issue.cycles[-1] + waits.get(issue.mnemonic, 0) for issue in scheduler.issues) + 2
    used = [tensor for tensor in source.tensors if id(tensor) in storage.words]
    constants = [tensor_map(tensor, storage.words[id(tensor)]) for tensor in used if tensor.data is not None]
    values = [tensor.data for tensor in used if tensor.data is not None]
    zeros = sum(len(slices) for slices, _ in storage.zeros)
    image = Image(
        config=config,
        queues=text.queues,
        constant_slices=_joined(
            [*(part.slices for part in constants), *(slices for slices, _ in storage.zeros), text.slices]
        ),
        constant_addrs=_joined(
            [*(part.addrs for part in constants), *(addrs for _, addrs in storage.zeros), text.addrs]
        ),
        constant_words=np.concatenate(
            [
                *(part.pack(data) for part, data in zip(constants, values, strict=True)),
                np.zeros((zeros, config.vector_length), np.uint8),
                text.content,
            ]
        ),
        # What no operation reads has no words: it may be given, and goes nowhere.
        inputs=tuple(
            tensor_map(tensor, storage.words[id(tensor)]) if id(tensor) in storage.words else empty_map(config, tensor)
            for tensor in source.tensors
            if tensor.data is None
        ),
        outputs=tuple(view_map(key, view, storage.words[id(view.tensor)]) for key, view in source.outputs.items()),
        cycles=max(scheduler.retired, int(closed)),
        notes={
            "work": source.name,
            "macs": sum(op.macs for op, _ in work if isinstance(op, MatMul)),
            "planes": max(plan.planes for _, plan in work),
            "macs_per_cycle": max((_rate(op, plan) for op, plan in work), default=0),
            "instructions": text.instructions,
        },
    )
    cycles = verify(image)
    if cycles != image.cycles:
        raise AssertionError(f"scheduler predicts {image.cycles} cycles, verifier finds {cycles}")
    return image


def _beside_each_other(work: Work, window: int) -> Work:
    """Return the operations with plans that leave ALUs for the passes that come up to `window` operations later."""
    found: Work = []
    for number, (op, plan) in enumerate(work):
        if isinstance(plan, PassPlan):
            earlier = [other for _, other in found[-window:] if isinstance(other, PassPlan)]
            later = [other for _, other in work[number + 1 : number + 1 + window] if isinstance(other, PassPlan)]
            plan = plan.beside(earlier, later)
        found.append((op, plan))
    return found


def _rate(op: MatMul | Pass, plan: Plan | PassPlan) -> int:
    """Return the multiply-accumulates per cycle of the planes that an operation uses."""
    if isinstance(op, Pass):
        return 0
    return plan.planes // op.array * op.config.vector_length**2 // op.interval


def _joined(parts: list[np.ndarray[tuple[int], np.dtype[np.int32]]]) -> np.ndarray[tuple[int], np.dtype[np.int32]]:
    return np.concatenate([np.zeros(0, np.int32), *parts]).astype(np.int32)
