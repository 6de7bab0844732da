"""Kernels: arguments, parameters, a program, a lower bound."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from arch.config import Config
from arch.errors import TaktError
from compiler.ir.tensor import Tensor, View
from compiler.program import Program

Arrays = Mapping[str, npt.NDArray[Any]]
"""Arguments of a call by name."""

Parameters = Mapping[str, int | float]
"""Parameters of a call by name, defaults filled in."""


@dataclass(frozen=True, kw_only=True)
class Argument:
    """An array that a kernel takes.

    Attributes
    ----------
    name : str
    dtypes : tuple of str
        NumPy names.
    shape : str
        For people and for checking: sizes by name, comma-separated, ``m, n``; equal names mean equal sizes; ``4*h`` is
        four times size h, ``...`` any number of leading sizes.
    doc : str
    optional : bool
    """

    name: str
    dtypes: tuple[str, ...]
    shape: str
    doc: str
    optional: bool = False


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """A number that a kernel takes.

    Attributes
    ----------
    name : str
    default : int or float
        Its type is the parameter's.
    least, most : int or float
        Its range, both included.
    doc : str
    """

    name: str
    default: int | float
    least: int | float
    most: int | float
    doc: str

    def value(self, text: str) -> int | float:
        """Return the value that a text stands for.

        Raises
        ------
        TaktError
            For text that is no number of the parameter's type.
        """
        kind = type(self.default)
        try:
            return kind(text)
        except ValueError:
            raise TaktError(f"{self.name} must be of type {kind.__name__}, not {text!r}") from None

    def check(self, value: int | float) -> None:
        """Raise TaktError unless a value is in range; NaN is in none."""
        if not self.least <= value <= self.most:
            raise TaktError(f"{self.name} must be {self.least} to {self.most}, not {value!r}")


@dataclass(frozen=True)
class Bound:
    """Fewest cycles in which the machine could do the work.

    Attributes
    ----------
    cycles : int
    limit : str
        What they come from: which resource is never idle.
    """

    cycles: int
    limit: str


@dataclass(frozen=True, kw_only=True)
class Kernel:
    """A kernel, written once for every machine.

    Attributes
    ----------
    name : str
    doc : str
        One line.
    arguments : tuple of Argument
    results : tuple of str
        Names of the outputs.
    build : callable
        ``build(program, arrays, parameters)`` declares inputs of the arguments' names, adds the operations, and returns
        the result tensors by name. Of `arrays` only shapes and dtypes count, unless one is a constant by nature.
    bound : callable
        ``bound(config, arrays, parameters)``.
    parameters : tuple of Parameter
    steps : tuple of str
        Arguments of which each run of the program takes one element along the first axis, its state staying in MEM; the
        bound is that of a run, and so are the results, in the order of the runs.
    rule : callable, optional
        ``rule(config, arrays, parameters)`` raises TaktError where arguments that are right each by itself, or their
        values, do not fit together, or make more than the machine could hold.
    """

    name: str
    doc: str
    arguments: tuple[Argument, ...]
    results: tuple[str, ...]
    build: Callable[[Program, Arrays, Parameters], Mapping[str, Tensor | View]]
    bound: Callable[[Config, Arrays, Parameters], Bound]
    parameters: tuple[Parameter, ...] = field(default=())
    steps: tuple[str, ...] = ()
    rule: Callable[[Config, Arrays, Parameters], None] | None = None

    def check_names(self, names: Iterable[str]) -> None:
        """Raise TaktError unless these are names of arguments."""
        known = [argument.name for argument in self.arguments]
        for name in names:
            if name not in known:
                raise TaktError(f"argument of {self.name} must be one of {', '.join(known)}, not {name!r}")

    def check(self, config: Config, arrays: Arrays, parameters: Parameters) -> None:
        """Check a call before anything uses it: definition, program or bound.

        Raises
        ------
        TaktError
            For arrays that are not what the kernel takes, parameters out of range, and what breaks its own rule.
        """
        self._check_arrays(arrays)
        for parameter in self.parameters:
            parameter.check(parameters[parameter.name])
        if self.rule is not None:
            self.rule(config, arrays, parameters)

    def _check_arrays(self, arrays: Arrays) -> None:
        self.check_names(arrays)
        sizes: dict[str, tuple[int, str]] = {}
        for argument in self.arguments:
            if argument.name not in arrays:
                if not argument.optional:
                    raise TaktError(
                        f"{self.name} needs the argument {argument.name}: {' or '.join(argument.dtypes)} "
                        f"of shape ({argument.shape})"
                    )
                continue
            _check_array(argument, arrays[argument.name], sizes)

    def values(self, given: Mapping[str, str]) -> Parameters:
        """Return all parameters, those given as text and the defaults.

        Raises
        ------
        TaktError
            For an unknown parameter, text that is no number of its type, or one out of range.
        """
        known = {parameter.name: parameter for parameter in self.parameters}
        found: dict[str, int | float] = {name: parameter.default for name, parameter in known.items()}
        for name, text in given.items():
            if name not in known:
                raise TaktError(f"parameter of {self.name} must be one of {', '.join(known) or 'none'}, not {name!r}")
            found[name] = known[name].value(text)
            known[name].check(found[name])
        return found


def _check_array(argument: Argument, array: npt.NDArray[Any], sizes: dict[str, tuple[int, str]]) -> None:
    what = f"{argument.name} must be {' or '.join(argument.dtypes)} of shape ({argument.shape})"
    if array.dtype.name not in argument.dtypes:
        raise TaktError(f"{what}, not {array.dtype}")
    names = [part.strip() for part in argument.shape.split(",") if part.strip()]
    shape = array.shape
    if names and names[0] == "...":
        names = names[1:]
        shape = shape[len(shape) - len(names) :]
    if len(names) != len(shape) or not all(array.shape):
        raise TaktError(f"{what}, not {array.shape}")
    for part, size in zip(names, shape, strict=True):
        times, _, name = part.rpartition("*")
        factor = int(times or 1)
        if name.isdigit():
            expected, why = int(name), ""
        else:
            expected, why = sizes.setdefault(name, (size // factor, f"{argument.name} {array.shape}"))
        if size != factor * expected:
            reason = f": {name} is {expected} in {why}" if why else ""
            raise TaktError(f"{what}, not {np.shape(array)}{reason}")
