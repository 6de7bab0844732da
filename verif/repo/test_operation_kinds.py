"""Kinds of operations are siblings behind one protocol, and the table of lowerings alone tells them apart."""

import ast
import importlib
import inspect
import pkgutil
from collections.abc import Iterator

import compiler.ir
from compiler.ir.operation import Operation
from compiler.place.lowerings import LOWERINGS
from verif.repo.files import ROOT, name_of, source_files

TABLE = "compiler/place/lowerings.py"
KINDS = {kind.__name__ for kind in LOWERINGS}
PROTOCOL = {name for name in vars(Operation) if not name.startswith("_")}


def kinds_in(node: ast.AST) -> set[str]:
    """Return the kinds of operations that an expression names."""
    names = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
    return KINDS & (names | {part.attr for part in ast.walk(node) if isinstance(part, ast.Attribute)})


def is_call(node: ast.AST, *functions: str) -> bool:
    """Return whether an expression is a call of one of some functions."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in functions


def questions(source: str) -> Iterator[int]:
    """Yield the lines of Python source that ask for the kind of an operation."""
    for node in ast.walk(ast.parse(source)):
        by_test = is_call(node, "isinstance", "issubclass") and kinds_in(node)
        by_type = isinstance(node, ast.Compare) and any(is_call(part, "type") for part in ast.walk(node))
        by_pattern = isinstance(node, ast.MatchClass) and kinds_in(node.cls)
        by_table = isinstance(node, ast.Dict) and any(
            isinstance(key, ast.Name | ast.Attribute) and kinds_in(key) for key in node.keys
        )
        if by_test or (by_type and kinds_in(node)) or by_pattern or by_table:
            assert isinstance(node, ast.expr | ast.pattern)
            yield node.lineno


def test_only_the_table_of_lowerings_tells_kinds_apart() -> None:
    found = [
        f"{name_of(path)}:{line}"
        for path in source_files(".py")
        if name_of(path).startswith("compiler/") and name_of(path) != TABLE
        for line in questions(path.read_text())
    ]
    assert found == []
    assert [*questions((ROOT / TABLE).read_text())]


def test_every_way_to_ask_is_found() -> None:
    asked = (
        "isinstance(op, Pass)",
        "isinstance(op.maker, MatMul | Pass)",
        "issubclass(kind, (Switch, vector.Gather))",
        "type(op) is Scatter",
        "found = {MatMul: 1}.get(type(op))",
        "match op:\n    case MatMul(x=1):\n        pass",
    )
    assert [source for source in asked if not [*questions(source)]] == []
    assert [*questions("isinstance(x, Tensor)")] == []
    assert [*questions("op = MatMul(config, x, w)\nfound = {op: Pass(config)}\n")] == []


def test_kinds_are_siblings() -> None:
    assert {kind: kind.__mro__ for kind in LOWERINGS} == {kind: (kind, object) for kind in LOWERINGS}


def test_every_kind_has_a_lowering() -> None:
    """What has all that the protocol wants is an operation, and there is no other."""
    modules = [
        importlib.import_module(f"compiler.ir.{found.name}") for found in pkgutil.iter_modules(compiler.ir.__path__)
    ]
    classes = {thing for module in modules for _, thing in inspect.getmembers(module, inspect.isclass)}
    assert {"reads", "writes", "config"} <= PROTOCOL
    # A field of a dataclass without a default is no attribute of the class.
    kinds = {
        kind for kind in classes - {Operation} if {*dir(kind), *getattr(kind, "__dataclass_fields__", ())} >= PROTOCOL
    }
    assert kinds == set(LOWERINGS)


def test_operations_are_equal_to_themselves_only() -> None:
    """They are keys of dictionaries: two equal layers are two operations."""
    compared = [kind.__name__ for kind in LOWERINGS if {"__eq__", "__hash__"} & set(vars(kind))]
    assert compared == []
