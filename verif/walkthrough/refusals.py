"""Programs that the compiler refuses, one for each kind of reason."""

from collections.abc import Callable

import numpy as np

from arch.config import Config
from arch.errors import TaktError
from arch.presets import preset
from compiler.expression.functions import exp
from compiler.program import Program

NANO = preset("nano")


def _no_output() -> Program:
    program = Program(NANO, "p")
    program.input("x", (4, 4))
    return program


def _no_unit() -> Program:
    program = Program(NANO, "p")
    program.output("y", program.map(exp, program.input("x", (4, 4), "int8")))
    return program


def _too_large() -> Program:
    return _product(NANO, 512, 512, 512)


def _no_room() -> Program:
    return _product(NANO, 900, 8, 14)


def _late_text() -> Program:
    return _product(NANO.replace(queue_depth=16), 3, 100, 100)


def _product(config: Config, m: int, k: int, n: int) -> Program:
    program = Program(config, "p")
    w = program.constant("w", np.ones((k, n), np.int8))
    program.output("y", program.matmul(program.input("x", (m, k)), w))
    return program


REFUSED: dict[str, Callable[[], Program]] = {
    "the program is not complete, or calls an operation wrongly": _no_output,
    "no unit computes that": _no_unit,
    "what is alive at one operation is larger than MEM: known from shapes, before anything is placed": _too_large,
    "an operation finds no words when it is its turn, in the slices that suit it: how many are alive then": _no_room,
    "queues are too short for text to come in time": _late_text,
}


def refusal(build: Callable[[], Program]) -> str:
    """Return the message with which a program is refused; AssertionError if it is not."""
    try:
        build().compile()
    except TaktError as error:
        return str(error)
    raise AssertionError("program must be refused")
