"""Reader, in a tile, of words that carry check bits."""

from functools import reduce
from operator import or_
from typing import Any

from amaranth.hdl import Cat, Const, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import Out

from arch.config import Config
from hdl.ecc.decode import EccDecoder
from hdl.shared import place

__all__ = ["REPORT_DELAY", "EccReader", "ecc_ports", "report_delay"]

REPORT_DELAY = 4
"""Cycles from the read of a word, in its superlane, to the report of what was found in it.

The longest SRAM latency, a register for the word, and one for what the decoder finds.
"""


def ecc_ports(config: Config, rows: int = 1) -> dict[str, wiring.Member]:
    """Return the ports by which a queue's datapath reports flipped bits, one bit per superlane; none without ECC.

    ``corrected`` and ``uncorrectable``: what was found in words read `REPORT_DELAY` cycles before. From registers.
    """
    return {"corrected": Out(rows), "uncorrectable": Out(rows)} if config.ecc else {}


def report_delay(config: Config) -> int:
    """Return for how many cycles after a read a gated clock must run on for its report; 0 without ECC."""
    return REPORT_DELAY if config.ecc else 0


class EccReader:
    """Decodes the words that one queue consumes in one superlane; without ECC it lets them pass.

    ::

        ecc = EccReader(m, config)
        source = ecc.read(select_stream(...))
        ecc.report(self)

    Its registers are of the module's ``sync`` domain: a gated clock must run until `REPORT_DELAY` cycles after a read.

    Parameters
    ----------
    m : Module
    config : Config
    name : str
        Unique in the module.
    """

    def __init__(self, m: Module, config: Config, name: str = "ecc") -> None:
        self._m = m
        self._config = config
        self._name = name
        self._decoders = 0
        self._found: list[list[Value]] = [[] for _ in range(REPORT_DELAY)]

    def read(self, words: Value, *, after: int = 0, when: Value | None = None, en: Value | None = None) -> Value:
        """Return the data of adjacent words of ``stream_bits``, combinational: ``lanes * 8`` bits each.

        Parameters
        ----------
        words : Value
        after : int
            Cycles since the words were read from stream register or SRAM, at most `REPORT_DELAY` - 1.
        when : Value
            The words are read; needed unless they are 0 in other cycles, as `hdl.stream.select.select_stream` gives
            them.
        en : Value
            In place of `when`, if nobody needs the data in other cycles: they are 0 then, and a simulator does not work
            for them. For words that are not from registers of a gated clock.
        """
        if not self._config.ecc:
            return words
        bits = self._config.stream_bits
        data = []
        for index in range(len(words) // bits):
            decoder = EccDecoder(data_bits=8 * self._config.lanes)
            self._m.submodules[f"{self._name}_decode_{self._decoders}"] = place(
                decoder, en=Const(1, 1) if en is None else en, word=words.word_select(index, bits)
            )
            self._decoders += 1
            flags = Cat(decoder.corrected, decoder.uncorrectable)
            self._found[after].append(flags if when is None else flags & when.replicate(2))
            data.append(decoder.data)
        return Cat(data)

    def report(self, ports: Any, row: int = 0) -> None:
        """Drive superlane `row` of a queue's `ecc_ports`, after the last `read`."""
        if not self._config.ecc:
            return
        later: Value = Const(0, 2)
        # What was found sooner after its read waits longer: every report comes equally long after its read, and names
        # its cycle by that.
        for after, found in enumerate(self._found):
            stage = Signal(2, name=f"{self._name}_s{after + 1}")
            self._m.d.sync += stage.eq(reduce(or_, found, later))
            later = stage
        self._m.d.comb += [ports.corrected[row].eq(later[0]), ports.uncorrectable[row].eq(later[1])]
