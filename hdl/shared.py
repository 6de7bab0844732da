'''Replicated tiles, elaborated once and placed many times.

Amaranth writes every submodule instance as a module of its own. :func:`place` turns a component into an
``Instance`` of a module that is written once per distinct set of parameters::

    class Cell(wiring.Component):
        """Parameters are kept as attributes of the same name; all of them go into the module's name."""

        def __init__(self, *, width: int) -> None:
            self.width = width
            super().__init__({"a": In(width), "q": Out(width)})

        def elaborate(self, platform): ...

    class Row(wiring.Component):
        def elaborate(self, platform):
            m = Module()
            # 1. Like an ordinary submodule: ports that are not given are the component's own signals.
            m.submodules.first = place(first := Cell(width=8))
            m.d.comb += first.a.eq(self.a)
            # 2. Or with the ports named, any of them (flat names: path joined with "__").
            m.submodules.second = place(Cell(width=8), a=first.q, q=self.q)
            # 3. In a gated clock domain.
            m.submodules.third = place(Cell(width=8), clk=gated_clock, a=first.q, q=other)

Rules: the component is a pure function of its constructor's parameters and uses no domain but ``sync``. Every
placed module has the ports ``clk`` and ``rst``, driven by the parent's ``sync`` unless given. Wide vector ports
(one signal of ``lanes * width`` bits, lane 0 lowest) are far faster than arrays of small ones. A shared module
may place other shared modules. Hand-written SystemVerilog of ``hdl/sv`` is placed with an ordinary
``Instance("takt_sram", ...)``; :func:`hdl.emit.emit` adds the files that are used.
'''

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from amaranth.hdl import ClockSignal, Instance, ResetSignal, Value
from amaranth.lib import wiring

from hdl.identity import Identity, identity_of
from hdl.ports import flat_ports

__all__ = ["SharedModules", "place"]


class SharedModules:
    """The shared modules of one emission, in the order in which they were first placed."""

    def __init__(self) -> None:
        self._identities: dict[str, Identity] = {}
        self._pending: deque[tuple[str, wiring.Component]] = deque()

    def add(self, component: wiring.Component) -> str:
        """Register a component and return its module name.

        Raises
        ------
        NameError
            If another component, or the same one with other parameters, has this name.
        """
        identity = identity_of(component)
        known = self._identities.setdefault(identity.name, identity)
        if known is identity:
            self._pending.append((identity.name, component))
        # Equal names must mean equal modules: the netlist has one of each.
        elif known != identity:
            raise NameError(
                f"shared module {identity.name!r} stands for two different components: "
                f"{known.key} and {identity.key}; put every parameter into shared_name()"
            )
        return identity.name

    def drain(self) -> Iterator[tuple[str, wiring.Component]]:
        """Yield every module once, including those that are added while iterating."""
        while self._pending:
            yield self._pending.popleft()

    @contextmanager
    def collecting(self) -> Iterator[None]:
        """Make this the registry that :func:`place` uses."""
        token = _current.set(self)
        try:
            yield
        finally:
            _current.reset(token)


_current: ContextVar[SharedModules | None] = ContextVar("shared_modules", default=None)


def place(component: wiring.Component, *, clk: Any = None, rst: Any = None, **connections: Any) -> Instance:
    """Place a shared module.

    Parameters
    ----------
    component
        The tile. It is elaborated only if no tile of the same class and parameters was placed before.
    clk, rst
        One-bit values that drive the module's ``sync`` domain; the parent's if not given.
    **connections
        Flat port name to value of the same width. Ports not given are wired to the component's own signals,
        so that it can be used like an ordinary submodule.

    Returns
    -------
    Instance
        To be added to ``m.submodules`` of the parent.

    Raises
    ------
    RuntimeError
        If no emission is running.
    TypeError
        If a connection names no port.
    ValueError
        If a connection has another width than the port.
    """
    registry = _current.get()
    if registry is None:
        raise RuntimeError("place() works only while hdl.emit elaborates a design")
    name = registry.add(component)
    ports = flat_ports(component)
    if unknown := connections.keys() - ports.keys():
        raise TypeError(f"{name} has the ports {', '.join(ports)}, not {', '.join(sorted(unknown))}")
    wires: list[tuple[str, str, Any]] = [
        ("i", "clk", _checked(name, "clk", 1, ClockSignal("sync") if clk is None else clk)),
        ("i", "rst", _checked(name, "rst", 1, ResetSignal("sync") if rst is None else rst)),
    ]
    for port in ports.values():
        value = _checked(name, port.name, port.width, connections.get(port.name, port.value))
        wires.append(("i" if port.is_input else "o", port.name, value))
    return Instance(name, *wires, src_loc_at=1)


def _checked(module: str, port: str, width: int, value: Any) -> Value:
    value = Value.cast(value)
    if not isinstance(value, ClockSignal | ResetSignal) and len(value) != width:
        raise ValueError(f"port {port!r} of {module} must get {width} bits, not {len(value)}")
    return value
