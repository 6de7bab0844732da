"""Functions of expressions that no ALU has, made of those that it has: all in float32, or int32."""

import math
from collections.abc import Sequence

from compiler.expression.expr import Expr
from compiler.expression.functions import (
    cast,
    equal,
    exp,
    log,
    maximum,
    not_equal,
    recip,
    relu,
    rsqrt,
    sigmoid,
    square,
    tanh,
    where,
)

WHOLE = float(1 << 23)
"""From here on every float32 is an integer."""


def boolean(mask: Expr) -> Expr:
    """Return 0 or 1, int8, of a mask."""
    return mask & 1


def absolute(x: Expr) -> Expr:
    """Return the absolute value."""
    return maximum(x, -x)


def root(x: Expr) -> Expr:
    """Return the square root: the reciprocal of that of the reciprocal, right for 0 and infinity too."""
    return recip(rsqrt(x))


def nearest(x: Expr) -> Expr:
    """Return the nearest integer, of two the even one, as a float."""
    return where(absolute(x) < WHOLE, cast(cast(x, "int32"), "float32"), cast(x, "float32"))


def floor(x: Expr) -> Expr:
    """Return the largest integer that is not above, as a float."""
    near = nearest(x)
    return where(near > x, near - 1.0, near)


def ceiling(x: Expr) -> Expr:
    """Return the smallest integer that is not below, as a float."""
    near = nearest(x)
    return where(near < x, near + 1.0, near)


def truncated(x: Expr) -> Expr:
    """Return the integer part, int32; beyond int32 the nearest one, 0 of a NaN."""
    size = absolute(x)
    near = cast(size, "int32")
    part = where(cast(near, "float32") > size, near - 1, near)
    return where(x < 0.0, 0 - part, part)


def sign(x: Expr) -> Expr:
    """Return -1, 0 or 1, in the format of `x`."""
    one, none = (1.0, 0.0) if x.dtype.is_float else (1, 0)
    return where(x > none, one + (x - x), where(x < none, (x - x) - one, x - x))


def polynomial(x: Expr, coefficients: Sequence[float]) -> Expr:
    """Return ``c0 + x (c1 + x (c2 ...))``."""
    total = x * coefficients[-1] + coefficients[-2]
    for coefficient in reversed(coefficients[:-2]):
        total = total * x + coefficient
    return total


# pi / 2 in three parts, each of few bits: their products with small integers are exact (Cody and Waite).
_QUARTER = (1.5703125, 4.837512969970703e-4, 7.549789948768648e-8)
_SINE = (1.0, -1 / 6, 1 / 120, -1 / 5040, 1 / 362880)
_COSINE = (1.0, -1 / 2, 1 / 24, -1 / 720, 1 / 40320)


def sine(x: Expr, quarters: int = 0) -> Expr:
    """Return the sine of `x` plus so many right angles, of arguments to about 10,000."""
    turns = cast(x * (2 / math.pi), "int32")
    whole, rest = cast(turns, "float32"), cast(x, "float32")
    for part in _QUARTER:
        rest = rest - whole * part
    angle = square(rest)
    number = turns + quarters
    value = where(equal(number & 1, 0), polynomial(angle, _SINE) * rest, polynomial(angle, _COSINE))
    return where(equal(number & 2, 0), value, -value)


def cosine(x: Expr) -> Expr:
    """Return the cosine, as `sine`."""
    return sine(x, 1)


_ARCTANGENT = (
    1.0, -0.3333314528, 0.1999355085, -0.1420889944, 0.1065626393, -0.0752896400, 0.0429096138, -0.0161657367,
    0.0028662257,
)  # fmt: skip


def arctangent(x: Expr) -> Expr:
    """Return the arctangent (Abramowitz and Stegun, 4.4.49; beyond 1 of the reciprocal)."""
    size = absolute(x)
    far = size > 1.0
    near = where(far, recip(size), cast(size, "float32"))
    small = polynomial(square(near), _ARCTANGENT) * near
    value = where(far, math.pi / 2 - small, small)
    return where(x < 0.0, -value, value)


def arcsine(x: Expr) -> Expr:
    """Return the arcsine."""
    return arctangent(x * rsqrt((1.0 - x) * (x + 1.0)))


def arccosine(x: Expr) -> Expr:
    """Return the arccosine."""
    return arctangent(root((1.0 - x) * recip(x + 1.0))) * 2.0


def hyperbolic_cosine(x: Expr) -> Expr:
    """Return the hyperbolic cosine."""
    return (exp(x) + exp(-x)) * 0.5


def hyperbolic_sine(x: Expr) -> Expr:
    """Return the hyperbolic sine: nothing cancels in a product."""
    return tanh(x) * hyperbolic_cosine(x)


_SMALL = 0.2
"""Below, a logarithm would lose what is small beside 1."""


def area_sine(x: Expr) -> Expr:
    """Return the inverse of the hyperbolic sine."""
    size = absolute(x)
    large = log(size + root(square(x) + 1.0))
    small = polynomial(square(x), (1.0, -1 / 6, 3 / 40, -15 / 336)) * size
    value = where(size < _SMALL, small, large)
    return where(x < 0.0, -value, value)


def area_cosine(x: Expr) -> Expr:
    """Return the inverse of the hyperbolic cosine."""
    return log(x + root((x - 1.0) * (x + 1.0)))


def area_tangent(x: Expr) -> Expr:
    """Return the inverse of the hyperbolic tangent."""
    large = log((x + 1.0) * recip(1.0 - x)) * 0.5
    small = polynomial(square(x), (1.0, 1 / 3, 1 / 5, 1 / 7)) * x
    return where(absolute(x) < _SMALL, small, large)


_ERROR_NEAR = tuple(2 / math.sqrt(math.pi) * share for share in (1, -1 / 3, 1 / 10, -1 / 42, 1 / 216, -1 / 1320))
_ERROR_FAR = (0.254829592, -0.284496736, 1.421413741, -1.453152027, 1.061405429)


def error_function(x: Expr) -> Expr:
    """Return erf(x): its series below 1/2, above it Abramowitz and Stegun 7.1.26."""
    size = absolute(x)
    small = polynomial(square(x), _ERROR_NEAR) * x
    part = recip(size * 0.3275911 + 1.0)
    large = 1.0 - polynomial(part, _ERROR_FAR) * part * exp(-square(x))
    return where(size < 0.5, small, where(x < 0.0, -large, large))


def softplus(x: Expr) -> Expr:
    """Return log(1 + exp(x)), of large arguments too."""
    return relu(x) + log(exp(-absolute(x)) + 1.0)


def gelu(x: Expr) -> Expr:
    """Return ``x / 2 * (1 + erf(x / sqrt(2)))``."""
    return x * 0.5 * (error_function(x * math.sqrt(0.5)) + 1.0)


def gelu_of_tanh(x: Expr) -> Expr:
    """Return GELU's approximation by tanh, which is a sigmoid of twice the argument."""
    return x * sigmoid((square(x) * x * 0.044715 + x) * (2 * math.sqrt(2 / math.pi)))


def power(a: Expr, b: Expr) -> Expr:
    """Return a to the b, floats: of a negative number if the exponent is an integer, else NaN."""
    size = exp(log(absolute(a)) * b)
    half = b * 0.5
    signed = where(equal(nearest(half), half), size, -size)
    whole = where(equal(nearest(b), b), signed, (b - b) * recip(b - b))
    made = where(a < 0.0, whole, size)
    return where(equal(b, 0.0), 1.0, made)


def whole_power(a: Expr, exponent: int) -> Expr:
    """Return a to the power of an integer from 1 on, by repeated squaring."""
    if exponent == 1:
        return a
    half = whole_power(a, exponent // 2)
    return half * half * a if exponent % 2 else half * half


def integer_power(a: Expr, b: Expr) -> Expr:
    """Return a to the b, int32, which wraps; 0 for what is no integer."""
    base, exponent = cast(a, "int32"), cast(b, "int32")
    total = (base - base) + 1
    one = equal(absolute(base), 1)
    rest = where(one & (exponent < 0), -exponent, exponent)
    for bit in range(5):
        total = where(equal(rest >> bit & 1, 0), total, total * base)
        base = base * base
    # Beyond 31 only the parity matters: of a power of 2 nothing is left, of an odd base the bits of the rest.
    return where(rest < 0, 0, total)


def divided(a: Expr, b: Expr) -> tuple[Expr, Expr]:
    """Return quotient (towards 0) and remainder (of the sign of a) of int32.

    The float quotient is right to about 22 bits; so is that of the remainder that it leaves, after which at most one
    divisor is missing or too many.
    """
    a, b = cast(a, "int32"), cast(b, "int32")
    inverse = recip(cast(b, "float32"))
    found = cast(cast(a, "float32") * inverse, "int32")
    rest = a - found * b
    for _ in range(2):
        more = cast(cast(rest, "float32") * inverse, "int32")
        found, rest = found + more, rest - more * b
    wrong = not_equal(rest, 0) & ((rest ^ a) < 0)
    same = (rest ^ b) < 0
    found = where(wrong, where(same, found - 1, found + 1), found)
    return found, where(wrong, where(same, rest + b, rest - b), rest)


def float_remainder(a: Expr, b: Expr) -> Expr:
    """Return C's fmod; of an infinite dividend, and by 0, NaN."""
    size, step = absolute(a), absolute(b)
    count = cast(truncated(size * recip(step)), "float32")
    rest = where(size < step, cast(size, "float32"), size - count * step)
    rest = where(rest < 0.0, rest + step, rest)
    rest = where(rest < step, rest, rest - step)
    # What is infinite leaves NaN when it is taken from itself.
    rest = where(equal(b, 0.0), math.nan, where(a < 0.0, -rest, rest))
    return rest + (a - a)
