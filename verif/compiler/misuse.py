"""Random calls of the compiler's whole interface, many of them wrong: a program or a TaktError comes out."""

from collections.abc import Callable
from typing import Any

import numpy as np

from arch.config import Config
from arch.errors import TaktError
from compiler.expression import functions
from compiler.ir.tensor import Tensor, View, join
from compiler.program import Program

NUMBERS: tuple[Any, ...] = (
    0,
    1,
    -1,
    2,
    3,
    7,
    8,
    9,
    -2,
    1 << 31,
    -(1 << 63),
    1 << 70,
    2.5,
    -0.0,
    float("nan"),
    float("inf"),
    True,
)
OTHERS: tuple[Any, ...] = (
    None,
    "",
    "rows",
    "columns",
    "add",
    "x",
    b"x",
    (),
    [],
    {},
    object(),
    1j,
    np.float32(2),
    np.int64(3),
)
DTYPES: tuple[Any, ...] = ("int8", "int16", "int32", "float16", "float32")
STRANGE_DTYPES: tuple[Any, ...] = (
    "uint8",
    "bool",
    "int64",
    "float64",
    "complex64",
    "",
    None,
    int,
    np.float16,
    "float16 ",
    3,
)
EXPRESSIONS = tuple(functions.__all__)


class Misuse:
    """A program that random calls are made on.

    Parameters
    ----------
    seed : int
    config : Config

    Attributes
    ----------
    log : list of str
        The calls, and what became of them.
    """

    def __init__(self, seed: int, config: Config) -> None:
        self.rng = np.random.default_rng(seed)
        self.program = Program(config, f"misuse {seed}")
        self.known: list[Any] = [self.program.input("first", (3, 5), "float16")]
        self.states: list[Any] = []
        self.log: list[str] = []

    def pick(self, items: Any) -> Any:
        """Return one of some items."""
        return items[int(self.rng.integers(len(items)))]

    def strange(self, usual: Callable[[], Any], share: float = 0.15) -> Any:
        """Return what is usual, or now and then something else."""
        if self.rng.random() >= share:
            return usual()
        return self.pick([lambda: self.pick(NUMBERS), lambda: self.pick(OTHERS), self.tensor, self.shape, self.array])()

    def shape(self) -> Any:
        """Return a shape, mostly of small sizes."""
        rank = int(self.rng.choice([0, 1, 2, 2, 2, 3, 4]))
        return tuple(
            int(self.rng.integers(1, 12)) if self.rng.random() < 0.97 else self.pick(NUMBERS) for _ in range(rank)
        )

    def sizes(self) -> tuple[int, ...]:
        """Return a legal shape."""
        return tuple(int(size) for size in self.rng.integers(1, 12, int(self.rng.integers(1, 4))))

    def dtype(self) -> Any:
        """Return a format, now and then one that there is not."""
        return self.pick(DTYPES) if self.rng.random() < 0.9 else self.pick(STRANGE_DTYPES)

    def array(self) -> Any:
        """Return an array, mostly of a format that there is."""
        kinds = [
            "int8",
            "int16",
            "int32",
            "float16",
            "float32",
            "float64",
            "uint8",
            "bool",
            "int64",
            "complex64",
            "U3",
            "O",
        ]
        kind = self.pick(kinds[:5]) if self.rng.random() < 0.8 else self.pick(kinds)
        values = self.rng.integers(-3, 4, self.sizes() if self.rng.random() < 0.9 else self.pick([(), (0,), (2, 0)]))
        return values.astype(kind)

    def tensor(self) -> Any:
        """Return a tensor or view that there is, of this program or another one."""
        if self.rng.random() < 0.02:
            return Program(self.program.config, "another").input("foreign", (3, 5), "float16")
        return self.pick(self.known[-6:])

    def axis(self) -> Any:
        """Return an axis, or something like it."""
        return self.strange(lambda: self.pick([-1, 0, 1, -2, (0,), (0, 1), 2, -3]))

    def integer(self, low: int = -3, high: int = 12) -> Any:
        """Return an integer, or something like it."""
        return self.strange(lambda: int(self.rng.integers(low, high)))

    def function(self) -> Any:
        """Return a function of expressions, of which some cannot be built."""
        names = [self.pick(EXPRESSIONS) for _ in range(int(self.rng.integers(1, 4)))]
        number = self.pick(NUMBERS[:8]) if self.rng.random() < 0.9 else self.strange(lambda: 1)
        several = self.rng.random() < 0.15
        formats = [self.dtype() for _ in names]

        def build(*values: Any) -> Any:
            found = values[0]
            for name, dtype in zip(names, formats, strict=True):
                operation = getattr(functions, name)
                if name == "cast":
                    found = operation(found, dtype)
                elif name == "where":
                    found = operation(found < number, found, values[-1])
                elif name in ("exp", "log", "recip", "rsqrt", "relu", "sigmoid", "square", "tanh", "bitwise_not"):
                    found = operation(found)
                else:
                    found = operation(found, self.pick([values[-1], number]))
            return (found, values[0]) if several else found

        return self.strange(lambda: build, 0.03)

    def call(self) -> None:
        """Make one call; only TaktError may leave it."""
        name = self.pick([name for name in dir(self) if name.startswith("_do_")])
        try:
            made = getattr(self, name)()
        except TaktError as error:
            self.log.append(f"{name[4:]}: refused: {error}")
            return
        self.log.append(f"{name[4:]}: {[getattr(item, 'shape', item) for item in made]}")
        self.known += [item for item in made if isinstance(item, Tensor | View)]

    def finish(self) -> Any:
        """Return the image, or None where the compiler refuses the program."""
        try:
            for number, tensor in enumerate(self.known):
                if isinstance(tensor, Tensor) and self.rng.random() < 0.3:
                    self.program.output(f"y{number}", tensor)
        except TaktError as error:
            self.log.append(f"output: refused: {error}")
        try:
            return self.program.compile()
        except TaktError as error:
            self.log.append(f"compile: refused: {error}")
            return None

    def _name(self) -> Any:
        return self.strange(lambda: f"t{len(self.log)}", 0.1)

    def _do_input(self) -> list[Any]:
        shape = self.strange(self.shape, 0.05)
        return [
            self.program.input(
                self._name(), shape, self.dtype(), self.strange(lambda: self.pick(["rows", "columns", 0]))
            )
        ]

    def _do_constant(self) -> list[Any]:
        return [self.program.constant(self._name(), self.strange(self.array, 0.1), self.strange(lambda: "rows"))]

    def _do_state(self) -> list[Any]:
        shape, dtype = self.strange(self.sizes, 0.05), self.dtype()
        initial = self.strange(lambda: None, 0.2)
        state = self.program.state(self._name(), shape, dtype, initial, self.strange(lambda: "rows", 0.1))
        self.states.append(state)
        return [state]

    def _do_update(self) -> list[Any]:
        self.program.update(self.strange(lambda: self.pick(self.states or self.known)), self.strange(self.tensor, 0.1))
        return []

    def _do_map(self) -> list[Any]:
        operands = [self.strange(self.tensor, 0.05) for _ in range(int(self.rng.choice([1, 1, 1, 2, 2, 3, 0])))]
        given = {
            "dtype": self.strange(lambda: self.pick([None, *DTYPES]), 0.05),
            "layout": self.strange(lambda: None, 0.1),
            "join": self.strange(lambda: None, 0.1),
        }
        found = self.program.map(self.function(), *operands, **given)
        return list(found) if isinstance(found, tuple) else [found]

    def _do_reduce(self) -> list[Any]:
        given: dict[str, Any] = {
            "keepdims": self.strange(lambda: True, 0.1),
            "in_turn": self.strange(lambda: None, 0.1),
        }
        if self.rng.random() < 0.3:
            given["function"] = self.function()
        if self.rng.random() < 0.2:
            given["finish"] = self.function()
        operation = self.strange(lambda: self.pick(["add", "max", "min"]), 0.05)
        tensors = self.strange(self.tensor, 0.1) if self.rng.random() < 0.8 else (self.tensor(), self.tensor())
        found = self.program.reduce(tensors, operation, self.axis(), **given)
        return list(found) if isinstance(found, tuple) else [found]

    def _do_matmul(self) -> list[Any]:
        given: dict[str, Any] = {}
        for name, usual in (
            ("planes", 2),
            ("ways", 1),
            ("relu", True),
            ("zero_point", 3),
            ("scale", 0.5),
            ("dtype", "float16"),
        ):
            if self.rng.random() < 0.12:
                given[name] = usual if self.rng.random() < 0.6 else self.strange(lambda: None, 1)
        if self.rng.random() < 0.1:
            given["bias"] = self.strange(self.array)
        if self.rng.random() < 0.2:
            given["epilogue"] = self.function()
            given["operands"] = self.strange(lambda: (self.array(),) * int(self.rng.integers(2)))
        x = self.strange(self.tensor, 0.05)
        weights = self.rng.integers(-3, 4, (x.shape[-1] if getattr(x, "shape", ()) else 3, 4)).astype(
            getattr(x, "dtype", "int8")
        )
        return [self.program.matmul(x, self.strange(lambda: self.pick([weights, weights, self.tensor()])), **given)]

    def _do_gather(self) -> list[Any]:
        indices = self.rng.integers(0, 3, 4).astype(np.int32)
        table = self.array if self.rng.random() < 0.5 else self.tensor
        return [self.program.gather(self.strange(table), self.strange(lambda: indices))]

    def _do_arrays(self) -> list[Any]:
        program, x = self.program, self.strange(self.tensor, 0.05)
        shape = getattr(x, "shape", ())
        places = np.zeros((2, 2), np.int64)
        found = self.pick(
            [
                lambda: program.concatenate(self.strange(lambda: [x, self.tensor()]), self.axis()),
                lambda: program.concatenate([x, np.zeros(shape, getattr(x, "dtype", "int8"))], self.axis()),
                lambda: program.stack([x, x], self.axis()),
                lambda: program.split(x, self.strange(lambda: self.pick([1, 2, [1], [2, 1]])), self.axis()),
                lambda: program.reshape(x, self.strange(lambda: -1)),
                lambda: program.broadcast_to(x, self.strange(lambda: (2, *shape), 0.3)),
                lambda: program.take(x, self.strange(lambda: self.pick([places, self.tensor()])), self.axis()),
                lambda: program.sum(x, self.axis(), self.strange(lambda: True, 0.1), self.strange(lambda: None, 0.1)),
                lambda: program.mean(x, self.axis()),
                lambda: program.max(x, self.strange(lambda: None)),
                lambda: program.argmin(x, self.axis()),
            ]
        )()
        return list(found) if isinstance(found, list) else [found]

    def _do_scatter(self) -> list[Any]:
        state = self.strange(lambda: self.pick(self.states or self.known))
        indices = np.zeros(1, np.int32)
        self.program.scatter(state, self.strange(lambda: indices), self.strange(self.tensor))
        return []

    def _do_switch(self) -> list[Any]:
        x, program = self.strange(self.tensor, 0.05), self.program
        maps = np.zeros(program.config.vector_length, np.int16)
        return [
            self.pick(
                [
                    lambda: program.shift(x, self.integer(0), bool(self.rng.integers(2))),
                    lambda: program.select(x, self.tensor(), self.integer(0)),
                    lambda: program.permute(x, self.strange(lambda: maps), bool(self.rng.integers(2))),
                    lambda: program.distribute(x, self.strange(lambda: maps.astype(np.int8))),
                    lambda: program.rotate(x, self.integer(2, 5)),
                    lambda: program.switch_transpose(x),
                    lambda: program.transpose2d(x),
                    lambda: program.transpose(x, self.strange(lambda: self.pick([(1, 0), (0, 1), (2, 0, 1), (0,)]))),
                ]
            )()
        ]

    def _do_view(self) -> list[Any]:
        x = self.tensor()

        def widths() -> Any:
            return tuple((self.integer(0, 4), self.integer(0, 4)) for _ in range(len(x.shape)))

        def index() -> Any:
            kinds = [slice(None), slice(1, None), slice(None, None, -2), 0, -1, None, ...]
            return self.strange(lambda: self.pick(kinds))

        return [
            self.pick(
                [
                    lambda: x[index()],
                    lambda: x[index(), index()],
                    lambda: x.reshape(self.strange(lambda: int(np.prod(x.shape)), 0.5)),
                    lambda: x.reshape(self.integer(), self.integer()),
                    x.transpose,
                    lambda: x.transpose(*self.pick([(1, 0), (0, 0), (5,), (-1, 0), (2.0, 1)])),
                    lambda: x.pad(self.strange(widths, 0.1)),
                    lambda: x[:].windows(self.strange(lambda: (2,) * len(x.shape), 0.2), self.integer(1, 3)),
                    lambda: join([x, self.tensor()], self.axis()),
                    lambda: join(self.strange(lambda: [x, x])),
                ]
            )()
        ]

    def _do_control(self) -> list[Any]:
        self.pick([self.program.barrier, lambda: self.program.configure(self.integer(1, 3))])()
        return []

    def _do_output(self) -> list[Any]:
        self.program.output(self._name(), self.strange(self.tensor, 0.1))
        return []
