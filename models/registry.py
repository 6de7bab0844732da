"""The table of operators: which function lowers which, from which version of its operator set on."""

from collections.abc import Callable
from typing import Any

Lowering = Callable[..., Any]
"""``lowering(builder, node, *operands)`` returns a value, or a tuple of them.

Operands are `Value` or, where optional ones are left out, None; those at the end are not passed at all.
"""

_TABLE: dict[tuple[str, str], list[tuple[int, Lowering]]] = {}


def operator(*names: str, since: int = 1, domain: str = "") -> Callable[[Lowering], Lowering]:
    """Register the lowering of operators, in versions of their operator set from `since` to its next lowering."""

    def register(function: Lowering) -> Lowering:
        for name in names:
            versions = _TABLE.setdefault((domain, name), [])
            if any(first == since for first, _ in versions):
                raise ValueError(f"{name} from version {since} must have one lowering, not another one")
            versions.append((since, function))
            versions.sort(key=lambda entry: entry[0])
        return function

    return register


def find_lowering(domain: str, name: str, version: int) -> Lowering | None:
    """Return the lowering of an operator in a version of its operator set; None if there is none."""
    found = [function for since, function in _TABLE.get((domain, name), []) if since <= version]
    return found[-1] if found else None


def operators() -> list[str]:
    """Return the names of operators that have a lowering, sorted."""
    return sorted(f"{domain}.{name}" if domain else name for domain, name in _TABLE)
