"""From a graph to a program, node by node: known values are computed at once, others by the table of operators."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
import onnx_ir as ir
from onnx.reference import ReferenceEvaluator

from arch.errors import TaktError
from models.builder import Builder
from models.node import Node, attributes_of, plain, proto_of, schema_of
from models.registry import find_lowering
from models.value import Refused, Value, constant, union

_RANDOM = {"RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Multinomial", "Bernoulli"}

_GRAPHS = (ir.AttributeType.GRAPH, ir.AttributeType.GRAPHS)


class NoLowering(Exception):
    """Raised by a lowering for a case that the operator's function body in the standard covers as well."""


@dataclass(frozen=True)
class Frame:
    """Where a node stands: in the model, in a graph that is an attribute, or in a function.

    Attributes
    ----------
    values : dict
        What is known of the graph's values, and of those of the graphs around it.
    versions : mapping
        Of operator sets by domain.
    attributes : mapping
        Of the call of a function.
    """

    values: dict[ir.Value, Value]
    versions: Mapping[str, int]
    attributes: Mapping[str, ir.Attr] = field(default_factory=dict)


class Walk:
    """Lowers graphs with one builder.

    A node whose operands are all known is evaluated by the standard's reference implementation. One that the table of
    operators has is lowered by its function there; another one, if the standard defines it by a function, node by node
    of that function's body. Graphs of control flow are walked as often as they run.

    Parameters
    ----------
    builder : Builder
    """

    def __init__(self, builder: Builder) -> None:
        self._builder = builder
        self._origins: dict[str, str] = {}

    def attributed(self, error: TaktError, graph: str) -> Refused:
        """Return an error of the whole program with the node that it is about, or the graph, where it names none."""
        text = str(error)
        named = [name for name in self._origins if re.search(rf"\b{re.escape(name)}\b", text)]
        return Refused(text).within(self._origins[max(named, key=len)] if named else graph)

    def graph(self, graph: ir.Graph | ir.Function, inputs: Sequence[Value | None], frame: Frame) -> list[Value]:
        """Return the outputs of a graph on values for its inputs.

        Raises
        ------
        Refused
            For the first node that cannot be lowered.
        """
        for declared, given in zip(graph.inputs, inputs, strict=False):
            if given is not None:
                frame.values[declared] = given
        for initializer in () if isinstance(graph, ir.Function) else graph.initializers.values():
            if initializer not in frame.values and initializer.const_value is not None:
                tensor = initializer.const_value
                frame.values[initializer] = constant(tensor.numpy(), tensor.dtype)
        for node in graph:
            self._step(node, frame)
        return [self._found(output, frame) for output in graph.outputs]

    def _found(self, output: ir.Value, frame: Frame) -> Value:
        if output not in frame.values:
            raise Refused(f"output {output.name!r} must be made by a node, not by none")
        return frame.values[output]

    def _step(self, node: ir.Node, frame: Frame) -> None:
        name = node.name or next((value.name for value in node.outputs if value.name), "") or node.op_type
        title = f"node {name!r} ({node.op_type})"
        operands = [None if value is None else frame.values.get(value) for value in node.inputs]
        before = len(self._builder.program.operations)
        try:
            made = self._lowered(node, name, operands, frame)
        except Refused as error:
            raise error.within(title) from None
        except TaktError as error:
            raise Refused(str(error)).within(title) from None
        for operation in self._builder.program.operations[before:]:
            # Nodes of a function's body are the first to tell.
            self._origins.setdefault(operation.name, title)
        sources = union(operands)
        for place, output in enumerate(node.outputs):
            value = made[place] if place < len(made) else None
            if value is not None:
                frame.values[output] = Value(value.dtype, value.shape, value.array, value.view, value.sources | sources)
            elif output.uses() or output.is_graph_output():
                raise Refused(f"{title}: output {place} must not be used, it has no lowering")

    def _lowered(self, node: ir.Node, name: str, operands: list[Value | None], frame: Frame) -> Sequence[Value | None]:
        version = _version(node, frame)
        attributes = attributes_of(node, frame.attributes, version)
        graphs = any(attribute.type in _GRAPHS for attribute in attributes.values())
        if not graphs and node.op_type not in _RANDOM and all(one is None or one.array is not None for one in operands):
            return _evaluated(node, operands, attributes, frame)
        found = find_lowering(node.domain, node.op_type, version)
        if found is not None:
            while operands and operands[-1] is None:
                operands = operands[:-1]
            described = Node(
                name,
                node.op_type,
                node.domain,
                version,
                {key: plain(attribute) for key, attribute in attributes.items()},
                max((place + 1 for place, output in enumerate(node.outputs) if output.name), default=1),
                lambda graph, inputs: self.graph(
                    graph, inputs, Frame(dict(frame.values), frame.versions, frame.attributes)
                ),
            )
            try:
                made = found(self._builder, described, *operands)
                return made if isinstance(made, tuple | list) else (made,)
            except NoLowering:
                pass
        body = _body(node, operands, attributes, version)
        if body is None:
            raise Refused("operator has no lowering, and no function in the standard")
        function, is_made = body
        values = iter(
            self.graph(function, operands, Frame({}, {**frame.versions, **function.opset_imports}, attributes))
        )
        return [next(values) if one else None for one in is_made]


def _version(node: ir.Node, frame: Frame) -> int:
    """Return the version of a node's operator set."""
    found = frame.versions.get(node.domain)
    if found is None:
        raise Refused(f"operator set {node.domain!r} must be imported by the model")
    return found


def _type(value: Value | None) -> onnx.TypeProto:
    """Return the type of an operand as ONNX's own tools take it."""
    if value is None:
        return onnx.TypeProto()
    return onnx.helper.make_tensor_type_proto(value.dtype.value, value.shape)


def _body(
    node: ir.Node, operands: Sequence[Value | None], attributes: Mapping[str, ir.Attr], version: int
) -> tuple[ir.Function, tuple[bool, ...]] | None:
    """Return the function by which the standard defines an operator, for these operands, and which outputs it makes."""
    schema = schema_of(node.domain, node.op_type, version)
    if schema is None:
        return None
    proto = onnx.FunctionProto()
    plain_ones = [number for number in schema.function_opset_versions if number <= version]
    others = [number for number in schema.context_dependent_function_opset_versions if number <= version]
    if plain_ones:
        proto.ParseFromString(schema.get_function_with_opset_version(max(plain_ones)))
    elif others:
        types = [_type(operand).SerializeToString() for operand in operands]
        content = proto_of(node, attributes).SerializeToString()
        proto.ParseFromString(schema.get_context_dependent_function_with_opset_version(max(others), content, types))
    else:
        return None
    if not proto.node:
        return None
    # A body that depends on the node makes no output that the node leaves out.
    made = {name for inner in proto.node for name in inner.output} | {*proto.input}
    outputs = [*proto.output]
    del proto.output[:]
    proto.output.extend(name for name in outputs if name in made)
    return ir.from_proto(proto), tuple(name in made for name in outputs)


def _evaluated(
    node: ir.Node, operands: Sequence[Value | None], attributes: Mapping[str, ir.Attr], frame: Frame
) -> list[Value]:
    """Return the outputs of a node whose operands are known, as the standard's reference implementation has them."""
    proto = proto_of(node, attributes)
    given = [operand for operand in operands if operand is not None]
    names = [name for name in proto.input if name]
    graph = onnx.helper.make_graph(
        [proto],
        "known",
        [onnx.helper.make_value_info(name, _type(value)) for name, value in zip(names, given, strict=True)],
        [onnx.helper.make_value_info(name, onnx.TypeProto()) for name in proto.output if name],
    )
    model = onnx.helper.make_model(
        graph, opset_imports=[onnx.helper.make_opsetid(domain, number) for domain, number in frame.versions.items()]
    )
    feeds = {name: value.array for name, value in zip(names, given, strict=True)}
    try:
        with np.errstate(all="ignore"):
            found = iter(ReferenceEvaluator(model).run(None, feeds))
    except Exception as error:
        # The evaluator raises whatever its operators do: of a model that is wrong, or of what it does not have.
        text = " ".join(str(error).split())
        raise Refused(f"operands must be what the reference implementation evaluates: {text}") from None
    made: list[Any] = [next(found) if name else None for name in proto.output]
    for one in made:
        if one is not None and not isinstance(one, np.ndarray | np.generic):
            raise Refused(f"output must be a tensor, not a {type(one).__name__}")
    return [None if one is None else constant(one) for one in made]  # type: ignore[misc]
