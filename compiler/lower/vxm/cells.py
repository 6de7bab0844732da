"""Instruction of an ALU: what it says wherever its operands come from and its results go."""

from collections.abc import Sequence

from arch.isa.codes import Source as Code
from compiler.mesh.graph import Kind
from compiler.mesh.mapping import Cell
from compiler.schedule.flow import Flow

Streams = dict[str, tuple[Flow, int]]

_CODES = {Kind.PORT: Code.STREAM, Kind.NODE: Code.MESH, Kind.SELF: Code.SELF, Kind.ZERO: Code.ZERO}


def instruction(cell: Cell, arriving: Sequence[Flow]) -> tuple[dict[str, int], Streams]:
    """Return the fields and stream fields of a cell's instruction, which drives nothing.

    Parameters
    ----------
    cell : Cell
    arriving : sequence of Flow
        By number of the mapping's stream.
    """
    node = cell.node
    fields = {
        "dtype": int(node.dtype),
        "out_dtype": int(node.out_dtype),
        "saturate": int(node.saturate),
        "b_src": int(Code.ZERO),
    }
    streams: Streams = {}
    for name, source in zip("abc", cell.sources, strict=False):
        fields[f"{name}_src"] = int(_CODES[source.kind])
        if source.kind is Kind.PORT:
            flow = arriving[source.index]
            fields[f"{name}_dir"] = int(flow.direction)
            streams[f"{name}_index"] = (flow, 0)
        elif source.kind is Kind.NODE:
            fields[f"{name}_index"] = source.index
    if node.mnemonic == "CMP":
        fields["relation"] = int(node.relation)
    return fields, streams


def repeating(fields: dict[str, int]) -> dict[str, int]:
    """Return the fields of an instruction that reads no stream but its ALU's own result."""
    return {name: value for name, value in fields.items() if name != "a_dir"} | {"a_src": int(Code.SELF)}


def driving(fields: dict[str, int], streams: Streams, flow: Flow | None) -> tuple[dict[str, int], Streams]:
    """Return the same with results that leave on a flow, if there is one."""
    if flow is None:
        return dict(fields), dict(streams)
    return fields | {"drive": 1, "dst_dir": int(flow.direction)}, streams | {"dst": (flow, 0)}
