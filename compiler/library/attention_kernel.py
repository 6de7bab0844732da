"""The kernel of attention of one head: over its own rows, or over a store of keys and values."""

from collections.abc import Mapping
from functools import partial

from arch.config import Config
from arch.errors import TaktError
from compiler.expression.functions import maximum
from compiler.ir.tensor import View
from compiler.library.attention import attention, masked_score, stored_attention, weight
from compiler.library.bounds import length_of, product_latency, step_latency, vectors, write_end
from compiler.library.chains import chain
from compiler.library.decode import decode_attention
from compiler.library.decode_bound import decode_bound
from compiler.library.kernel import Argument, Arrays, Bound, Kernel, Parameter, Parameters
from compiler.library.operands import declare
from compiler.program import Program


def _build(program: Program, arrays: Arrays, parameters: Parameters) -> Mapping[str, View]:
    inputs = declare(program, {name: array[0] for name, array in arrays.items() if name != "position"})
    q, k, v = (inputs[name] for name in "qkv")
    if "position" not in arrays:
        return {"y": attention(program, q, k, v, causal=True)}
    position = program.input("position", (1,), "int32")
    function = decode_attention if arrays["q"].shape[1] == 1 else stored_attention
    return {"y": function(program, q, k, v, position, _length(arrays, parameters))}


def _length(arrays: Arrays, parameters: Parameters) -> int:
    """Return the rows of the store."""
    runs, m = arrays["q"].shape[:2]
    return int(parameters["length"]) or runs * m


def _check(config: Config, arrays: Arrays, parameters: Parameters) -> None:
    m, d = arrays["q"].shape[1:]
    if "position" not in arrays:
        if parameters["length"]:
            raise TaktError(
                f"length must be 0 without position, which rows go into a store, not {parameters['length']}"
            )
        return
    length = _length(arrays, parameters)
    if length % m:
        raise TaktError(f"length must be a multiple of the {m} rows of a run, not {length}")
    size = 2 * length * (d + arrays["v"].shape[2])
    if size > config.mem_bytes:
        raise TaktError(f"store must fit the MEM of {config.name}, {config.mem_bytes} bytes, not need {size}")
    for first in arrays["position"].tolist():
        if first % m or not 0 <= first <= length - m:
            raise TaktError(f"position must be a multiple of {m} from 0 to {length - m}, not {first}")


def _bound(config: Config, arrays: Arrays, parameters: Parameters) -> Bound:
    """Return the larger of two bounds: all products, one after another; one block of queries from q to y.

    One query over a store has a form of its own.
    """
    m, d = arrays["q"].shape[1:]
    e = arrays["v"].shape[2]
    keys = _length(arrays, parameters) if "position" in arrays else m
    if m == 1 and "position" in arrays:
        return decode_bound(config, d, e, keys)
    block = min(m, config.vector_length)
    key_blocks = vectors(config, keys)
    step, product = partial(step_latency, config), partial(product_latency, config)
    end = write_end(config) - 1
    # The last score and its maximum, which is joined to the others; the last weight.
    score = length_of(chain(masked_score(d), ["float32", "int8"], operation="max", after=0))
    joined = length_of(chain(maximum, ["float32", "float32"]))
    last = length_of(chain(weight, ["float32", "float32"], after=1))
    cycles = product(keys, vectors(config, d), block, score) + step(joined) + keys - 1 + step(last)
    cycles += product(block, 1, keys, 1) + product(e, key_blocks, block, 1) + end
    tiles = [(keys, vectors(config, d) * vectors(config, m)), (block, vectors(config, m) * key_blocks)]
    tiles.append((e, key_blocks * vectors(config, m)))
    issues = sum(2 * rows * count for rows, count in tiles) // (config.planes // 2)
    every = product(1, 1, 1, 1) + issues + end
    if every >= cycles:
        return Bound(every, f"MXM: {issues} cycles on {config.planes // 2} pairs, and the latency of the first")
    return Bound(cycles, f"latency: three products and two passes over {keys} keys, each after the other")


ATTENTION = Kernel(
    name="attention",
    doc="softmax(q k^T / sqrt(d)) v of one head over a store of keys and values; a query sees rows up to its own",
    arguments=(
        Argument(name="q", dtypes=("float16",), shape="t, m, d", doc="queries, m rows a run"),
        Argument(name="k", dtypes=("float16",), shape="t, m, d", doc="their keys"),
        Argument(name="v", dtypes=("float16",), shape="t, m, e", doc="their values"),
        Argument(
            name="position",
            dtypes=("int32",),
            shape="t",
            doc="row of the store for the first one of a run, a multiple of m; without it every run is a sequence",
            optional=True,
        ),
    ),
    parameters=(
        Parameter(name="length", default=0, least=0, most=1 << 30, doc="rows of the store; 0: those of all runs"),
    ),
    results=("y",),
    build=_build,
    bound=_bound,
    rule=_check,
    steps=("q", "k", "v", "position"),
)
