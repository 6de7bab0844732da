"""Nodes: an operator, its attributes with the standard's defaults, and what a message says of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import onnx
import onnx_ir as ir

from models.value import Refused, Value

Run = Callable[[ir.Graph, list[Value | None]], list[Value]]
"""Lowers a graph that is an attribute of a node, on values for its inputs."""


@dataclass(frozen=True)
class Node:
    """An operator applied to values.

    Attributes
    ----------
    name : str
        As in the model, or its first output's.
    operator, domain : str
    version : int
        Of its operator set.
    attributes : mapping
        Python's numbers, strings and tuples, NumPy's arrays, and graphs; those that were left out have the standard's
        defaults, as far as there are any.
    outputs : int
        How many it has, to the last that is used.
    run : callable
        For operators with graphs.
    """

    name: str
    operator: str
    domain: str
    version: int
    attributes: Mapping[str, Any]
    outputs: int = 1
    run: Run = field(repr=False, default=lambda graph, inputs: [])

    def get(self, attribute: str, default: Any = None) -> Any:
        """Return an attribute, or a default where neither the model nor the standard gives one."""
        return self.attributes.get(attribute, default)

    def refuse(self, what: str) -> Refused:
        """Return the error that names this node, to be raised."""
        return Refused(f"node {self.name!r} ({self.operator}): {what}")


def schema_of(domain: str, operator: str, version: int) -> Any:
    """Return the standard's schema of an operator, or None for one that it does not have."""
    try:
        return onnx.defs.get_schema(operator, version, domain)
    except onnx.defs.SchemaError:
        return None


def attributes_of(node: ir.Node, given: Mapping[str, ir.Attr], version: int) -> dict[str, ir.Attr]:
    """Return the attributes of a node as the model has them.

    Parameters
    ----------
    node : ir.Node
    given : mapping
        Attributes of the function that it is part of, to which its own may refer.
    version : int
        Of its operator set.
    """
    found = {}
    for name, attribute in node.attributes.items():
        if not attribute.is_ref():
            found[name] = attribute
        elif attribute.ref_attr_name in given:
            found[name] = ir.Attr(name, attribute.type, given[attribute.ref_attr_name].value)
    schema = schema_of(node.domain, node.op_type, version)
    for name, expected in () if schema is None else schema.attributes.items():
        if name not in found and expected.default_value.type != onnx.AttributeProto.UNDEFINED:
            found[name] = ir.from_proto(expected.default_value)
    return found


def plain(attribute: ir.Attr) -> Any:
    """Return the value of an attribute as Python and NumPy have it."""
    value = attribute.value
    if attribute.type is ir.AttributeType.TENSOR:
        return value.numpy()
    return tuple(value) if isinstance(value, list) else value


def proto_of(node: ir.Node, attributes: Mapping[str, ir.Attr]) -> onnx.NodeProto:
    """Return a node as ONNX's own tools take it, operands named by position."""
    proto = onnx.NodeProto(op_type=node.op_type, domain=node.domain)
    proto.input.extend("" if value is None else f"in{place}" for place, value in enumerate(node.inputs))
    proto.output.extend(f"out{place}" if value.name else "" for place, value in enumerate(node.outputs))
    proto.attribute.extend(ir.to_proto(attribute) for attribute in attributes.values())
    return proto
