import json
from collections import Counter
from pathlib import Path

import pytest

from synth.area import Area, area_of_cells
from synth.design import elaborate_component, map_design
from synth.hierarchy import Hierarchy, NetModule, parse
from synth.mapping import SCRIPT
from synth.report import parts_of, total
from synth.units import counts_by_unit, label_of
from synth.yosys import run_yosys
from verif.synth.designs import LEAF_WIDTH, MEMORY, Tree


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("synth")


@pytest.fixture(scope="module")
def tree(folder: Path) -> Hierarchy:
    return elaborate_component(Tree(), folder)


@pytest.fixture(scope="module")
def areas(tree: Hierarchy, folder: Path) -> dict[str, Area]:
    return map_design(tree, folder / "cache", 2, lambda line: None)


def test_each_module_stands_once(tree: Hierarchy) -> None:
    labels = Counter(label_of(name) for name in tree.modules)
    assert labels == {"takt": 1, "Pair": 1, "Leaf": 1, "takt_sram": 1}


def test_instances_multiply_down_the_hierarchy(tree: Hierarchy) -> None:
    counts = {label_of(name): count for name, count in tree.counts().items()}
    assert counts == {"takt": 1, "Pair": 3, "Leaf": 2 * 3 + 1, "takt_sram": 1}


def test_parents_come_first(tree: Hierarchy) -> None:
    order = tree.parents_first()
    for name, module in tree.modules.items():
        assert all(order.index(name) < order.index(child) for child in module.children)


def test_area_of_a_module_leaves_out_what_it_places(areas: dict[str, Area]) -> None:
    by_label = {label_of(name): area for name, area in areas.items()}
    assert by_label["Leaf"] == Area(cells=LEAF_WIDTH, flip_flops=LEAF_WIDTH)
    assert by_label["Pair"] == Area(flip_flops=LEAF_WIDTH)
    assert by_label["takt"] == Area()
    assert by_label["takt_sram"].memory_bits == MEMORY[0] * MEMORY[1]


def test_total_is_what_the_flat_design_has(tree: Hierarchy, areas: dict[str, Area], folder: Path) -> None:
    parts = parts_of(tree, areas, {"Leaf": "leaves", "Pair": "pairs"})
    found = total(part.total for part in parts)
    assert found.flip_flops >= 7 * LEAF_WIDTH + 3 * LEAF_WIDTH
    assert found.memory_bits == MEMORY[0] * MEMORY[1]
    # Independent of all the multiplying: Yosys flattens, and counts.
    flat = folder / "flat"
    flat.mkdir()
    run_yosys([f"read_rtlil {folder / 'elaborated.il'}", "rename takt top", "flatten", *SCRIPT], flat)
    counts = json.loads((flat / "gates.json").read_text())["design"]["num_cells_by_type"]
    assert area_of_cells((kind, n) for kind, n in counts.items() if not kind.startswith("$mem")) == Area(
        cells=found.cells, flip_flops=found.flip_flops
    )


def test_parts_are_given_to_units(tree: Hierarchy, areas: dict[str, Area]) -> None:
    parts = parts_of(tree, areas, {"Leaf": "leaves", "Pair": "pairs"})
    assert {(part.unit, part.label): part.instances for part in parts} == {
        ("leaves", "Leaf"): 7,
        ("pairs", "Pair"): 3,
        ("chip", "takt"): 1,
        ("chip", "takt_sram"): 1,
    }


def test_unchanged_modules_are_not_mapped_again(
    tree: Hierarchy, areas: dict[str, Area], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(commands: object, folder: object) -> str:
        raise AssertionError("Yosys was run")

    monkeypatch.setattr("synth.mapping.run_yosys", refuse)
    assert map_design(tree, folder / "cache", 1, lambda line: None) == areas
    with pytest.raises(AssertionError, match="Yosys was run"):
        map_design(tree, folder / "other", 1, lambda line: None)


def design(children: dict[str, dict[str, int]]) -> Hierarchy:
    """Return a hierarchy of empty modules, the first one on top."""
    modules = {name: NetModule(name, "", Counter(below)) for name, below in children.items()}
    return Hierarchy(next(iter(modules)), modules)


def test_shared_helpers_count_where_they_stand() -> None:
    chip = design(
        {
            "\\takt": {"\\Mem_1": 4, "\\Mxm_1": 2, "\\takt.glue": 1},
            "\\Mem_1": {"\\takt_sram": 2},
            "\\Mxm_1": {"\\takt_sram": 3, "\\Gate_1": 1},
            # Made of MXM parts only: part of the MXM, though it has no class.
            "\\takt.glue": {"\\Mxm_1": 1, "\\Gate_1": 5},
            "\\Gate_1": {},
            "\\takt_sram": {},
        }
    )
    assert counts_by_unit(chip, {"Mem": "mem", "Mxm": "mxm"}) == {
        ("chip", "\\takt"): 1,
        ("mem", "\\Mem_1"): 4,
        ("mem", "\\takt_sram"): 8,
        ("mxm", "\\Mxm_1"): 3,
        ("mxm", "\\takt_sram"): 9,
        ("mxm", "\\Gate_1"): 3 + 5,
        ("mxm", "\\takt.glue"): 1,
    }


@pytest.mark.parametrize(
    "module,label",
    [
        ("\\takt", "takt"),
        ("\\Supercell_lanes4_psum_bits20", "Supercell"),
        ("\\Accumulator_893ad42489", "Accumulator"),
        ("\\takt.mxm_west.plane0", "plane"),
        ("\\takt.column_1_mxm", "column_mxm"),
        ("\\takt.faults$479", "faults"),
        ("\\takt_clock_gate", "takt_clock_gate"),
        ("$paramod$3f2a\\takt_sram", "takt_sram"),
        ("$paramod\\takt_sram\\WIDTH=s32'00001000", "takt_sram"),
    ],
)
def test_labels(module: str, label: str) -> None:
    assert label_of(module) == label


def test_parsing_rtlil() -> None:
    text = (
        "attribute \\src \"a.v:1\"\nmodule \\leaf\n  wire width 8 input 1 \\a\n  wire \\inner\n"
        "  wire width 8 output 2 \\q\n  cell $not $1\n    connect \\A \\a\n  end\nend\n"
        "attribute \\top 1\nmodule \\top\n  cell \\leaf \\x\n  end\n  cell \\leaf \\y\n  end\nend\n"
    )  # fmt: skip
    found = parse(text, "\\top")
    assert found.modules["\\top"].children == {"\\leaf": 2}
    assert found.modules["\\leaf"].children == {}
    assert found.modules["\\leaf"].stub == (
        "attribute \\blackbox 1\nmodule \\leaf\n  wire width 8 input 1 \\a\n  wire width 8 output 2 \\q\nend\n"
    )


def test_kinds_of_cells() -> None:
    kinds = {
        "$_AND_": 3, "$_MUX_": 1, "$_NOT_": 1, "$_DFF_P_": 2, "$_DFFE_PP_": 4, "$_SDFF_PP0_": 8, "$_SDFFCE_PP0P_": 16,
        "$_DFFSRE_PPPP_": 32, "$_ALDFF_PP_": 64, "$_DLATCH_P_": 1, "$_SR_PP_": 1, "$_DLATCHSR_PPP_": 1,
    }  # fmt: skip
    assert area_of_cells(kinds.items()) == Area(cells=5, flip_flops=126, latches=3)
    with pytest.raises(ValueError, match=r"cell type must be a generic gate, not '\$add'"):
        area_of_cells([("$add", 1)])


def test_areas_add_and_multiply() -> None:
    assert total([Area(1, 2, 3), Area(cells=1) * 4]) == Area(5, 2, 3)
