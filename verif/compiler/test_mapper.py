"""Graphs on the mesh."""

import numpy as np
import pytest

from arch.errors import TaktError
from arch.formats import DType
from arch.geometry import UnitKind, units
from arch.isa.codes import Source as Code
from arch.isa.encoding import encode, illegality
from arch.presets import preset
from compiler.expression.expr import OPERAND, Expr
from compiler.expression.functions import cast, maximum, relu
from compiler.mesh import mapper
from compiler.mesh.capability import columns_for
from compiler.mesh.graph import Kind, lower
from compiler.mesh.mapper import mappings
from verif.compiler.expressions import random_function

NANO = preset("nano")
TWO = preset("nano", ["alu_cols=2"])
X, Y = (Expr(OPERAND, DType.FP32, index=index) for index in range(2))


def check(config, graph, mapping):
    """Every cell is legal where it stands, and finds what it reads."""
    alus = {unit.index: unit for unit in units(config) if unit.kind is UnitKind.VXM}
    places = {(cell.alu, cell.level): cell for cell in mapping.cells}
    assert len({cell.alu for cell in mapping.cells}) == len(mapping.cells)
    for cell in mapping.cells:
        node = cell.node
        word = encode(node.mnemonic, dtype=node.dtype, out_dtype=node.out_dtype, a_src=Code.ZERO, b_src=Code.ZERO)
        assert illegality(config, alus[cell.alu], word) is None
        for source in cell.sources:
            if source.kind is Kind.NODE:
                column = (cell.alu - 1) % config.alu_cols
                assert (source.index * config.alu_cols + column, cell.level - 1) in places
            elif source.kind is Kind.PORT:
                assert mapping.streams[source.index].level == cell.level
    assert len(mapping.outputs) == len(graph.outputs)


@pytest.mark.parametrize("config", [NANO, TWO], ids=["nano", "two columns"])
def test_random_graphs(config, rng):
    fitting = 0
    for _ in range(40):
        operands = [X, Y][: int(rng.integers(1, 3))]
        graph = lower([random_function(rng, len(operands), True, int(rng.integers(1, 7)))(*operands)])
        for group in mappings(config, graph):
            fitting += 1
            assert len({tuple(stream.port for stream in mapping.streams) for mapping in group}) == 1
            for mapping in group:
                check(config, graph, mapping)
    assert fitting > 10


@pytest.mark.parametrize("config", [NANO, TWO], ids=["nano", "two columns"])
def test_what_is_too_crowded_for_a_search_has_no_mapping(config, rng, monkeypatch):
    graphs = [
        lower([random_function(rng, 2, True, int(rng.integers(2, 8)))(X, Y) for _ in range(count)])
        for count in (1, 2, 3, 4, 5, 6, 7, 8) * 3
    ]
    found = [mappings.__wrapped__(config, graph) for graph in graphs]
    crowded = [mapper._is_crowded(config, mapper._columns(config, graph)) for graph in graphs]
    assert 0 < sum(crowded) < len(graphs)
    monkeypatch.setattr(mapper, "_is_crowded", lambda *_: False)
    for graph, ways, is_crowded in zip(graphs, found, crowded, strict=True):
        assert mappings.__wrapped__(config, graph) == ways
        assert not (ways and is_crowded)


def test_columns_come_from_the_table():
    assert columns_for(NANO, "MUL", DType.FP32, DType.FP32) == (0, 2)
    assert columns_for(NANO, "ADD", DType.FP32, DType.FP32) == (1, 3)
    assert columns_for(NANO, "ADD", DType.INT32, DType.INT8) == (0, 1, 2, 3)
    with pytest.raises(TaktError, match="MUL float32 -> int8 must be an operation of the VXM"):
        columns_for(NANO, "MUL", DType.FP32, DType.INT8)


def test_common_parts_are_computed_once():
    y = X * 3.0
    graph = lower([y + 1.0, maximum(y, X * 3.0)])
    assert [node.mnemonic for node in graph.nodes] == ["MUL", "ADD", "MAX"]
    assert len(graph.ports) == 3


def test_widening_a_result_is_free_and_a_stream_costs_a_pass():
    narrow = Expr(OPERAND, DType.INT8)
    assert len(lower([cast(relu(narrow), "int32") + 1]).nodes) == 2
    assert [node.mnemonic for node in lower([cast(narrow, "int32") + 1]).nodes] == ["PASS", "ADD"]
    assert [node.mnemonic for node in lower([cast(relu(narrow), "int32")]).nodes] == ["RELU", "PASS"]


def test_zero_needs_no_stream():
    assert len(lower([0 - relu(X)]).ports) == 1


def test_a_late_operand_is_read_late_and_one_needed_twice_is_passed_on_or_read_twice():
    graph = lower([relu(relu(X)) + Y])
    best = mappings(NANO, graph)[0][0]
    assert [stream.level for stream in best.streams] in ([0, 2], [2, 0])
    again = mappings(NANO, lower([relu(relu(X)) * X]))
    assert {len(group[0].streams) for group in again} == {1, 2}


def test_what_does_not_fit():
    value = X
    for _ in range(20):
        value = relu(value)
    assert mappings(NANO, lower([value])) == []


def test_independent_graphs_find_other_alus():
    group = mappings(NANO, lower([X + Y]))[0]
    assert len({mapping.cells[0].alu for mapping in group}) == 8
    assert np.unique([mapping.depth for mapping in group]).tolist() == [1]


def test_chains_that_do_not_meet_begin_in_different_columns():
    """Multipliers stand in two columns, adders in the others: all of both are used."""
    pairs = [Expr(OPERAND, DType.FP32, index=index) for index in range(16)]
    chains = [a * a + b for a, b in zip(pairs[::2], pairs[1::2], strict=True)]
    graph = lower(chains)
    found = [mapping for group in mappings(NANO, graph) for mapping in group]
    assert found
    for mapping in found:
        check(NANO, graph, mapping)
        assert len(mapping.cells) == 16
    assert not mappings(NANO, lower([*chains, pairs[0] + pairs[1]]))
