"""The column at an edge of the chip: chip-to-chip links."""

from hdl.column.column import Column

__all__ = ["EdgeColumn"]


class EdgeColumn(Column):
    """Queues of the links, and stream registers that zeros enter.

    No link instruction is built: the queues raise ILLEGAL.
    """
