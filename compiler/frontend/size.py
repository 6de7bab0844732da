"""Whether a program can fit MEM at all."""

from collections.abc import Iterable, Iterator
from itertools import accumulate

from arch.config import Config
from compiler.ir.operation import MatMul
from compiler.ir.tensor import Tensor, as_view
from compiler.ir.vector import Pass


def check_size(config: Config, name: str, operations: Iterable[MatMul | Pass]) -> None:
    """Refuse the operations of a program that cannot fit MEM however it is placed.

    What counts is the operation at which most is alive: all that it reads and makes, and what others read later. Only
    shapes are looked at: the elements of what does not fit may be too many to be numbered.

    Raises
    ------
    TaktError
        Saying by how much it is too large.
    """
    numbered = list(operations)
    words: dict[Tensor, int] = {}
    first: dict[Tensor, int] = {}
    last: dict[Tensor, int] = {}
    for number, op in enumerate(numbered):
        made = set(op.writes())
        for tensor, needed in _needs(op):
            words[tensor] = max(words.get(tensor, 0), needed)
            # The host writes before the run; a constant stays, for the next one.
            first.setdefault(tensor, number if tensor in made else 0)
            last[tensor] = number if tensor.data is None else len(numbered) - 1
    alive = [0] * (len(numbered) + 1)
    for tensor, needed in words.items():
        alive[first[tensor]] += needed
        alive[last[tensor] + 1] -= needed
    config.check_fits(name, max(accumulate(alive), default=0) * config.vector_length)


def _needs(op: MatMul | Pass) -> Iterator[tuple[Tensor, int]]:
    """Yield the tensors of an operation and the words that they fill at least."""
    config = op.config
    if isinstance(op, Pass):
        for operand in op.operands:
            yield operand.tensor, operand.tensor.itemsize * (0 if operand.vectors is None else len(operand.vectors))
        for result in op.results:
            yield result.tensor, result.tensor.itemsize * int((result.steps >= 0).sum())
        return
    if isinstance(op.x, Tensor):
        yield op.x, op.k_blocks * op.m * op.x.itemsize
    yield as_view(op.x).tensor, 0
    yield op.y, op.n_blocks * op.m * op.y.itemsize
    for operand in [] if op.epilogue is None else op.epilogue.operands:
        if operand.tensor is not op.sums:
            yield operand.tensor, operand.tensor.itemsize * (0 if operand.vectors is None else len(operand.vectors))
    columns = config.lanes * sum(op.load_steps(block) for block in range(op.n_blocks))
    yield as_view(op.w).tensor, 0 if op.computed else op.k_blocks * columns * op.w.itemsize
