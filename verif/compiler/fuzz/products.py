"""Operations of the MXM."""

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from golden.reference.matmul import matmul_int32
from golden.reference.matmul_fp16 import matmul_fp16
from golden.reference.requantise import requantise
from verif.compiler.fuzz.expressions import NAMES, Illegal, convert, meaning, random_expression
from verif.compiler.fuzz.graph import Given, Moment, Operation, Params
from verif.compiler.fuzz.vector import function_text, options

if TYPE_CHECKING:
    from verif.compiler.fuzz.draft import Draft

__all__ = ["PRODUCTS", "sums_of"]

Array = npt.NDArray[Any]


def sums_of(x: Array, w: Array, vector: int) -> Array:
    """Return the int32 or float32 product of two matrices as the MXM computes it."""
    x, w = np.ascontiguousarray(x), np.ascontiguousarray(w)
    if x.dtype != w.dtype or x.dtype not in (np.int8, np.float16) or x.ndim != 2 or w.ndim != 2 or x.shape[1] != len(w):
        raise Illegal("x and w must be int8 or float16 matrices that fit")
    return matmul_int32(x, w) if x.dtype == np.int8 else matmul_fp16(x, w, vector)


def _matmul(moment: Moment, params: Params, given: Given) -> Array:
    x, w = given.one("x"), given.one("w")
    sums = sums_of(x, w, moment.config.vector_length)
    least = 1 if x.dtype == np.int8 else 2
    if not least <= params.get("planes", least) <= moment.config.planes or params.get("ways", 1) < 1:
        raise Illegal("planes and ways must be numbers that the machine has")
    operands = given.many("operand")
    bias, scales = given.maybe("bias"), given.maybe("scale")
    scale, zero, relu = params.get("scale"), params.get("zero_point", 0), params.get("relu", False)
    if "epilogue" in params:
        if bias is not None or scales is not None or scale is not None or zero or relu:
            raise Illegal("an epilogue must be alone")
        return _finished(params, sums, operands)
    if operands or "dtype" in params:
        raise Illegal("operands must belong to an epilogue")
    plain = bias is None and scales is None and scale is None and not zero and not relu
    if x.dtype == np.float16 and not plain:
        raise Illegal("requantisation must be of int8 products")
    if bias is not None:
        if bias.dtype != np.int32 or bias.shape != sums.shape[1:]:
            raise Illegal("bias must be int32 of shape (N,)")
        sums = sums + bias
    if scales is not None:
        if scales.dtype != np.float32 or scales.shape != sums.shape[1:] or not (scales > 0).all() or scale is not None:
            raise Illegal("scale must be positive float32 of shape (N,)")
        scale = scales
    if scale is None:
        if zero:
            raise Illegal("a zero point must have a scale")
        return np.maximum(sums, 0) if relu else sums
    if not -128 <= zero <= 127 or np.min(scale) <= 0:
        raise Illegal("scale must be positive, and the zero point int8")
    return requantise(sums, scale, zero, relu)


def _finished(params: Params, sums: Array, operands: list[Array]) -> Array:
    """Return the epilogue of sums, and of operands of shape (N,) or (M, N)."""
    if any(operand.shape not in (sums.shape, sums.shape[1:]) for operand in operands):
        raise Illegal("operands of an epilogue must have shape (N,) or (M, N)")
    arrays = [np.ascontiguousarray(np.broadcast_to(operand, sums.shape)) for operand in (sums, *operands)]
    result = meaning(params["epilogue"], dict(zip(NAMES, arrays, strict=False)))
    return convert(result, params["dtype"]) if "dtype" in params else result


def _matmul_call(params: Params, given: Given) -> str:
    text = f"program.matmul({given.one('x')}, {given.one('w')}"
    for role in ("bias", "scale"):
        if given.maybe(role) is not None:
            text += f", {role}={given.one(role)}"
    operands = given.many("operand")
    if "epilogue" in params:
        text += f", epilogue={function_text([params['epilogue']], 1 + len(operands))}"
    if operands:
        text += f", operands=({', '.join(operands)},)"
    return f"{text}{options(params, 'scale', 'zero_point', 'relu', 'dtype', 'planes', 'ways')})"


def _draw_matmul(draft: "Draft") -> int:
    """Weights that the host writes, or a result or state in either arrangement, of every width."""
    dtype = draft.choice(["int8", "float16"])
    x = draft.matrix(dtype)
    m, k = draft.shape_of(x)
    w = _weights(draft, k, dtype)
    n = draft.shape_of(w)[1]
    args, params = [("x", x), ("w", w)], _choices(draft, dtype)
    kind = draft.choice(["plain", "epilogue"] if dtype == "float16" else ["plain", "scaled", "scaled", "epilogue"])
    if kind == "scaled":
        _draw_scaled(draft, n, args, params)
    elif kind == "epilogue":
        operands = [draft.beside_columns(m, n) for _ in range(draft.choice([0, 1, 1, 2]))]
        args += [("operand", operand) for operand in operands]
        dtypes = ["int32" if dtype == "int8" else "float32", *(draft.dtype_of(operand) for operand in operands)]
        # The sums take part in what follows.
        params["epilogue"], made = random_expression(draft.rng, dtypes, int(draft.rng.integers(1, draft.depth + 1)))
        if draft.chance(0.5):
            params["dtype"] = draft.choice(["float16", "float32"] if np.dtype(made).kind == "f" else ["int8", "int32"])
    return draft.add("matmul", args, params)


def _choices(draft: "Draft", dtype: str) -> dict[str, Any]:
    least = 1 if dtype == "int8" else 2
    params: dict[str, Any] = {}
    if draft.chance(0.15):
        params["planes"] = int(draft.choice([n for n in (1, 2, 4) if least <= n <= draft.config.planes]))
    if draft.chance(0.1):
        params["ways"] = draft.choice([1, 2])
    return params


def _draw_scaled(draft: "Draft", n: int, args: list[tuple[str, int]], params: dict[str, Any]) -> None:
    if draft.chance(0.5):
        bias = {**draft.numbers_of((n,), "int32"), "edges": False, "low": -300, "high": 300}
        args.append(("bias", draft.add(draft.choice(["constant", "constant", "input"]), (), bias)))
    if draft.chance(0.4):
        params["relu"] = True
    if draft.chance(0.8):
        if draft.chance(0.5):
            params["scale"] = draft.choice([0.25, 0.01, 0.7, 3.0])
        else:
            scale = {**draft.numbers_of((n,), "float32"), "edges": False, "low": 1, "high": 3}
            args.append(("scale", draft.add(draft.choice(["constant", "constant", "input"]), (), scale)))
        if draft.chance(0.4):
            params["zero_point"] = int(draft.rng.integers(-128, 128))


def _weights(draft: "Draft", k: int, dtype: str) -> int:
    """Return a matrix of K rows."""
    if draft.chance(0.4):
        results = [
            number for number in draft.nodes(dtype, 2) if draft.is_result(number) and k in draft.shape_of(number)
        ]
        if results:
            return _turned(draft, draft.choice(results), k)
    shape = (k, draft.size())
    if draft.chance(0.2):
        # A view of what the host writes.
        turned = draft.declare(shape[::-1], dtype)
        return draft.add("view transpose", [("x", turned)], {"axes": [1, 0]})
    return draft.declare(shape, dtype, constant=draft.chance(0.8))


def _turned(draft: "Draft", number: int, k: int) -> int:
    """Return a result, one axis of which has K elements, as a matrix of K rows; if not complete, with lanes along K."""
    columns, lanes = draft.shape_of(number)[1] == k, draft.lanes_of(number)
    if not columns and (draft.complete or lanes == -2):
        return number
    if lanes != -1:
        raise Illegal("lanes must run along K")
    if not columns:
        number = draft.add("transpose2d", [("x", number)])
    return draft.add("view transpose", [("x", number)], {"axes": [1, 0]})


PRODUCTS: dict[str, Operation] = {"matmul": Operation(_matmul, _matmul_call, _draw_matmul, 3.0)}
