"""Port between a unit with several queues and each of them."""

from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from arch.config import Config
from arch.isa.instruction import WORD_BITS
from hdl.ecc.reader import ecc_ports
from hdl.span import span_shape

__all__ = ["controller_port"]


def controller_port(config: Config) -> wiring.Signature:
    """Return the interface between one queue and its controller, seen by the controller.

    Members, for an element whose cycle is t (see ``docs/rtl.md``); those that an instruction does not need stay 0:

    * ``issue_valid`` (in), ``issue_word`` (in): a legal word of this unit issues in t; ``issue_span`` (in): it acts on
      so many superlanes (see `hdl.span`)
    * ``element``: an element is performed in t; ``pending``: more of its burst follow
    * ``busy_fault``: in t; ``bank_conflict_fault``: in the cycle of the access; ``operand_missed_fault``: in the cycle
      in which the operand was due
    * ``reads``: streams read, in ``t + d_skew``, and ``drives``: streams driven, in ``t + d_func - 1``; eastward
      streams lowest
    * with ECC ``corrected`` and ``uncorrectable``, a bit per superlane: see `hdl.ecc.reader.ecc_ports`
    """
    return wiring.Signature(
        {
            "issue_valid": In(1),
            "issue_word": In(WORD_BITS),
            "issue_span": In(span_shape(config)),
            "element": Out(1),
            "pending": Out(1),
            "busy_fault": Out(1),
            "bank_conflict_fault": Out(1),
            "operand_missed_fault": Out(1),
            "reads": Out(2 * config.streams),
            "drives": Out(2 * config.streams),
            **ecc_ports(config, config.superlanes),
        }
    )
