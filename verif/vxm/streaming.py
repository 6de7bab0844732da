"""Many vectors through one ALU, one per cycle, at the simulator's speed."""

import numpy as np
import numpy.typing as npt

from arch.isa.codes import Source
from arch.isa.encoding import encode
from arch.presets import preset
from arch.timing import timing
from golden.vxm.alu import operate
from hdl.vxm.micro_op import MICRO_OP
from verif.bench import Bench
from verif.vxm.independent import independent
from verif.vxm.lone_alu import LoneAlu
from verif.vxm.vectors import Operation

__all__ = ["LANES", "check_operation", "streaming_alu"]

Bits = npt.NDArray[np.uint32]

LANES = 16
CONFIG = preset("small", ["alu_rows=1", "streams=16"])
LATENCY = timing(CONFIG).chain
VALID = 1 << MICRO_OP.size - 1


def streaming_alu(column: int) -> LoneAlu:
    """Return an ALU of a mesh column for `check_operation`."""
    return LoneAlu(config=CONFIG, column=column)


async def check_operation(bench: Bench, operation: Operation, a: Bits, b: Bits, c: Bits | None = None) -> None:
    """Issue an operation in every cycle, and compare its results with the golden model's and with independent ones.

    Parameters
    ----------
    bench : Bench
        Of a `streaming_alu`.
    operation : Operation
    a, b, c : ndarray of uint32, same shape (n,)
        Operands of the lanes; the last vector is filled up. The low byte of `c` is the mask of SEL.
    """
    operands = [a, b] if c is None else [a, b, c]
    results = await _results(bench, operation, operands)
    masks = np.zeros_like(a) if c is None else c
    for name, expected in (
        ("golden", operate(*operation[:4], a, b, masks, relation=operation.relation)),
        ("independent", independent(operation, a, b, masks)),
    ):
        if expected is None:
            continue
        wrong = np.flatnonzero(results != expected)
        assert not len(wrong), (
            f"{operation}: {len(wrong)} of {len(a)} differ from the {name} results (seed {bench.seed}): "
            + "; ".join(
                f"a={a[at]:#010x} b={b[at]:#010x} c={masks[at] & 0xFF:#04x} got {results[at]:#010x}, "
                f"expected {expected[at]:#010x}, lane {at % LANES}, vector {at // LANES}"
                for at in wrong[:3]
            )
        )


async def _results(bench: Bench, operation: Operation, operands: list[Bits]) -> Bits:
    """Send a on streams 0 to 3, b on 4 to 7, c on 8 and up, all of them eastward."""
    sources = {"a_src": Source.STREAM, "b_src": Source.STREAM, "b_index": 4, "c_src": Source.STREAM, "c_index": 8}
    bench.drive(op=VALID | encode(operation.mnemonic, **operation.fields, **sources))
    east, result = bench.handle("east"), bench.handle("result")
    found = []
    vectors = np.concatenate([_streams(bits) for bits in operands], axis=1)
    for vector in vectors:
        east.value = int.from_bytes(vector.tobytes(), "little")
        await bench.tick()
        found.append(result.value)
    bench.drive(op=0)
    for _ in range(LATENCY - 1):
        await bench.tick()
        found.append(result.value)
    data = b"".join(int(value).to_bytes(4 * LANES, "little") for value in found[LATENCY - 1 :])
    lanes = np.frombuffer(data, np.uint8).reshape(-1, 4, LANES).transpose(0, 2, 1).copy().view(np.uint32)
    return lanes.ravel()[: len(operands[0])]


def _streams(bits: Bits) -> npt.NDArray[np.uint8]:
    """Vectors as bytes of four streams, shape (vectors, 4 * LANES): lowest bytes of all lanes first."""
    whole = np.concatenate([bits, np.zeros(-len(bits) % LANES, np.uint32)])
    return whole.view(np.uint8).reshape(-1, LANES, 4).transpose(0, 2, 1).reshape(-1, 4 * LANES)
