"""One plane of a matrix unit (MXM) with its three controllers."""

from amaranth.hdl import Const, Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from arch.config import Config
from arch.geometry import Direction, Hemisphere
from hdl.controller_port import controller_port
from hdl.ecc.reader import ecc_ports
from hdl.mxm.activations_controller import ActivationsController
from hdl.mxm.array import Array
from hdl.mxm.array_port import array_port
from hdl.mxm.micro_op import activation_op
from hdl.mxm.plane import Plane
from hdl.mxm.results_controller import ResultsController
from hdl.mxm.supercell import SUM_SLOT
from hdl.mxm.weights_controller import WeightsController
from hdl.shared import place
from hdl.stream_driver import stream_driver
from hdl.stream_set import driven, stream_set

__all__ = ["Mxm"]


class Mxm(wiring.Component):
    """A plane: weights (LW), activations (ABC) and results (ACC), each with a queue of its own.

    An ordinary submodule, not to be placed (see `Plane`). Weights and sums survive `start`; all that is under way
    does not.

    Parameters
    ----------
    config
        The machine; S is its `superlanes`.
    hemisphere
        Where it stands: it reads streams that move outward and drives those that move inward.
    pair
        0 or 1: which plane of a pair it is; the first one takes fp16 activations. None if it stands alone.

    Attributes
    ----------
    start : in 1
        From a register.
    weights, activations, results : controller_port
    streams : in streams * stream_bits, array of S
        Stream registers of this position that move outward, by superlane.
    driver : stream_driver of 4 streams, array of S
        By superlane.
    array : array_port
        In a pair: to the array.
    loading, fp16, installs : out 1
        See `hdl.mxm.weights_controller` and `hdl.mxm.activations_controller`.
    fp16_op : out activation_op
        In the first plane of a pair: the micro-op of tile 0 for the pair's fp16 array, one cycle after `element`.
    fp16_result : in S * lanes * 32
        In the first plane of a pair: see `hdl.mxm.pair_array`.
    """

    def __init__(self, *, config: Config, hemisphere: Hemisphere, pair: int | None = None) -> None:
        self.config = config
        self.hemisphere = hemisphere
        self.pair = pair
        super().__init__(
            {
                "start": In(1),
                "weights": Out(controller_port(config)),
                "activations": Out(controller_port(config)),
                "results": Out(controller_port(config)),
                "streams": In(config.streams * config.stream_bits).array(config.superlanes),
                "driver": Out(stream_driver(config, SUM_SLOT // 8)).array(config.superlanes),
                "loading": Out(1),
                "fp16": Out(1),
                "installs": Out(1),
                "fp16_op": Out(activation_op(config)),
                "fp16_result": In(config.vector_length * SUM_SLOT),
                **({} if pair is None else {"array": Out(array_port(config))}),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self.config
        # Operands leave the middle of the chip, results go back to it.
        outward = Const(Direction.WEST if self.hemisphere is Hemisphere.WEST else Direction.EAST, 1)
        inward = Direction.EAST if self.hemisphere is Hemisphere.WEST else Direction.WEST
        m.submodules.weights = weights = WeightsController(config=config)
        m.submodules.activations = activations = ActivationsController(config=config)
        m.submodules.results = results = ResultsController(config=config)
        m.submodules.plane = plane = Plane(config=config, inward=inward, fp16=self.pair == 0)

        for queue, controller in ((self.weights, weights), (self.activations, activations), (self.results, results)):
            m.d.comb += [
                controller.start.eq(self.start),
                controller.issue_valid.eq(queue.issue_valid),
                controller.issue_word.eq(queue.issue_word),
                controller.issue_span.eq(queue.issue_span),
                queue.element.eq(controller.element),
                queue.pending.eq(controller.pending),
                queue.busy_fault.eq(controller.busy_fault),
            ]
        m.d.comb += [
            activations.loading.eq(weights.loading),
            results.activation.eq(activations.element & ~activations.fp16),
            results.fp16_activation.eq(activations.element & activations.fp16),
            self.loading.eq(weights.loading),
            self.fp16.eq(activations.fp16),
            self.installs.eq(activations.installs),
            self.fp16_op.eq(activations.fp16_op),
            self.activations.operand_missed_fault.eq(activations.operand_missed_fault),
            self.results.operand_missed_fault.eq(results.operand_missed_fault),
            self.weights.reads.eq(
                stream_set(weights.op.valid, outward, weights.op.group, config.lanes, config.streams)
            ),
            self.activations.reads.eq(
                stream_set(activations.op.valid, outward, activations.op.stream, 1, config.streams)
                | stream_set(activations.fp16_op.valid, outward, activations.fp16_op.stream[1:], 2, config.streams)
            ),
            self.results.drives.eq(driven(self.driver[0], config.streams)),
        ]

        m.d.comb += [
            plane.start.eq(self.start),
            plane.load.eq(weights.op),
            plane.activation.eq(activations.op),
            plane.result.eq(results.op),
            plane.fp16_result.eq(self.fp16_result),
        ]
        for queue, report in ((self.weights, plane.load_report), (self.activations, plane.activation_report)):
            m.d.comb += [getattr(queue, name).eq(getattr(report, name)) for name in ecc_ports(config)]
        if self.pair is None:
            m.submodules.array = place(array := Array(config=config))
            wiring.connect(m, plane.array, array)
        else:
            wiring.connect(m, wiring.flipped(self.array), plane.array)
        for row in range(config.superlanes):
            m.d.comb += plane.streams[row].eq(self.streams[row])
            wiring.connect(m, wiring.flipped(self.driver[row]), plane.driver[row])
        return m
