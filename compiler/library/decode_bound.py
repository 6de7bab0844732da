"""Lower bound of the attention of one query over a store."""

import math
from functools import partial

from arch.config import Config
from arch.geometry import Hemisphere, mxm_position, sxm_position, vxm_position
from arch.timing import timing
from compiler.expression.functions import recip
from compiler.library.bounds import (
    length_of,
    mesh_latency,
    product_latency,
    step_latency,
    sums_latency,
    vectors,
    write_end,
)
from compiler.library.chains import chain
from compiler.library.decode import fan_of, largest_of, normalised, stored_score, weight
from compiler.library.kernel import Bound

_BYTES = 4
"""Of a score: the SXM takes one after another."""


def decode_bound(config: Config, d: int, e: int, keys: int) -> Bound:
    """Return the larger of two bounds of `decode_attention`, each of steps that wait for one another.

    From the keys: all are copied to where weights lie, one vector per cycle, and the last one is loaded; the scores go
    to the VXM and MEM, their maxima to the SXM and back for every set of turns; weights, the sum's reciprocal, result.
    From the values: all take the new row on a copy likewise, and the last one is loaded for the result.
    """
    table = timing(config)
    read_latency, taken = table["READ"].d_func, table["ABC"].d_skew
    assert read_latency is not None and taken is not None
    end = write_end(config) - 1
    blocks, fan = vectors(config, keys), fan_of(config)
    middle = vxm_position(config)
    # A vector's way between VXM and SXM or MXM, by a slice anywhere on it.
    to_sxm = abs(middle - sxm_position(config, Hemisphere.WEST))
    to_mxm = abs(middle - mxm_position(config, Hemisphere.WEST))

    step, product = partial(step_latency, config), partial(product_latency, config, 1, 1, 1)

    def turn(mnemonic: str) -> int:
        """Cycles from a result of the VXM in MEM until all its bytes are there again; one hop next to the VXM each."""
        entry = table[mnemonic]
        assert entry.d_func is not None and entry.d_skew is not None
        return 2 * (to_sxm - 1) + read_latency + entry.d_func - entry.d_skew + _BYTES - 1

    score = length_of(chain(stored_score(d), ["float32", "float32", "int8", "int8"], after=0))
    largest = length_of(chain(largest_of, ["float32", "float32"]))
    cycles = step(1) + keys * vectors(config, d) - 1 + product(score)
    if blocks > 1:
        cycles += step(largest)
    turns = ["PERMUTE"] * _rounds(config.superlanes, fan)
    rows = 1
    if math.isqrt(config.lanes) ** 2 == config.lanes:
        turns.append("ROTATE")
        rows = config.lanes
    else:
        turns += ["PERMUTE"] * _rounds(config.lanes, fan)
    cycles += sum(turn(mnemonic) for mnemonic in turns) + (len(turns) - 1) * step(largest)
    while rows > fan:
        rows = -(-rows // fan)
        cycles += step(largest) + rows - 1
    # Weights; those of a block every second cycle to their product; the reciprocal of the sum, the result.
    weights = length_of(chain(weight, ["float32"] * 3, after=2))
    inverse = length_of(chain(recip, ["float32"]))
    result = length_of(chain(normalised, ["float32", "float32"]))
    cycles += step(weights) + to_mxm - 1 + read_latency - taken + 2 * (blocks - 1)
    cycles += sums_latency(config, "float16", through_vxm=True) + mesh_latency(config, inverse) + step(result) + end
    values = step(1) + blocks * e - 1 + product(result) + end
    copied = f"a copy of {keys * vectors(config, d)} vectors of keys"
    if values > cycles:
        copied = f"a copy of {blocks * e} vectors of values"
    return Bound(max(cycles, values), f"latency: {copied}, and what follows on the last one")


def _rounds(size: int, fan: int) -> int:
    """Return the sets of at most ``fan - 1`` turns after which one of `size` has met all others."""
    rounds, span = 0, 1
    while span < size:
        rounds, span = rounds + 1, span * fan
    return rounds
