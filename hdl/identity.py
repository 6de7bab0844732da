"""Identity of a component: its class and every constructor parameter."""

import dataclasses
import enum
import hashlib
import inspect
import re
from collections.abc import Mapping
from typing import Any

from amaranth.hdl import Shape
from amaranth.lib import wiring

from hdl.ports import flat_ports

__all__ = ["Identity", "identity_of"]

_LONGEST_READABLE = 60


@dataclasses.dataclass(frozen=True)
class Identity:
    """Name and parameters of a component.

    Attributes
    ----------
    name
        Verilog module name: the class name and the parameters, or a ten-digit hash of them if that gets long.
    key
        Class, parameters and ports in full; equal keys mean equal hardware.
    """

    name: str
    key: str


def identity_of(component: wiring.Component) -> Identity:
    """Derive the identity of a component.

    A parameter of ``__init__`` called ``depth`` is read from the attribute ``depth`` or ``_depth``; a
    component that keeps its parameters otherwise defines ``shared_name(self) -> str``, which must contain all
    of them.

    Parameters
    ----------
    component
        A component that is a pure function of its constructor's parameters.

    Returns
    -------
    Identity
        The same in every process for equal parameters.

    Raises
    ------
    TypeError
        If a parameter is not kept as an attribute, or has no stable text.
    """
    # A component that was asked for its identity may be dropped: its like is already elaborated or cached.
    component._MustUse__used = True  # type: ignore[attr-defined]
    cls = type(component)
    ports = ",".join(f"{p.name}:{'i' if p.is_input else 'o'}{p.width}" for p in flat_ports(component).values())
    own_name = getattr(component, "shared_name", None)
    if own_name is not None:
        name = own_name()
        if not re.fullmatch(r"[A-Za-z_]\w*", name):
            raise TypeError(f"shared_name() of {cls.__qualname__} must be an identifier, not {name!r}")
        return Identity(name, f"{cls.__module__}.{cls.__qualname__}:{name}:{ports}")
    parameters = _parameters(component)
    text = ",".join(f"{name}={_stable_text(value)}" for name, value in parameters.items())
    key = f"{cls.__module__}.{cls.__qualname__}({text}):{ports}"
    return Identity(_readable_name(cls.__name__, parameters, text), key)


def _parameters(component: wiring.Component) -> dict[str, Any]:
    parameters: dict[str, Any] = {}
    if type(component).__init__ is wiring.Component.__init__:
        return parameters
    for name, parameter in inspect.signature(type(component).__init__).parameters.items():
        if name in ("self", "src_loc_at") or name.startswith("_"):
            continue
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            raise TypeError(
                f"{type(component).__qualname__} takes *{name}: define shared_name() with all parameters in it"
            )
        if hasattr(component, name):
            parameters[name] = getattr(component, name)
        elif hasattr(component, f"_{name}"):
            parameters[name] = getattr(component, f"_{name}")
        else:
            raise TypeError(
                f"{type(component).__qualname__} must keep its parameter {name!r} as an attribute "
                f"(or define shared_name() with all parameters in it)"
            )
    return parameters


def _readable_name(class_name: str, parameters: Mapping[str, Any], text: str) -> str:
    if all(isinstance(value, int | str) for value in parameters.values()):
        parts = [f"{name}{int(v) if isinstance(v, int) else v}" for name, v in parameters.items()]
        name = "_".join([class_name, *parts])
        if len(name) <= _LONGEST_READABLE and re.fullmatch(r"\w+", name):
            return name
    return f"{class_name}_{hashlib.sha256(text.encode()).hexdigest()[:10]}"


def _stable_text(value: Any) -> str:
    """Text of a parameter that is the same in every process."""
    if isinstance(value, enum.Enum):
        return f"{type(value).__qualname__}.{value.name}"
    if value is None or isinstance(value, int | float | str | bytes | Shape):
        return repr(value)
    if isinstance(value, type):
        return f"{value.__module__}.{value.__qualname__}"
    if isinstance(value, tuple | list):
        return "[" + ",".join(map(_stable_text, value)) + "]"
    if isinstance(value, set | frozenset):
        return "{" + ",".join(sorted(map(_stable_text, value))) + "}"
    if isinstance(value, Mapping):
        return "{" + ",".join(sorted(f"{_stable_text(k)}:{_stable_text(v)}" for k, v in value.items())) + "}"
    if dataclasses.is_dataclass(value):
        fields = (f"{f.name}={_stable_text(getattr(value, f.name))}" for f in dataclasses.fields(value))
        return f"{type(value).__qualname__}({','.join(fields)})"
    text = repr(value)
    if " at 0x" in text:
        raise TypeError(f"parameter must have a stable repr(), not {text}")
    return text
