"""Size of a program: a lower bound of the MEM that it takes, however it is placed."""

from collections.abc import Iterable
from itertools import accumulate

from arch.config import Config
from compiler.ir.operation import Operation
from compiler.ir.tensor import Tensor


def check_size(config: Config, name: str, operations: Iterable[Operation]) -> None:
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
        for tensor, needed in op.words():
            words[tensor] = max(words.get(tensor, 0), needed)
            # The host writes before the run; a constant stays, for the next one.
            first.setdefault(tensor, number if tensor in made else 0)
            last[tensor] = number if tensor.data is None else len(numbered) - 1
    alive = [0] * (len(numbered) + 1)
    for tensor, needed in words.items():
        alive[first[tensor]] += needed
        alive[last[tensor] + 1] -= needed
    config.check_fits(name, max(accumulate(alive), default=0) * config.vector_length)
