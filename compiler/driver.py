"""From operations to a verified image."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

import numpy as np

from arch.errors import TaktError
from arch.image import Image
from arch.timing import timing
from compiler.emit.ifetch.segments import SegmentedText, longest_segment
from compiler.emit.ifetch.streamer import TextStreamer
from compiler.emit.ifetch.text import Text, TextError
from compiler.ir.operation import Operation
from compiler.ir.source import Source
from compiler.ir.tensor import Tensor
from compiler.lower.vxm.steps import stationary_ports
from compiler.memory.accesses import Contents, Final
from compiler.memory.maps import empty_map, tensor_map, vectors_of, view_map
from compiler.place.core import Core, PlacementError
from compiler.place.lowerings import lowering_of
from compiler.place.policy import Policy
from compiler.place.state import PlacementState
from compiler.place.states import direct_updates, place_rows, place_state
from compiler.verifier.verify import verify

_SMALL = 24
"""Operations up to which several policies are tried for a whole program; a longer one whose text came late is cut."""

_SEGMENTS = (0.8, 0.4, 0.2)
"""Parts of the longest segment of text that operations are to fill: words for text itself come in between."""


def compile_program(source: Source) -> Image:
    """Return the verified image of a program: of a small one the best of a few policies.

    Raises
    ------
    TaktError
        When something has no place in MEM, the VXM's mesh or the queues, or no time.
    """
    errors: list[TaktError] = []
    found: list[Image] = []
    is_late = False
    for policy in _policies(source):
        # Passes that keep clear of each other have more text still.
        if (policy.dense and found) or (is_late and (policy.copied or len(source.operations) > _SMALL)):
            continue
        for direct in (True, False) if source.updates else (True,):
            try:
                found.append(_build(source, policy, direct))
                break
            except TextError as error:
                errors.append(error)
                is_late = True
                # Updates in passes of their own only make the program longer.
                break
            except TaktError as error:
                errors.append(error)
    # Text is whole vectors: slices cannot bring any in a pause in which superlanes are off.
    if not found and is_late and all(on == source.config.superlanes for on in source.control.superlanes.values()):
        found += _segmented(source)
    if not found:
        raise errors[0]
    return min(found, key=lambda image: image.cycles)


def _segmented(source: Source) -> list[Image]:
    """Return the image of a program whose text comes in segments, if there is one: that only makes it longer."""
    said: dict[bool, str] = {}
    for part in _SEGMENTS:
        segment = int(longest_segment(source.config) * part)
        # Dense results have less text as a rule, but may leave a long operation without a place to be cut at.
        for dense in (True, False):
            try:
                return [_build(source, Policy(dense=dense, segment=segment), direct=False)]
            except TextError as error:
                # What is too long in shorter segments too is one operation by itself.
                if said.get(dense) == str(error):
                    return []
                said[dense] = str(error)
    return []


def _policies(source: Source) -> Iterator[Policy]:
    """Yield the policies to try: more where slices are too few for all that passes read at the same time.

    A dense one comes last, and is of use where the text of others could not come in time.
    """
    yield Policy()
    passes = [found for op in source.operations if (found := op.as_pass) is not None]
    small = len(source.operations) <= _SMALL
    if small and len(passes) > 1:
        yield Policy(copied=True)
    if small and sum(operand.tensor.itemsize for op in passes for operand in op.operands) > source.config.slices:
        yield Policy(copied=True, sparse=True)
        if any(stationary_ports(op) for op in passes):
            yield Policy(copied=True, sparse=True, latched=True)
    # Only where nothing else was possible.
    yield Policy(dense=True)


def _build(source: Source, policy: Policy, direct: bool) -> Image:
    """Return the image of a program under one policy."""
    config = source.config
    pieces = [lowering_of(op).pieces(op, 0, policy.latched) for op in source.operations]
    operations = [piece for its in pieces for piece in its]
    control = source.control.of_pieces(source.operations, pieces)
    made = {tensor for op in operations for tensor in op.writes()}
    passed = direct_updates(operations, source.updates) if direct else {}
    every = [*operations, *(update for tensor, update in source.updates.items() if tensor not in passed.values())]
    outputs = [view.tensor for view in source.outputs.values()]
    state = PlacementState(config, partial(_is_stored, source, made), outputs, source.states, policy)
    core = Core(state, every)
    _place_states(source, state, every, passed)
    for op in every:
        state.scheduler.configure(control.superlanes.get(op, config.superlanes))
        core.place(op)
        if op in control.barriers:
            state.scheduler.barrier()
    state.scheduler.configure(config.superlanes)
    state.scheduler.synchronise()
    return _image(source, state, core, every)


def _is_stored(source: Source, made: set[Tensor], tensor: Tensor) -> bool:
    return tensor in made or source.stored(tensor)


def _place_states(
    source: Source, state: PlacementState, operations: Sequence[Operation], passed: Mapping[Tensor, Tensor]
) -> None:
    """Place the tensors that live from run to run."""
    writers = {target: op.as_pass for value, target in passed.items() for op in operations if value in op.writes()}
    for tensor in source.states:
        writer = writers.get(tensor)
        fits = place_rows(state, tensor) if tensor in source.scattered else place_state(state, tensor, writer)
        if not fits:
            raise PlacementError(
                f"state {tensor.name} must fit the MEM of {source.config.name}, with a copy per reader"
            )
    state.written = {value: state.copies[target] for value, target in passed.items()}


def _image(source: Source, state: PlacementState, core: Core, operations: Sequence[Operation]) -> Image:
    """Return the verified image of operations that are placed."""
    config, scheduler = source.config, state.scheduler
    streamer = TextStreamer if state.policy.segment is None else SegmentedText
    text = streamer(config, scheduler, state.words).fit()
    waits = {"SYNC": timing(config).barrier - 1}
    closed = max(issue.cycles[-1] + waits.get(issue.mnemonic, 0) for issue in scheduler.issues) + 2
    used = [tensor for tensor in source.tensors if state.maps.get(tensor)]
    constants = [tensor_map(tensor, state.maps[tensor]) for tensor in used if tensor.data is not None]
    values = [tensor.data for tensor in used if tensor.data is not None]
    zeros = state.words.zeros
    image = Image(
        config=config,
        queues=text.queues,
        constant_slices=_joined([*(part.slices for part in constants), zeros[0], text.slices]),
        constant_addrs=_joined([*(part.addrs for part in constants), zeros[1], text.addrs]),
        constant_words=np.concatenate(
            [
                *(part.pack(data) for part, data in zip(constants, values, strict=True)),
                np.zeros((len(zeros[0]), config.vector_length), np.uint8),
                text.content,
            ]
        ),
        # What no operation reads has no words: it may be given, and goes nowhere.
        inputs=tuple(
            tensor_map(tensor, state.maps[tensor]) if state.maps.get(tensor) else empty_map(config, tensor)
            for tensor in source.tensors
            if tensor.data is None
        ),
        outputs=tuple(view_map(key, view, state.maps[view.tensor]) for key, view in source.outputs.items()),
        cycles=max(scheduler.retired, int(closed)) + text.paused,
        notes={
            "work": source.name,
            "macs": sum(op.work.macs for op in operations),
            "planes": max(plan.planes for plan in core.plans.values()),
            "macs_per_cycle": max(lowering_of(op).rate(op, plan) for op, plan in core.plans.items()),
            "instructions": text.instructions,
        },
    )
    cycles = verify(image, _contents(source, state, text))
    if cycles != image.cycles:
        raise AssertionError(f"scheduler predicts {image.cycles} cycles, verifier finds {cycles}")
    return image


def _contents(source: Source, state: PlacementState, text: Text) -> Contents:
    """Return what MEM is to hold in the course of a program that is placed."""
    hosted = {
        tensor: [(part.slices, part.addrs) for part in state.maps.get(tensor, ())]
        for tensor in source.tensors
        if tensor not in source.states
    }
    lasting = [places for tensor, found in hosted.items() if tensor.data is not None for places in found]
    lasting += [state.words.zeros, (text.slices, text.addrs)]
    final = [Final((), places, np.zeros(len(places[0]), np.int64)) for places in lasting]
    for tensor in dict.fromkeys([*(view.tensor for view in source.outputs.values()), *source.states]):
        # The next value of a state may be a result that went there right away.
        values = [value for value, copies in state.written.items() if copies is state.copies.get(tensor)]
        for part in state.maps[tensor]:
            held = (part.bytes >= 0).any(axis=1)
            places, vectors = (part.slices[held], part.addrs[held]), vectors_of(source.config, tensor, part)[held]
            final.append(Final((*values, tensor) if source.stored(tensor) else (), places, vectors))
    return Contents(
        state.meant,
        text.starts,
        [*lasting, *(places for tensor, found in hosted.items() if tensor.data is None for places in found)],
        {tensor: [(copy.slices, copy.addrs) for copy in state.copies[tensor]] for tensor in source.states},
        final,
    )


def _joined(parts: list[np.ndarray]) -> np.ndarray:
    return np.concatenate([np.zeros(0, np.int32), *parts]).astype(np.int32)
