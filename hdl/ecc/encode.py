"""Check bits for what goes onto a stream or into MEM."""

from amaranth.hdl import Cat, Const, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from arch.config import Config
from arch.ecc import check_masks
from hdl.shared import place

__all__ = ["EccEncoder", "encode_words"]


class EccEncoder(wiring.Component):
    """Combinational: the check bits of a word, see `arch.ecc`.

    Parameters
    ----------
    data_bits : int

    Attributes
    ----------
    data : In(data_bits)
    check : Out
    """

    def __init__(self, *, data_bits: int) -> None:
        self.data_bits = data_bits
        super().__init__({"data": In(data_bits), "check": Out(len(check_masks(data_bits)) + 1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        covered = [(self.data & Const(mask, self.data_bits)).xor() for mask in check_masks(self.data_bits)]
        checks = Signal(len(covered))
        m.d.comb += [checks.eq(Cat(covered)), self.check.eq(Cat(checks, self.data.xor() ^ checks.xor()))]
        return m


def encode_words(m: Module, config: Config, name: str, data: Value) -> Value:
    """Return adjacent words of ``lanes * 8`` bits with their check bits, ``stream_bits`` each; as they are without ECC.

    `name` is that of the encoders, unique in the module.
    """
    if not config.ecc:
        return data
    bits = 8 * config.lanes
    words: list[Value] = []
    for index in range(len(data) // bits):
        encoder = EccEncoder(data_bits=bits)
        word = data.word_select(index, bits)
        m.submodules[f"encode_{name}_{index}"] = place(encoder, data=word)
        words += [word, encoder.check]
    return Cat(words)
