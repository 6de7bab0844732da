"""Kernels that move elements: transposition and embedding."""

from collections.abc import Mapping

from arch.config import Config
from arch.errors import TaktError
from arch.timing import timing
from compiler.ir.tensor import Tensor, View
from compiler.library.bounds import stream_bound, vectors
from compiler.library.kernel import Argument, Arrays, Bound, Kernel, Parameter, Parameters
from compiler.library.operands import declare
from compiler.program import Program

_COPY = ("PASS",)
"""Operations of a pass that copies bits, whatever their format."""

_ANY = ("int8", "int16", "int32", "float16", "float32")


def transpose(program: Program, x: Tensor | View, axes: tuple[int, ...] | None = None) -> Tensor:
    """Return `x`, of any format, with its axes in another order (reversed by default), lanes along the last one."""
    return program.transpose(x, axes or tuple(reversed(range(len(x.shape)))))


def embedding(program: Program, table: Tensor | View, indices: Tensor | View) -> Tensor:
    """Return rows of a table (v, n), of any format, by int32 indices (m,) from 0 to v - 1."""
    return program.gather(table, indices)


def axes_of(rank: int, parameters: Parameters) -> tuple[int, ...]:
    """Return the order of axes that the parameter `axes` stands for."""
    code = int(parameters["axes"])
    return tuple(int(digit) - 1 for digit in str(code)) if code else tuple(reversed(range(rank)))


def _check_axes(config: Config, arrays: Arrays, parameters: Parameters) -> None:
    rank = arrays["x"].ndim
    if sorted(axes_of(rank, parameters)) != list(range(rank)):
        raise TaktError(f"axes must have each digit from 1 to {rank} once, or be 0, not {parameters['axes']}")


def _transpose(program: Program, arrays: Arrays, parameters: Parameters) -> Mapping[str, Tensor]:
    return {"y": transpose(program, **declare(program, arrays), axes=axes_of(arrays["x"].ndim, parameters))}


def _transpose_bound(config: Config, arrays: Arrays, parameters: Parameters) -> Bound:
    x = arrays["x"]
    axes = axes_of(x.ndim, parameters)
    if axes[-1] == x.ndim - 1:
        return stream_bound(config, vectors(config, x.shape[-1], x.size // x.shape[-1]), _COPY)
    table = timing(config)
    read, write, turn = table["READ"], table["WRITE"], table["TRANSPOSE"]
    assert read.d_func is not None and write.d_skew is not None
    assert turn.d_func is not None and turn.d_skew is not None
    m, n = x.shape[axes[-1]], x.shape[-1]
    tiles = -(-m // config.vector_length) * -(-n // config.lanes) * (x.size // (m * n))
    count = tiles * x.itemsize
    # A TRANSPOSE has `lanes` sources and results in slices of their own; the SXM stands a hop beyond the outermost.
    hops = -(-config.lanes // config.slices_per_hop)
    latency = read.d_func + hops - turn.d_skew + turn.d_func + hops - write.d_skew + write.retire
    each = -(-count // 2)
    return Bound(each - 1 + latency, f"SXM: {count} TRANSPOSE in two hemispheres, and the latency of one")


def _check_indices(config: Config, arrays: Arrays, parameters: Parameters) -> None:
    rows, indices = len(arrays["table"]), arrays["indices"]
    wrong = indices[(indices < 0) | (indices >= rows)]
    if wrong.size:
        raise TaktError(f"index must be 0 to {rows - 1}, not {int(wrong[0])}")


def _embedding(program: Program, arrays: Arrays, parameters: Parameters) -> Mapping[str, Tensor]:
    return {"y": embedding(program, **declare(program, arrays))}


def _embedding_bound(config: Config, arrays: Arrays, parameters: Parameters) -> Bound:
    table, count = arrays["table"], len(arrays["indices"])
    times = timing(config)
    read, write, gather = times["READ"], times["WRITE"], times["GATHER"]
    assert read.d_func is not None and write.d_skew is not None
    assert gather.d_func is not None and gather.d_skew is not None
    words = vectors(config, table.shape[1]) * table.itemsize * count
    latency = read.d_func - gather.d_skew + gather.d_func - write.d_skew + write.retire
    # An index passes on one pair of streams, of which a slice takes one in `lanes` cycles.
    passing = count - 1 + latency
    # The first ones are read before anything can be gathered, two bytes of one in a cycle; later ones take the time of
    # engines that could gather. A table may have copies, so that all slices share the work.
    ahead = read.d_func + 1 - times.mem_access
    engines = max(
        -(-words // config.slices) * config.lanes,
        -(-(words * config.lanes + 2 * max(count - ahead, 0)) // config.slices),
    )
    sharing = engines - config.lanes + latency
    if passing >= sharing:
        return Bound(passing, f"streams: {count} indices on a pair of them, and the latency of one row")
    return Bound(sharing, f"SRAM: {words} words in {config.slices} slices and the indices, and the latency of one row")


_AXES = Parameter(
    name="axes", default=0, least=0, most=987654321, doc="new order, a digit per axis, the first is 1; 0: reversed"
)

TRANSPOSE = Kernel(
    name="transpose",
    doc="axes in another order",
    arguments=(Argument(name="x", dtypes=_ANY, shape="..., n", doc="any tensor"),),
    parameters=(_AXES,),
    results=("y",),
    build=_transpose,
    bound=_transpose_bound,
    rule=_check_axes,
)

EMBEDDING = Kernel(
    name="embedding",
    doc="rows of a table, by index",
    arguments=(
        Argument(name="table", dtypes=_ANY, shape="v, n", doc="at most mem_depth rows"),
        Argument(name="indices", dtypes=("int32",), shape="m", doc="0 to v - 1"),
    ),
    results=("y",),
    build=_embedding,
    bound=_embedding_bound,
    rule=_check_indices,
)
