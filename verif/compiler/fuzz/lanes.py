"""Operations of the SXM, and rows by index: elements that change lanes, or come from anywhere."""

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from verif.compiler.fuzz.expressions import Illegal
from verif.compiler.fuzz.graph import Given, Moment, Operation, Params
from verif.compiler.fuzz.vector import options

if TYPE_CHECKING:
    from verif.compiler.fuzz.draft import Draft

__all__ = ["LANES"]

Array = npt.NDArray[Any]


def _vectors(moment: Moment, x: Array) -> Array:
    """Return a tensor in whole vectors, lanes along its last axis, as (..., blocks, vector_length)."""
    vector = moment.config.vector_length
    padded = np.pad(x, [(0, 0)] * (x.ndim - 1) + [(0, -x.shape[-1] % vector)])
    return padded.reshape(*x.shape[:-1], -1, vector)


def _flat(vectors: Array) -> Array:
    return np.ascontiguousarray(vectors).reshape(*vectors.shape[:-2], -1)


def _amount(moment: Moment, params: Params) -> int:
    amount = params["amount"]
    if not 0 <= amount <= moment.config.vector_length:
        raise Illegal("amount must be within a vector")
    return int(amount)


def _shift(moment: Moment, params: Params, given: Given) -> Array:
    vectors, amount = _vectors(moment, given.one()), _amount(moment, params)
    kept = vectors.shape[-1] - amount
    moved = np.zeros_like(vectors)
    if params.get("down"):
        moved[..., :kept] = vectors[..., amount:]
    else:
        moved[..., amount:] = vectors[..., :kept]
    return _flat(moved)


def _select(moment: Moment, params: Params, given: Given) -> Array:
    low, high = given.one("low"), given.one("high")
    if low.shape != high.shape or low.dtype != high.dtype:
        raise Illegal("sources must have one shape and format")
    lanes = np.arange(moment.config.vector_length)
    return _flat(np.where(lanes < _amount(moment, params), _vectors(moment, low), _vectors(moment, high)))


def _permute(moment: Moment, params: Params, given: Given) -> Array:
    vectors, places = _vectors(moment, given.one()), given.one("map").astype(np.int64)
    if given.one("map").dtype != np.int16 or places.shape != vectors.shape[-1:] or places.max() >= len(places):
        raise Illegal("lane_map must be int16, a lane or -1 for each")
    return _flat(np.where(places < 0, vectors.dtype.type(0), vectors[..., places]))


def _distribute(moment: Moment, params: Params, given: Given) -> Array:
    vectors, places = _vectors(moment, given.one()), given.one("map").astype(np.int64)
    lanes, vector = moment.config.lanes, moment.config.vector_length
    if given.one("map").dtype != np.int8 or places.shape not in ((lanes,), (vector,)) or places.max() >= lanes:
        raise Illegal("lane_map must be int8, a lane of the superlane or -1 for each")
    places = np.resize(places, vector)
    source = np.arange(vector) // lanes * lanes + places
    return _flat(np.where(places < 0, vectors.dtype.type(0), vectors[..., source]))


def _rotate(moment: Moment, params: Params, given: Given) -> Array:
    """Part ``size * a + b`` has element ``((i + a) % size, (j + b) % size)`` in lane ``size * i + j``."""
    x, size, lanes = given.one(), params["size"], moment.config.lanes
    if size not in (2, 3, 4) or size * size > lanes:
        raise Illegal("size must be 2, 3 or 4")
    whole = _flat(_vectors(moment, x))
    parts = whole.reshape(*whole.shape[:-1], -1, lanes)
    window = parts[..., : size * size].reshape(*parts.shape[:-1], size, size)
    found = np.zeros((size * size, *parts.shape), x.dtype)
    for number in range(size * size):
        rolled = np.roll(window, (-(number // size), -(number % size)), (-2, -1))
        found[number, ..., : size * size] = rolled.reshape(*parts.shape[:-1], -1)
    return found.reshape(size * size, *whole.shape)


def _switch_transpose(moment: Moment, params: Params, given: Given) -> Array:
    """Groups of `lanes` vectors, each transposed within every superlane."""
    lanes, vectors = moment.config.lanes, _vectors(moment, given.one())
    rows = vectors.reshape(-1, vectors.shape[-2] * vectors.shape[-1])
    padded = np.pad(rows, ((0, -len(rows) % lanes), (0, 0)))
    tiles = padded.reshape(-1, lanes, padded.shape[1] // lanes, lanes)
    return np.ascontiguousarray(tiles.transpose(0, 3, 2, 1)).reshape(padded.shape)


def _transpose2d(moment: Moment, params: Params, given: Given) -> Array:
    if given.one().ndim != 2:
        raise Illegal("x must be a matrix")
    return np.ascontiguousarray(given.one().T)


def _transpose(moment: Moment, params: Params, given: Given) -> Array:
    if sorted(params["axes"]) != list(range(given.one().ndim)):
        raise Illegal("axes must be a permutation")
    return np.ascontiguousarray(given.one().transpose(params["axes"]))


def _gather(moment: Moment, params: Params, given: Given) -> Array:
    table, indices = given.one("table"), given.one("indices")
    if table.ndim != 2 or indices.ndim != 1 or indices.dtype != np.int32 or len(table) > moment.config.mem_depth:
        raise Illegal("table must be a matrix, and indices int32")
    if indices.min() < 0 or indices.max() >= len(table):
        raise Illegal("indices must name rows of the table")
    return np.asarray(table[indices])


def _draw_shift(draft: "Draft") -> int:
    params = {"amount": int(draft.rng.integers(0, draft.config.vector_length + 1))}
    return draft.add("shift", [("x", draft.in_rows())], {**params, "down": True} if draft.chance(0.5) else params)


def _draw_select(draft: "Draft") -> int:
    low = draft.in_rows()
    high = draft.operand_like(draft.shape_of(low), draft.dtype_of(low))
    amount = int(draft.rng.integers(0, draft.config.vector_length + 1))
    return draft.add("select", [("low", low), ("high", high)], {"amount": amount})


def _lane_map(draft: "Draft", count: int, dtype: str, high: int) -> int:
    params = {**draft.numbers_of((count,), dtype), "edges": False, "low": -1, "high": high}
    return draft.add("input" if draft.chance(0.4) else "constant", (), params)


def _draw_permute(draft: "Draft") -> int:
    vector = draft.config.vector_length
    args = [("x", draft.in_rows()), ("map", _lane_map(draft, vector, "int16", vector))]
    return draft.add("permute", args, {"register": True} if draft.chance(0.5) else {})


def _draw_distribute(draft: "Draft") -> int:
    lanes = draft.config.lanes
    count = draft.choice([lanes, draft.config.vector_length])
    args = [("x", draft.in_rows()), ("map", _lane_map(draft, count, "int8", lanes))]
    return draft.add("distribute", args, {"register": True} if draft.chance(0.5) else {})


def _draw_rotate(draft: "Draft") -> int:
    sizes = [size for size in (2, 3, 4) if size * size <= draft.config.lanes]
    return draft.add("rotate", [("x", draft.in_rows())], {"size": draft.choice(sizes)})


def _draw_transpose(draft: "Draft") -> int:
    x = draft.in_rows(rank=2)
    axes = [int(axis) for axis in draft.rng.permutation(len(draft.shape_of(x)))]
    return draft.add("transpose", [("x", x)], {"axes": axes})


def _draw_gather(draft: "Draft") -> int:
    """Rows of what the host writes; in the complete interface of anything."""
    tables = [number for number in draft.nodes(None, 2) if draft.complete or not draft.is_result(number)]
    table = draft.choice(tables) if tables and draft.chance(0.6) else draft.declare(draft.shape(2), draft.dtype())
    indices = {**draft.numbers_of((draft.size(),), "int32"), "edges": False, "low": 0, "high": draft.shape_of(table)[0]}
    number = draft.add("input" if draft.chance(0.5) else "constant", (), indices)
    return draft.add("gather", [("table", table), ("indices", number)])


def _map_text(name: str) -> Any:
    return lambda p, given: f"program.{name}({given.one()}, {given.one('map')}{options(p, 'register')})"


LANES: dict[str, Operation] = {
    "shift": Operation(
        _shift, lambda p, given: f"program.shift({given.one()}, {p['amount']}{options(p, 'down')})", _draw_shift, 0.5
    ),
    "select": Operation(
        _select,
        lambda p, given: f"program.select({given.one('low')}, {given.one('high')}, {p['amount']})",
        _draw_select,
        0.4,
    ),
    "permute": Operation(_permute, _map_text("permute"), _draw_permute, 0.4),
    "distribute": Operation(_distribute, _map_text("distribute"), _draw_distribute, 0.4),
    "rotate": Operation(_rotate, lambda p, given: f"program.rotate({given.one()}, {p['size']})", _draw_rotate, 0.4),
    "switch_transpose": Operation(
        _switch_transpose,
        lambda p, given: f"program.switch_transpose({given.one()})",
        lambda draft: draft.add("switch_transpose", [("x", draft.in_rows())]),
        0.3,
    ),
    "transpose2d": Operation(
        _transpose2d,
        lambda p, given: f"program.transpose2d({given.one()})",
        lambda draft: draft.add("transpose2d", [("x", draft.in_rows(rank=2, most=2))]),
        0.7,
    ),
    "transpose": Operation(
        _transpose, lambda p, given: f"program.transpose({given.one()}, {tuple(p['axes'])})", _draw_transpose, 0.5
    ),
    "gather": Operation(
        _gather, lambda p, given: f"program.gather({given.one('table')}, {given.one('indices')})", _draw_gather, 0.6
    ),
}
