"""Operations in a row that bounds count, read off expressions."""

import pytest

from compiler.expression.activations import gelu, silu
from compiler.expression.functions import cast, exp, recip, relu
from compiler.library.bounds import length_of
from compiler.library.chains import chain


def same(value):
    return value


@pytest.mark.parametrize("function,operations", [(gelu, "MUL ADD MUL SIGMOID MUL"), (silu, "SIGMOID MUL")])
def test_conversions_of_float16(function, operations):
    """A float16 operand is converted at the start, again where it comes back later, and so is the result."""
    *first, last = operations.split()
    assert chain(function, ["float32"], dtype="float32") == (*first, last)
    found = chain(function, ["float16"], dtype="float16")
    assert found == ("CVT", *first, "+CVT", last, "CVT")
    assert length_of(found) == len(first) + 3


def test_the_way_from_one_operand():
    def function(x, scale, shift, residual):
        return relu(x * scale + shift + residual)

    formats = ["float32"] * 4
    assert chain(function, formats) == ("MUL", "ADD", "ADD", "RELU")
    assert chain(function, formats, after=2) == ("ADD", "ADD", "RELU")
    assert chain(function, formats, after=3) == ("ADD", "RELU")


def test_results_are_told_apart():
    def function(a, b):
        return a + b, exp(a * b)

    assert chain(function, ["float32", "float32"]) == ("ADD",)
    assert chain(function, ["float32", "float32"], result=1) == ("MUL", "EXP")


def test_reductions():
    """Float sums of several terms are joined; maxima and integer sums are not."""
    assert chain(same, ["float32"], operation="add", terms=1, finish=recip) == ("ADD", "RECIP")
    assert chain(same, ["float32"], operation="add", terms=2, finish=recip) == ("ADD", "ADD", "RECIP")
    assert chain(same, ["float32"], operation="max", terms=9) == ("MAX",)
    assert chain(same, ["int32"], operation="add", terms=9) == ("ADD",)
    assert chain(lambda a, b: exp(a - b), ["float16", "float32"], operation="add", terms=9, after=1) == (
        "SUB",
        "EXP",
        "ADD",
        "ADD",
    )


def test_what_costs_nothing_does_not_count():
    assert chain(lambda a: cast(a, "float32"), ["float32"], operation="max") == ("MAX",)
