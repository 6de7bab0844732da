"""Fields and rules that several units' instructions share."""

from typing import Any

from arch.isa.instruction import Field, Rule


def direction(name: str, doc: str) -> Field:
    """Return the field of a stream's direction."""
    return Field(name, 1, f"{doc}: 0 moves east, 1 west")


def stream_field(name: str, doc: str) -> Field:
    """Return the field of a stream's number."""
    return Field(name, 5, doc)


BURST = (
    Field("count", 13, "elements of the burst, at least 1"),
    Field("interval", 12, "cycles from one element to the next, at least 1"),
)
BURST_RULES = (
    Rule("count must be at least 1", lambda f, c, u: f.count >= 1),
    Rule("interval must be at least 1", lambda f, c, u: f.interval >= 1),
)


def in_streams(name: str) -> Rule:
    """Return the rule that a field names a stream."""
    return Rule(f"{name} must name a stream of the machine", lambda f, c, u: getattr(f, name) < c.streams)


def group(name: str, size: int) -> Rule:
    """Return the rule that a field is a multiple of `size`, a power of two."""
    return Rule(f"{name} must be a multiple of {size}", lambda f, c, u: (getattr(f, name) & (size - 1)) == 0)


def even(stream: Any) -> Any:
    """Return whether a number is even."""
    return (stream & 1) == 0


def lane_group(name: str) -> Rule:
    """Return the rule that a field is a multiple of the lanes."""
    return Rule(f"{name} must be a multiple of lanes", lambda f, c, u: (getattr(f, name) & (c.lanes - 1)) == 0)
