"""Reason of a refusal: why there is no place or no time for an operation."""

import math

from compiler.ir.lanes import vector_count
from compiler.place.lowerings import lowering_of
from compiler.place.state import PlacementState
from compiler.place.trial import Trial, give_up, savepoint


def reason_of(state: PlacementState, trial: Trial) -> str:
    """Return why there is no place or no time for an operation.

    Parameters
    ----------
    state : PlacementState
        Unchanged in the end.
    trial : Trial
        Of the choice that should have been possible if any was.
    """
    op, config = trial.op, state.config
    point = savepoint(state, op)
    lowering_of(op).attempt(state, trial, trial.choice)
    give_up(state, point)
    if trial.storage.outputs or trial.is_stuck:
        size = sum(demand.tensor.itemsize for demand in trial.demands.values())
        return (
            f"{op.name} must find slices that it can read at the same time, {size} for the bytes of its operands, "
            f"and streams from them, not {config.slices} slices and {config.streams} streams"
        )
    free = state.words.room(state.scheduler.retired) * config.vector_length
    needed = config.vector_length * sum(
        tensor.itemsize * math.prod(vector_count(tensor, config.vector_length)) for tensor in set(op.writes())
    )
    if trial.lacking:
        # Its results have not even been asked for.
        demand = trial.lacking[0]
        size = config.vector_length * demand.tensor.itemsize * len(demand.order)
        return (
            f"{op.name} must find {size} bytes for a copy of {demand.tensor.name} that it can read beside its other "
            f"operands: {free} are free, but not there"
        )
    if needed <= free:
        return (
            f"{op.name} must find {needed} bytes in slices that it does not use otherwise at the same time: "
            f"{free} are free, but not there"
        )
    return (
        f"{op.name} must fit the MEM of {config.name} that is left for it, {free} bytes: "
        f"{config.mem_bytes - free} are alive when all before it is done"
    )
