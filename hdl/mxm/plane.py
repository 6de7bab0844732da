"""Datapath of one MXM plane around its array, all superlanes."""

from amaranth.hdl import Cat, Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from arch.config import Config
from arch.geometry import Direction
from arch.timing import timing
from hdl.activity_gate import ActivityGate
from hdl.ecc.reader import ecc_ports, report_delay
from hdl.mxm.accumulator import Accumulator
from hdl.mxm.activation_tile import ActivationTile
from hdl.mxm.array_port import array_port
from hdl.mxm.load_tile import LoadTile
from hdl.mxm.micro_op import activation_op, load_op, result_op
from hdl.mxm.supercell import SUM_SLOT
from hdl.shared import place
from hdl.span import reaching
from hdl.stream_driver import stream_driver

__all__ = ["Plane"]


class Plane(wiring.Component):
    """Surroundings of a systolic array of S x S supercells, with a weight buffer each: tiles in which weights and
    activations enter it, and an accumulator memory per superlane.

    An ordinary submodule, not to be placed: on the largest machine the streams have more bits than Amaranth lets a
    module of its own have.

    Superlane r of the streams feeds row r of supercells from the west, r cycles after row 0. Activations move one
    column block east per cycle, and installed weights move with them; partial sums climb one row per cycle. Column
    block c therefore leaves the top row c cycles after block 0: just when superlane c, its accumulator, is due.

    Clocks, each stopped while its part is idle: loading, array, accumulators, and their fp32 adders.

    Parameters
    ----------
    config
        The machine; S is its `superlanes`.
    inward
        Direction of its results.
    fp16
        Whether it accumulates a pair's fp16 results too.

    Attributes
    ----------
    start : in 1
        Drops what is under way. Weights and sums stay.
    load, activation, result : in load_op, activation_op, result_op
        Micro-ops of tile 0, from registers.
    streams : in streams * stream_bits, array of S
        Stream registers of this position that move outward, by superlane.
    fp16_result : in S * lanes * 32
        With `fp16`: results of `hdl.mxm.pair_array.PairArray`.
    array : array_port
        To the array, which is this plane's own or one of a pair's.
    driver : stream_driver of 4 streams, array of S
        By superlane; the streams move inward.
    load_report, activation_report : ecc_ports of S superlanes
        With ECC: what was found in the streams that the two micro-ops read, see `hdl.ecc.reader`.
    """

    def __init__(self, *, config: Config, inward: Direction, fp16: bool = False) -> None:
        self.config = config
        self.inward = inward
        self.fp16 = fp16
        # ABC at t: activations are in the array in t + 2, dot products in t + 3, the sum of row r in t + 4 + r.
        # ACC at u takes that of row S - 1 in u + 1.
        assert timing(config).acc_after_abc == config.superlanes + 2
        rows = config.superlanes
        super().__init__(
            {
                "start": In(1),
                "load": In(load_op(config)),
                "activation": In(activation_op(config)),
                "result": In(result_op(config)),
                "streams": In(config.streams * config.stream_bits).array(rows),
                "fp16_result": In(config.vector_length * SUM_SLOT),
                "array": Out(array_port(config)),
                "driver": Out(stream_driver(config, SUM_SLOT // 8)).array(rows),
                **{f"{op}_report": Out(wiring.Signature(ecc_ports(config, rows))) for op in ("load", "activation")},
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self.config
        rows = range(config.superlanes)
        # From the micro-op of tile 0: the steps of a load arrive together, S - 1 cycles after the last one at the
        # top; an activation has as many rows and column blocks to go, and two stages in the last cell; a result has
        # S - 1 rows and one stage. Reports of what the top tile read may take longer.
        climb = config.superlanes - 1
        reported = climb + report_delay(config)
        m.submodules.load_gate = load_gate = ActivityGate(linger=max(climb + 1, reported))
        m.submodules.array_gate = array_gate = ActivityGate(linger=max(2 * climb + 3, reported))
        m.submodules.accumulator_gate = accumulator_gate = ActivityGate(linger=climb + 2)
        gates = ((load_gate, self.load), (array_gate, self.activation), (accumulator_gate, self.result))
        for gate, op in gates:
            m.d.comb += [gate.busy.eq(op.valid), gate.flush.eq(self.start)]
        load_clock = {"clk": load_gate.clock, "rst": load_gate.reset}
        array_clock = {"clk": array_gate.clock, "rst": array_gate.reset}
        m.submodules.fp32_gate = fp32_gate = ActivityGate(linger=climb + 2)
        m.d.comb += [fp32_gate.busy.eq(self.result.valid & self.result.fp32), fp32_gate.flush.eq(self.start)]
        accumulator_clock = {"clk": accumulator_gate.clock, "rst": accumulator_gate.reset}

        load, activation, result = self.load, self.activation, self.result
        loads, activations = [], []
        for index in rows:
            streams = self.streams[index]
            load, result = reaching(m, f"load{index}", load, index), reaching(m, f"result{index}", result, index)
            on = activation.span > index
            m.submodules[f"load_tile{index}"] = place(
                load_tile := LoadTile(config=config), **load_clock, op_in=load, streams=streams
            )
            m.submodules[f"activation_tile{index}"] = place(
                activation_tile := ActivationTile(config=config),
                **array_clock,
                op_in=activation,
                on=on,
                streams=streams,
            )
            m.submodules[f"accumulator{index}"] = place(
                accumulator := Accumulator(config=config, inward=self.inward, fp16=self.fp16),
                **accumulator_clock,
                fp32_clock=fp32_gate.clock,
                op_in=result,
                fp16_result=self.fp16_result.word_select(index, config.lanes * SUM_SLOT),
                result=self.array.result.word_select(index, config.lanes * SUM_SLOT),
            )
            wiring.connect(m, wiring.flipped(self.driver[index]), accumulator.driver)
            loads.append((load, load_tile.columns))
            activations.append((activation, on, activation_tile.x))
            for reader, report in ((load_tile, self.load_report), (activation_tile, self.activation_report)):
                m.d.comb += [getattr(report, name)[index].eq(getattr(reader, name)) for name in ecc_ports(config)]
            load, activation, result = load_tile.op, activation_tile.op, accumulator.op
        m.d.comb += [
            self.array.load_clock.eq(load_gate.clock),
            self.array.load_reset.eq(load_gate.reset),
            self.array.array_clock.eq(array_gate.clock),
            self.array.array_reset.eq(array_gate.reset),
            self.array.load.eq(Cat(op.valid for op, _ in loads)),
            self.array.reach.eq(Cat(op.reach for op, _ in loads)),
            self.array.columns.eq(Cat(columns for _, columns in loads)),
            self.array.valid.eq(Cat(op.valid for op, *_ in activations)),
            self.array.install.eq(Cat(op.valid & op.install & on for op, on, _ in activations)),
            self.array.x.eq(Cat(x for *_, x in activations)),
        ]
        return m
