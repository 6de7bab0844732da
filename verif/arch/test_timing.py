import numpy as np
import pytest

from arch.config import Config
from arch.formats import DType
from arch.geometry import positions, units
from arch.isa.encoding import decode
from arch.isa.footprint import footprint
from arch.isa.table import INSTRUCTIONS
from arch.presets import PRESETS, preset
from arch.timing import timing
from verif.arch.words import legal_words

CONFIGS = [*PRESETS.values(), preset("nano", ["sram_latency=2"]), preset("small", ["superlanes=7", "planes=2"])]
NAMES = [f"{config.name}-{config.superlanes}-{config.sram_latency}" for config in CONFIGS]
each_config = pytest.mark.parametrize("config", CONFIGS, ids=NAMES)


@each_config
def test_every_instruction_has_a_row(config: Config) -> None:
    assert timing(config).rows.keys() == {row.mnemonic for row in INSTRUCTIONS}


@each_config
def test_what_reads_has_a_skew_and_what_drives_a_latency(config: Config, rng: np.random.Generator) -> None:
    table = timing(config)
    for unit in {unit.kind: unit for unit in units(config)}.values():
        for word in legal_words(config, unit, rng, tries=100):
            row, fields = decode(word)
            touched = footprint(config, unit, row.mnemonic, fields)
            latency = table[row.mnemonic]
            assert not touched.reads or latency.d_skew is not None
            assert not touched.drives or latency.d_func is not None


@each_config
def test_results_come_after_operands_and_retirement_after_both(config: Config) -> None:
    last_superlane = config.superlanes - 1
    for mnemonic, latency in timing(config).rows.items():
        if latency.d_skew is not None:
            assert latency.d_skew >= 1, mnemonic
        if latency.d_func is not None:
            assert latency.d_func > (latency.d_skew or 0), mnemonic
        assert latency.retire > max(latency.d_func or 0, latency.d_skew or 0) + last_superlane or (
            latency.d_func is None and latency.d_skew is None and latency.retire == 1
        ), mnemonic


@each_config
def test_latencies_are_compositions_of_what_lies_on_the_way(config: Config) -> None:
    table = timing(config)
    stagger = config.superlanes
    # MEM: access, SRAM, one register towards the stream.
    assert table["READ"].d_func == table.mem_access + config.sram_latency + 1
    assert table["WRITE"].d_skew == table.mem_access
    # MXM: a result has climbed every superlane, and waits for its ACC's operand cycle.
    assert table["ACC"].d_skew == 1
    assert table.acc_after_abc == stagger + 2
    assert table["ABC"].retire >= table.acc_after_abc + 1 + stagger
    # fp16: products of two halves, and three stages from a sum to fp32.
    assert table.acc_after_fp16_abc == stagger + 6
    assert table.retire("ABC", {"dtype": DType.FP16}) == table.acc_after_fp16_abc + 1 + stagger
    assert table.retire("ABC", {"dtype": DType.INT8}) == table["ABC"].retire
    # VXM: chained ALUs follow one another in the time an operation takes; a driven result takes two registers more.
    assert table["ADD"].d_func == table.chain + 2
    assert table.held == table.chain
    # SXM: a shift over all superlanes waits for the last.
    assert table["SHIFT"].d_func == stagger + 3
    assert table["TRANSPOSE"].d_func == 3
    assert table.barrier == positions(config) + 6


def test_sram_latency_moves_reads_only() -> None:
    one, two = timing(preset("nano")), timing(preset("nano", ["sram_latency=2"]))
    moved = {mnemonic for mnemonic in one.rows if one[mnemonic] != two[mnemonic]}
    assert moved == {"READ", "GATHER", "SCATTER"}


def test_table_is_the_same_object_for_equal_configurations() -> None:
    assert timing(preset("base")) is timing(preset("base"))
