"""A program as data: a list of steps, and its text."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from arch.config import Config
from arch.presets import preset
from compiler.expression import functions
from compiler.ir.tensor import join
from compiler.program import Program
from verif.compiler.fuzz.expressions import Illegal
from verif.compiler.fuzz.values import numbers

__all__ = ["Given", "Graph", "Moment", "Operation", "Params", "Step"]

Array = npt.NDArray[Any]
Params = Mapping[str, Any]
"""What a step says beside its operands, as JSON has it."""

IMPORTS = (
    "import numpy as np",
    "",
    "from arch.presets import preset",
    "from compiler.expression.functions import *",
    "from compiler.program import Program",
    "from compiler.ir.tensor import join",
    "from runtime.backend import make_backend",
    "from verif.compiler.fuzz.values import numbers",
)


class Given:
    """Operands of a step by their roles: values in a run, or names in a text."""

    def __init__(self, pairs: Sequence[tuple[str, Any]]) -> None:
        self._pairs = pairs

    def many(self, role: str = "x") -> list[Any]:
        """Return all operands of a role."""
        return [value for name, value in self._pairs if name == role]

    def maybe(self, role: str) -> Any:
        """Return the operand of a role, or None."""
        return next(iter(self.many(role)), None)

    def one(self, role: str = "x") -> Any:
        """Return the only operand of a role."""
        found = self.many(role)
        if len(found) != 1:
            raise Illegal(f"operand {role} must be one, not {len(found)}")
        return found[0]


@dataclass(frozen=True)
class Moment:
    """Where and when a step is computed.

    Attributes
    ----------
    config : Config
    run : int
    fill : int
        What a padded view holds in its zeros; -1 where views are followed by the numbers of elements.
    """

    config: Config
    run: int = 0
    fill: int = 0


@dataclass(frozen=True)
class Operation:
    """A kind of step: an entry of the table.

    Attributes
    ----------
    value : callable
        ``value(moment, params, given)``: what it means, in NumPy: an array, or a tuple of them.
    call : callable
        ``call(params, given)``: the call, as a person writes it.
    draw : callable or None
        ``draw(draft)``: adds a random one to a draft and returns its number, or raises `Illegal`.
    weight : float
        How often it is drawn.
    effect : str
        ``value``; ``view``: other elements of what its operand is, also where a SCATTER changes that later; ``item`` of
        a tuple; ``input``, ``state``; or a statement without a value: ``update``, ``scatter``, ``output``, ``barrier``.
    complete : bool
        Whether only the complete tensor interface has it; see `verif.compiler.fuzz.table`.
    """

    value: Callable[[Moment, Params, Given], Any]
    call: Callable[[Params, Given], str]
    draw: Callable[[Any], int] | None = None
    weight: float = 1.0
    effect: str = "value"
    complete: bool = False


@dataclass(frozen=True)
class Step:
    """A step of a program.

    Attributes
    ----------
    kind : str
        Its entry of the table.
    args : tuple of (str, int)
        Role and number of the step of each operand.
    params : dict
    """

    kind: str
    args: tuple[tuple[str, int], ...] = ()
    params: dict[str, Any] = field(default_factory=dict)

    @property
    def operation(self) -> Operation:
        """The entry of the table."""
        from verif.compiler.fuzz.table import OPERATIONS

        return OPERATIONS[self.kind]

    @property
    def is_statement(self) -> bool:
        """Whether it has no value."""
        return self.operation.effect in ("update", "scatter", "output", "barrier")

    @property
    def is_work(self) -> bool:
        """Whether it is an operation of the machine."""
        return self.operation.effect in ("value", "scatter") and self.kind != "constant"

    def given(self, values: Sequence[Any]) -> Given:
        """Return its operands among the values of all steps."""
        return Given([(role, values[number]) for role, number in self.args])


@dataclass(frozen=True)
class Graph:
    """A random program: plain data.

    Attributes
    ----------
    machine : str
        Name of a preset.
    settings : tuple of str
        ``PARAMETER=VALUE`` beside it.
    steps : tuple of Step
    runs : int
        How often it runs, with other inputs each time.
    """

    machine: str
    settings: tuple[str, ...]
    steps: tuple[Step, ...]
    runs: int = 2

    @cached_property
    def config(self) -> Config:
        """The machine."""
        return preset(self.machine, self.settings)

    def with_steps(self, steps: Sequence[Step]) -> "Graph":
        """Return the graph with other steps."""
        return replace(self, steps=tuple(steps))

    def operations(self) -> int:
        """Return how many of the steps are operations of the machine."""
        return sum(step.is_work for step in self.steps)

    def to_json(self) -> str:
        """Return the graph in a line."""
        steps = [[step.kind, step.args, step.params] for step in self.steps]
        return json.dumps({"machine": self.machine, "set": self.settings, "runs": self.runs, "steps": steps})

    @classmethod
    def from_json(cls, line: str) -> "Graph":
        """Return the graph of a line."""
        found = json.loads(line)
        steps = [
            Step(kind, tuple((role, number) for role, number in args), params) for kind, args, params in found["steps"]
        ]
        return cls(found["machine"], tuple(found["set"]), tuple(steps), found["runs"])

    def lines(self) -> Iterator[str]:
        """Yield the statements that build the program, a step each."""
        names = [f"v{number}" for number in range(len(self.steps))]
        for name, step in zip(names, self.steps, strict=True):
            call = step.operation.call({**step.params, "name": name}, step.given(names))
            yield call if step.is_statement else f"{name} = {call}"

    def inputs(self, run: int) -> dict[str, Array]:
        """Return the inputs of a run by name."""
        moment = Moment(self.config, run)
        return {
            f"v{number}": np.asarray(step.operation.value(moment, step.params, Given([])))
            for number, step in enumerate(self.steps)
            if step.operation.effect == "input"
        }

    def text(self) -> str:
        """Return a program to be pasted, which builds, compiles and runs the graph."""
        inputs = ", ".join(
            f'"v{number}": {numbers_text(step.params, "run")}'
            for number, step in enumerate(self.steps)
            if step.operation.effect == "input"
        )
        machine = f"preset({self.machine!r}, {list(self.settings)!r})" if self.settings else f"preset({self.machine!r})"
        lines = [*self.lines()]
        words = re.findall(r"\w+", " ".join(lines))
        used = ", ".join(name for name in functions.__all__ if name in words)
        imports = (line.replace("*", used) for line in IMPORTS if used or "*" not in line)
        return "\n".join(
            [
                *imports,
                "",
                f"program = Program({machine})",
                *lines,
                "image = program.compile()",
                f"inputs = [{{{inputs}}} for run in range({self.runs})]",
                'for result in make_backend("golden").run(image, inputs):',
                "    print(result.cycles, image.cycles, result.fault, result.outputs)",
            ]
        )

    def build(self) -> Program:
        """Return the program that the text makes."""
        scope: dict[str, Any] = {"program": Program(self.config, "fuzz"), "np": np, "join": join, "numbers": numbers}
        scope |= {name: getattr(functions, name) for name in functions.__all__}
        exec("\n".join(self.lines()), scope)
        program: Program = scope["program"]
        return program


def numbers_text(params: Params, run: str = "") -> str:
    """Return the call of `numbers` that makes what a declaration holds."""
    extra = [f"run={run}"] if run else []
    extra += [f"{key}={params[key]!r}" for key in ("low", "high", "edges") if params.get(key)]
    if "high" in params and not params.get("low"):
        extra.append("low=0")
    return f"numbers({', '.join([str(params['seed']), str(tuple(params['shape'])), repr(params['dtype']), *extra])})"
