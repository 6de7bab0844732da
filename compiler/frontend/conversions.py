"""Conversions of a residual that are better made before the product to whose sums it is added."""

from collections.abc import Sequence

from compiler.ir.matmul import MatMul
from compiler.ir.operation import Operation
from compiler.ir.work import Work
from compiler.lower.mxm.epilogue import chains, stationary_ports
from compiler.mesh.graph import Kind, Ref

_ROOM = 16
"""Part of MEM that what is converted may take."""


def conversions_before(op: MatMul, earlier: Sequence[Operation]) -> dict[int, str]:
    """Return which operands of an epilogue could be converted in a pass before it, and to which formats.

    Planes that emit at the same time need ALUs of their own, one of which converts the residual. Where that leaves
    planes without any, a pass can convert it while the operations work of which the product has to wait.

    Parameters
    ----------
    op : MatMul
    earlier : sequence of Operation
        Of the program, in order.

    Returns
    -------
    dict of int to str
        By the number of the operand, the sums being 0: NumPy's name of the format. Empty where nothing is gained.
    """
    config, epilogue = op.config, op.epilogue
    if epilogue is None or op.sum_port < 0:
        return {}
    arrays = min(min(op.planes, config.planes) // op.array, op.m * op.n_blocks)
    if max(map(len, chains(op)), default=arrays) >= arrays:
        return {}
    found: dict[int, str] = {}
    stationary = stationary_ports(op)
    for number, port in enumerate(epilogue.graph.ports):
        users = [node for node in epilogue.graph.nodes if Ref(Kind.PORT, number) in node.operands]
        formats = {node.out_dtype for node in users}
        if port.operand and number not in stationary and {node.mnemonic for node in users} == {"CVT"}:
            tensor = epilogue.operands[number].tensor
            made = max((place + 1 for place, one in enumerate(earlier) if tensor in one.writes()), default=0)
            words = sum(one.size for one in formats) * epilogue.steps * config.vector_length
            hidden = _cycles(op, sum((one.work for one in earlier[made:]), Work())) >= epilogue.steps
            if len(formats) == 1 and hidden and words * _ROOM <= config.mem_bytes:
                found[port.operand] = formats.pop().numpy.name
    return found


def _cycles(op: MatMul, work: Work) -> int:
    """Return the cycles in which work keeps all planes or all ALUs busy."""
    config = op.config
    return max(work.rows // config.planes, work.operations // (config.alu_rows * config.alu_cols))
