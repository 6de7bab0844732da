"""Random programs of widths that do not fill vectors, with the values that plain NumPy gives for each of their results.

Their inputs hold zeros, and their functions make infinities and NaN of them: whatever a lane without an element holds,
or a zero that a view promises, shows in a result if it ever matters.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from arch.config import Config
from arch.errors import TaktError
from compiler.expression.functions import (
    cast,
    exp,
    log,
    maximum,
    minimum,
    recip,
    relu,
    rsqrt,
    sigmoid,
    tanh,
    where,
)
from compiler.program import Program
from compiler.tensor import Tensor, View
from golden.reference.matmul_fp16 import matmul_fp16
from verif.compiler.expressions import apply

Array = npt.NDArray[Any]
Values = dict[int, Array]
"""Values of nodes in one run, by number."""

FUNCTIONS: dict[str, Callable[..., Any]] = {
    "recip": recip,
    "log": log,
    "rsqrt": rsqrt,
    "exp": exp,
    "tanh": tanh,
    "sigmoid": sigmoid,
    "relu": relu,
    "sign": lambda a: a * rsqrt(a * a),
    "negative": lambda a: -a,
    "huge": lambda a: a * 3e38,
    "plus one": lambda a: a + 1.0,
    "minus two": lambda a: a - 2.0,
    "one over one minus": lambda a: recip(1.0 - a),
    "masked": lambda a: where(a > 0.0, 1.0 - a, recip(a)),
}
"""Functions of a float operand; of zero, some are infinite or NaN."""

INTEGER_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "plus three": lambda a: a + 3,
    "not": lambda a: ~a,
    "times minus five": lambda a: a * -5,
    "relu": relu,
    "equal": lambda a: cast(a < 1, "int32"),
}
PAIRS: dict[str, Callable[..., Any]] = {
    "sum": lambda a, b: a + b,
    "difference": lambda a, b: a - b,
    "product": lambda a, b: a * b,
    "larger": maximum,
    "smaller": minimum,
}


@dataclass
class Node:
    """A tensor or view of a program, and how NumPy computes it from the values of earlier nodes."""

    tensor: Tensor | View
    value: Callable[[Values], Array]
    result: bool = True

    @property
    def shape(self) -> tuple[int, ...]:
        """Sizes of the axes."""
        return self.tensor.shape

    @property
    def dtype(self) -> str:
        """NumPy name."""
        return self.tensor.dtype


@dataclass
class RaggedGraph:
    """A random program.

    Attributes
    ----------
    program : Program
    nodes : list of Node
    inputs : dict of str to (shape, dtype)
    states : list of (number of the state's node, number of its next value's)
    outputs : dict of str to int
        Numbers of the nodes that are outputs.
    log : list of str
        A line per operation, for failures.
    """

    program: Program
    nodes: list[Node] = field(default_factory=list)
    inputs: dict[str, tuple[tuple[int, ...], str]] = field(default_factory=dict)
    states: list[tuple[int, int]] = field(default_factory=list)
    outputs: dict[str, int] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)

    def expected(self, inputs: dict[str, Array], before: dict[int, Array]) -> tuple[dict[str, Array], dict[int, Array]]:
        """Return the outputs of a run, and the states after it, given those before."""
        values: Values = dict(before)
        names = iter(self.inputs)
        for number, node in enumerate(self.nodes):
            if number in values:
                continue
            values[number] = node.value(values) if node.result else inputs[next(names)]
        return (
            {name: values[number] for name, number in self.outputs.items()},
            {state: values[value] for state, value in self.states},
        )

    def first_states(self) -> dict[int, Array]:
        """Return what states hold before the first run."""
        return {state: np.zeros(self.nodes[state].shape, self.nodes[state].dtype) for state, _ in self.states}


def random_inputs(rng: np.random.Generator, graph: RaggedGraph) -> dict[str, Array]:
    """Return inputs of small numbers, every third a zero."""
    found = {}
    for name, (shape, dtype) in graph.inputs.items():
        values = rng.integers(-6, 7, shape) * (rng.random(shape) < 2 / 3)
        found[name] = (values / 2 if np.dtype(dtype).kind == "f" else values).astype(dtype)
    return found


class _Builder:
    def __init__(self, rng: np.random.Generator, config: Config) -> None:
        self.rng = rng
        self.config = config
        self.graph = RaggedGraph(Program(config, "ragged"))
        self.program = self.graph.program
        vector = config.vector_length
        self.widths = [1, 2, 3, vector // 2 + 1, vector - 3, vector - 1, vector, vector + 1, 2 * vector - 3]

    def pick(self, items: Any) -> Any:
        """Return one of some items."""
        return items[int(self.rng.integers(len(items)))]

    def size(self) -> int:
        """Return a number of rows."""
        return int(self.rng.integers(1, 9))

    def add(self, tensor: Tensor | View, value: Callable[[Values], Array], text: str, result: bool = True) -> int:
        """Add a node."""
        number = len(self.graph.nodes)
        self.graph.nodes.append(Node(tensor, value, result))
        self.graph.log.append(f"{number}: {text} -> {tensor.dtype} {tensor.shape}")
        return number

    def input(self, shape: tuple[int, ...], dtype: str) -> int:
        """Add an input."""
        name = f"x{len(self.graph.inputs)}"
        self.graph.inputs[name] = shape, dtype
        return self.add(self.program.input(name, shape, dtype), lambda values: values[0], f"input {name}", result=False)

    def constant(self, shape: tuple[int, ...], dtype: str) -> Array:
        """Return random constant values."""
        return self.rng.integers(-3, 4, shape).astype(dtype)

    def matrices(self, *dtypes: str) -> list[int]:
        """Return the results of some formats."""
        return [n for n, node in enumerate(self.graph.nodes) if node.dtype in dtypes and node.result]

    def step(self) -> None:
        """Add an operation, on one of the last results at best."""
        floats, integers = self.matrices("float16", "float32"), self.matrices("int8", "int32")
        number = self.pick((floats + integers)[-4:])
        node = self.graph.nodes[number]
        is_float = number in floats
        kinds = ["map", "map", "pair", "padded", "cut", "transpose", "reduce", "shift", "broadcast"]
        if node.dtype in ("int8", "float16"):
            kinds += ["product", "product", "product", "computed", "computed rows"]
        getattr(self, "_" + self.pick(kinds).replace(" ", "_"))(number, node, is_float)

    def _map(self, number: int, node: Node, is_float: bool) -> None:
        name = self.pick(list(FUNCTIONS if is_float else INTEGER_FUNCTIONS))
        function = (FUNCTIONS if is_float else INTEGER_FUNCTIONS)[name]
        dtype = self.pick(["float16", "float16", "float32"] if is_float else ["int8", "int8", "int32"])

        def cast_to(*operands: Any) -> Any:
            return cast(function(*operands), dtype)

        tensor = self.program.map(function, node.tensor, dtype=dtype)
        self.add(tensor, lambda values: apply(cast_to, values[number]), f"{name} of {number}")

    def _pair(self, number: int, node: Node, is_float: bool) -> None:
        alike = [n for n in self.matrices("float16", "float32") if self.graph.nodes[n].shape == node.shape]
        if not is_float:
            alike = [n for n in self.matrices("int8", "int32") if self.graph.nodes[n].shape == node.shape]
        other, name = self.pick(alike), self.pick(list(PAIRS))
        tensor = self.program.map(PAIRS[name], node.tensor, self.graph.nodes[other].tensor)
        self.add(
            tensor, lambda values: apply(PAIRS[name], values[number], values[other]), f"{name} of {number}, {other}"
        )

    def _broadcast(self, number: int, node: Node, is_float: bool) -> None:
        row = self.constant(node.shape[-1:], "float32" if is_float else "int32")
        name = self.pick(list(PAIRS))
        tensor = self.program.map(PAIRS[name], node.tensor, row)
        self.add(tensor, lambda values: apply(PAIRS[name], values[number], row), f"{name} of {number} and a row")

    def _padded(self, number: int, node: Node, is_float: bool) -> None:
        widths = ((int(self.rng.integers(3)), int(self.rng.integers(3))), (0, int(self.rng.integers(1, 6))))
        self._view(number, node.tensor.pad(widths), lambda a: np.pad(a, widths), f"{number} padded {widths}")

    def _cut(self, number: int, node: Node, is_float: bool) -> None:
        kept, after = int(self.rng.integers(1, node.shape[-1] + 1)), int(self.rng.integers(0, 5))
        widths = (0, 0), (0, after)
        self._view(
            number,
            node.tensor[:, :kept].pad(widths),
            lambda a: np.pad(a[:, :kept], widths),
            f"{number}[:, :{kept}] padded by {after}",
        )

    def _view(self, number: int, view: View, function: Callable[[Array], Array], text: str) -> None:
        """Let an operation read a view: no view of a result is an output."""
        viewed = self.add(view, lambda values: np.ascontiguousarray(function(values[number])), text)
        node = self.graph.nodes[viewed]
        node.result = True
        self.pick([self._map, self._map, self._product_of, self._transpose])(
            viewed, node, view.dtype.startswith("float")
        )

    def _product_of(self, number: int, node: Node, is_float: bool) -> None:
        (self._product if node.dtype in ("int8", "float16") else self._map)(number, node, is_float)

    def _product(self, number: int, node: Node, is_float: bool) -> None:
        weights = self.constant((node.shape[1], int(self.pick(self.widths))), node.dtype)
        if is_float:
            half = bool(self.rng.integers(2))
            epilogue = recip if half else None
            tensor = self.program.matmul(node.tensor, weights, epilogue=epilogue, dtype="float16" if half else None)

            def value(values: Values) -> Array:
                sums = matmul_fp16(values[number], weights, self.config.vector_length)
                return apply(lambda a: cast(recip(a), "float16"), sums) if half else sums

            self.add(tensor, value, f"fp16 product of {number}, {weights.shape[1]} columns")
            return
        scaled = bool(self.rng.integers(2))
        tensor = self.program.matmul(node.tensor, weights, scale=0.25 if scaled else None)

        def integer_value(values: Values) -> Array:
            sums = (values[number].astype(np.int64) @ weights.astype(np.int64)).astype(np.int32)
            return (
                np.clip(np.rint(sums.astype(np.float32) * np.float32(0.25)), -128, 127).astype(np.int8)
                if scaled
                else sums
            )

        self.add(tensor, integer_value, f"int8 product of {number}, {weights.shape[1]} columns")

    def _computed(self, number: int, node: Node, is_float: bool, rows: bool = False) -> None:
        """Multiply two results: the other one's rows are the columns of the weights, or (transposed) its columns."""
        fits = [n for n in self.matrices(node.dtype) if self.graph.nodes[n].shape[0 if rows else 1] == node.shape[1]]
        if not fits:
            self._product(number, node, is_float)
            return
        other = self.pick(fits)
        weights = self.graph.nodes[other].tensor
        weights = self.program.transpose2d(weights).transpose() if rows else weights.transpose()
        tensor = self.program.matmul(node.tensor, weights)

        def value(values: Values) -> Array:
            a, b = values[number], values[other] if rows else values[other].T
            if is_float:
                return matmul_fp16(a, np.ascontiguousarray(b), self.config.vector_length)
            return (a.astype(np.int64) @ b.astype(np.int64)).astype(np.int32)

        self.add(tensor, value, f"product of {number} and {other}{'' if rows else ' transposed'}")

    def _computed_rows(self, number: int, node: Node, is_float: bool) -> None:
        self._computed(number, node, is_float, rows=True)

    def _transpose(self, number: int, node: Node, is_float: bool) -> None:
        tensor = self.program.transpose2d(node.tensor)
        self.add(tensor, lambda values: np.ascontiguousarray(values[number].T), f"transpose of {number}")

    def _reduce(self, number: int, node: Node, is_float: bool) -> None:
        name = self.pick(["max", "min"] if is_float else ["max", "min", "add"])
        tensor = self.program.reduce(node.tensor, name, axis=0, keepdims=True)

        def value(values: Values) -> Array:
            rows = values[number].astype({"float16": "float32", "int8": "int32"}.get(node.dtype, node.dtype))
            if name != "add":
                rows = rows if is_float else values[number]
            total = rows[:1]
            pair = {"max": maximum, "min": minimum, "add": lambda a, b: a + b}[name]
            for row in rows[1:]:
                total = apply(pair, total, row[None])
            return total

        self.add(tensor, value, f"{name} over rows of {number}")

    def _shift(self, number: int, node: Node, is_float: bool) -> None:
        amount = int(self.rng.integers(1, self.config.vector_length))
        tensor = self.program.shift(node.tensor, amount)
        vector = self.config.vector_length

        def value(values: Values) -> Array:
            rows = values[number]
            whole = np.pad(rows, ((0, 0), (0, -rows.shape[1] % vector))).reshape(len(rows), -1, vector)
            moved = np.zeros_like(whole)
            moved[..., amount:] = whole[..., :-amount]
            return moved.reshape(len(rows), -1)

        self.add(tensor, value, f"{number} shifted by {amount}")


def random_graph(seed: int, config: Config, operations: int) -> RaggedGraph:
    """Return a random program of about `operations` operations; those that the compiler refuses are left out."""
    rng = np.random.default_rng(seed)
    builder = _Builder(rng, config)
    dtype = builder.pick(["float16", "float16", "float32", "int8"])
    shape = builder.size(), int(builder.pick(builder.widths))
    builder.input(shape, dtype)
    builder._map(0, builder.graph.nodes[0], dtype != "int8")
    for _ in range(operations):
        before = len(builder.graph.nodes), len(builder.graph.log)
        try:
            builder.step()
        except TaktError as error:
            # What the interface does not take; nodes of the operation may be there already.
            del builder.graph.nodes[before[0] :], builder.graph.log[before[1] :]
            builder.graph.log.append(f"refused: {error}")
    graph = builder.graph
    if rng.integers(3) == 0:
        _keep(builder)
    for number, node in enumerate(graph.nodes):
        if isinstance(node.tensor, Tensor) and node.result and number not in dict(graph.states):
            name = f"y{number}"
            graph.program.output(name, node.tensor)
            graph.outputs[name] = number
    return graph


def _keep(builder: _Builder) -> None:
    """Let a state keep a result, and a product or a map read what the last run left there."""
    graph, program = builder.graph, builder.program
    results = [n for n, node in enumerate(graph.nodes) if node.result and isinstance(node.tensor, Tensor)]
    value = builder.pick(results)
    node = graph.nodes[value]
    state = program.state("state", node.shape, node.dtype)
    number = builder.add(state, lambda values: values[-1], "state")
    graph.states.append((number, value))
    builder._product_of(number, graph.nodes[number], node.dtype.startswith("float"))
    padded = state.pad(((0, 0), (0, 2)))
    is_float = node.dtype.startswith("float")
    builder._map(
        builder.add(padded, lambda values: np.pad(values[number], ((0, 0), (0, 2))), "padded"),
        graph.nodes[-1],
        is_float,
    )
    program.update(state, node.tensor)
