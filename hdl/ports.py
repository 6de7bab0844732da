"""Ports of a component as flat Verilog ports."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from amaranth.hdl import Value
from amaranth.lib import wiring

__all__ = ["FlatPort", "flat_ports"]


@dataclass(frozen=True, kw_only=True)
class FlatPort:
    """One Verilog port of a component.

    Attributes
    ----------
    name
        Path of the member joined with two underscores: ``stream__data``.
    value
        The component's own signal.
    is_input
        Direction as seen by the component.
    """

    name: str
    value: Value
    is_input: bool

    @property
    def width(self) -> int:
        """Width in bits."""
        return len(self.value)


def flat_ports(component: wiring.Component, interface: Any = None) -> dict[str, FlatPort]:
    """Flatten the signature of ``component``.

    Parameters
    ----------
    component
        Any component; its signature is not changed.
    interface
        Object whose attributes are read in place of the component's own; the component if not given.

    Returns
    -------
    dict
        Flat port name to port, in the order of the signature.
    """
    return {port.name: port for port in _flatten(component, component if interface is None else interface)}


def _flatten(component: wiring.Component, interface: Any) -> Iterator[FlatPort]:
    for path, member, value in component.signature.flatten(interface):
        yield FlatPort(name="__".join(map(str, path)), value=Value.cast(value), is_input=member.flow == wiring.In)
