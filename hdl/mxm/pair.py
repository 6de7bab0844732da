"""A pair of MXM planes and the fp16 array that they form together."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from arch.config import Config
from arch.geometry import Hemisphere
from arch.timing import timing
from hdl.controller_port import controller_port
from hdl.ecc.reader import ecc_ports
from hdl.mxm.mxm import Mxm
from hdl.mxm.pair_array import PairArray
from hdl.mxm.supercell import SUM_SLOT
from hdl.stream_driver import stream_driver

__all__ = ["MxmPair"]


class MxmPair(wiring.Component):
    """Two planes. An fp16 ABC in the first one's queue takes the buffers of both and the accumulator of the first.

    An ordinary submodule, not to be placed (see `hdl.mxm.plane.Plane`).

    Parameters
    ----------
    config
        The machine; S is its `superlanes`.
    hemisphere
        Where it stands.

    Attributes
    ----------
    start : in 1
        From a register.
    weights, activations, results : controller_port, array of 2
        By plane.
    streams : in streams * stream_bits, array of S
        Stream registers of this position that move outward, by superlane.
    driver : stream_driver of 4 streams, array of 2 of arrays of S
        By plane and superlane.
    late_element : out 1
        An fp16 element was performed so many cycles ago as it takes longer to retire than one of int8. `pending` of the
        first plane's activations stays high until then.
    """

    def __init__(self, *, config: Config, hemisphere: Hemisphere) -> None:
        self.config = config
        self.hemisphere = hemisphere
        queue = Out(controller_port(config)).array(2)
        super().__init__(
            {
                "start": In(1),
                "weights": queue,
                "activations": queue,
                "results": queue,
                "streams": In(config.streams * config.stream_bits).array(config.superlanes),
                "driver": Out(stream_driver(config, SUM_SLOT // 8)).array(config.superlanes).array(2),
                "late_element": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self.config
        m.submodules.plane_0 = first = Mxm(config=config, hemisphere=self.hemisphere, pair=0)
        m.submodules.plane_1 = second = Mxm(config=config, hemisphere=self.hemisphere, pair=1)
        m.submodules.array = array = PairArray(config=config)
        m.d.comb += [array.start.eq(self.start), array.activation.eq(first.fp16_op), first.fp16_result.eq(array.result)]
        for row in range(config.superlanes):
            m.d.comb += array.streams[row].eq(self.streams[row])
        for index, plane in enumerate((first, second)):
            m.d.comb += plane.start.eq(self.start)
            wiring.connect(m, plane.array, array.array[index])
            wiring.connect(m, wiring.flipped(self.weights[index]), plane.weights)
            wiring.connect(m, wiring.flipped(self.results[index]), plane.results)
            for row in range(config.superlanes):
                m.d.comb += plane.streams[row].eq(self.streams[row])
                wiring.connect(m, wiring.flipped(self.driver[index][row]), plane.driver[row])
            queue, inner = self.activations[index], plane.activations
            m.d.comb += [
                inner.issue_valid.eq(queue.issue_valid),
                inner.issue_word.eq(queue.issue_word),
                inner.issue_span.eq(queue.issue_span),
                *(
                    getattr(queue, name).eq(getattr(inner, name))
                    for name in ("element", "pending", "busy_fault", "operand_missed_fault", "reads")
                ),
            ]

        for name in ecc_ports(config):
            m.d.comb += [
                getattr(self.activations[0], name).eq(getattr(first.activations, name) | getattr(array, name)),
                getattr(self.activations[1], name).eq(getattr(second.activations, name)),
            ]

        # An fp16 element occupies both arrays for two cycles.
        mine, other = first.activations, second.activations
        running, occupied, missed = Signal(), Signal(), Signal()
        fp16_issue = Signal()
        m.d.comb += [
            # `occupied` is one cycle later: the second of the two cycles that the last element takes.
            running.eq(first.fp16 & (mine.element | mine.pending)),
            fp16_issue.eq(mine.issue_valid & first.fp16),
            self.activations[0].busy_fault.eq(
                mine.busy_fault | (mine.issue_valid & occupied) | (fp16_issue & (other.element | other.pending))
            ),
            self.activations[1].busy_fault.eq(other.busy_fault | (other.issue_valid & occupied)),
            self.activations[0].operand_missed_fault.eq(mine.operand_missed_fault | missed),
        ]
        m.d.sync += [
            occupied.eq(running & ~self.start),
            missed.eq(fp16_issue & first.installs & second.loading & ~self.start),
        ]

        # RunControl counts from elements with the retirement of int8; those of fp16 are shown to it again, by so much
        # later.
        late = Signal(timing(config).retire_after_fp16_abc - timing(config)["ABC"].retire)
        m.d.sync += late.eq(Cat(first.fp16 & mine.element, late)[: len(late)])
        with m.If(self.start):
            m.d.sync += late.eq(0)
        m.d.comb += [
            self.late_element.eq(late[-1]),
            self.activations[0].pending.eq(mine.pending | late.any()),
        ]
        return m
