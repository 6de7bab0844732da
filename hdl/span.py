"""Superlanes that a word acts on, as CONFIG says."""

from typing import Any

from amaranth.hdl import Module, Signal

from arch.config import Config

__all__ = ["climb", "reaching", "span_shape"]


def span_shape(config: Config) -> range:
    """Return the shape of a number of superlanes."""
    return range(config.superlanes + 1)


def climb(m: Module, below: Any, above: Any) -> None:
    """Register a micro-op of one tile for the tile above, which sees none if it is off.

    For tiles that do not know their superlane: ``span`` counts the superlanes from the tile up that still act on the
    micro-op, and is at least 1 where that is valid.

    Parameters
    ----------
    m
        The tile.
    below, above
        Views of a layout with ``valid`` and ``span``: the micro-op of this tile, and a register.
    """
    m.d.sync += above.valid.eq(0)
    with m.If(below.valid):
        m.d.sync += [above.eq(below), above.valid.eq(below.span > 1), above.span.eq(below.span - 1)]


def reaching(m: Module, name: str, op: Any, row: int) -> Any:
    """Return a micro-op as the tile of superlane `row` sees it, combinational: not valid if that is off.

    For tiles in a module that knows their superlanes: ``span`` stays the same all the way up.

    Parameters
    ----------
    m
        What the tiles stand in.
    name
        Of the signal.
    op
        View of a layout with ``valid`` and ``span``: what the tile below hands up, or the micro-op of superlane 0.
    row
    """
    here = Signal(op.shape(), name=name)
    m.d.comb += [here.eq(op), here.valid.eq(op.valid & (op.span > row))]
    return here
