"""The one timing table.

All cycles are those of tile 0 (superlane 0); superlane r does everything r cycles later, at both ends, so the stagger
cancels. With an issue at cycle t at position p, and k counting the elements of a burst:

* a read of streams sees register p in cycle ``t + k * interval + d_skew``;
* a result is on register p in cycle ``t + k * interval + d_func``, and one position further every cycle after.

Source of the form (d_func, d_skew): "Think Fast", ISCA 2020, section II-D and III.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from arch.config import Config
from arch.formats import DType
from arch.geometry import positions
from arch.isa.mem_rows import gather_accesses, scatter_accesses
from arch.isa.table import INSTRUCTIONS


@dataclass(frozen=True)
class Latency:
    """Timing of one instruction, in cycles after its issue.

    Attributes
    ----------
    d_skew : int or None
        When operands are read from (or a word is stored from) the stream register; None without operands.
    d_func : int or None
        When the result is on the stream register; None without a result.
    retire : int
        First cycle in which nothing of the instruction's last element is under way in any superlane.
    """

    d_skew: int | None
    d_func: int | None
    retire: int


@dataclass(frozen=True)
class Timing:
    """The timing table of one configuration.

    Attributes
    ----------
    rows : dict of str to Latency
        By mnemonic.
    mem_access : int
        READ and WRITE: issue to the SRAM access of tile 0.
    acc_after_abc : int
        Issue of ABC to the issue of the ACC that takes its result.
    install_after_load : int
        Issue of LW with count n to the earliest installing ABC is ``n + install_after_load``; the next LW may issue in
        the very cycle of that ABC.
    chain : int
        Issue of a VXM instruction to the issue of one that takes its result through the mesh.
    held : int
        Issue of a VXM instruction to the first issue that sees its result as SELF.
    barrier : int
        NOTIFY to the release of every parked queue: one cycle per position, and six to decode and fan out.
    acc_after_fp16_abc : int
        As `acc_after_abc`, of an ABC with fp16 activations.
    retire_after_fp16_abc : int
        `Latency.retire` of an ABC with fp16 activations.
    fetch_first, fetch_period : int
        Word n (from 0) of an IFETCH that issued at t can issue from cycle ``t + fetch_first + n * fetch_period`` on.
    mem_free : dict of str to int
        By MEM mnemonic: issue of a burst (of its last element, were it a burst of one) to the first issue that its
        engine takes again. SCATTER: indices, accesses, and one cycle; GATHER two, so that a READ's word never leaves
        the slice together with a gathered vector.
    """

    rows: dict[str, Latency]
    mem_access: int
    acc_after_abc: int
    install_after_load: int
    chain: int
    held: int
    barrier: int
    acc_after_fp16_abc: int
    retire_after_fp16_abc: int
    fetch_first: int
    fetch_period: int
    mem_free: dict[str, int]

    def __getitem__(self, mnemonic: str) -> Latency:
        return self.rows[mnemonic]

    def retire(self, mnemonic: str, fields: Mapping[str, int]) -> int:
        """Return the first cycle, from an element's, in which nothing of it is under way in any superlane."""
        if mnemonic == "ABC" and fields["dtype"] == DType.FP16:
            return self.retire_after_fp16_abc
        return self.rows[mnemonic].retire


@lru_cache
def timing(config: Config) -> Timing:
    """Return the timing table of `config`."""
    stagger = config.superlanes
    chain = 3

    def row(d_skew: int | None, d_func: int | None) -> Latency:
        return Latency(d_skew, d_func, max(d_func or 0, d_skew or 0) + stagger)

    control = Latency(None, None, 1)
    alu = row(1, chain + 2)
    switch = row(1, stagger + 3)
    read = row(None, 2 + config.sram_latency)
    own = {
        "READ": read,
        "WRITE": row(1, None),
        "IFETCH": Latency(1, None, 4 + 2 * stagger),
        "GATHER": row(1, 4 + gather_accesses(config) + config.sram_latency),
        "SCATTER": Latency(1, None, 2 + scatter_accesses(config) + stagger),
        "LW": row(1, None),
        "ABC": Latency(1, None, 3 + 2 * stagger),
        "ACC": row(1, 3),
        "SHIFT": switch,
        "SELECT": switch,
        "PERMUTE": switch,
        "DISTRIBUTE": row(1, 3),
        "ROTATE": row(1, 3),
        "TRANSPOSE": row(1, 3),
        "LOADMAP": row(1, None),
        "SEND": row(1, None),
        "RECEIVE": row(None, 3),
    }
    rows = {item.mnemonic: alu if 32 <= item.opcode < 56 else own.get(item.mnemonic, control) for item in INSTRUCTIONS}
    return Timing(
        rows=rows,
        mem_access=1,
        acc_after_abc=stagger + 2,
        install_after_load=0,
        chain=chain,
        held=chain,
        barrier=positions(config) + 6,
        acc_after_fp16_abc=stagger + 6,
        retire_after_fp16_abc=7 + 2 * stagger,
        fetch_first=4 if config.lanes > 4 else 6,
        fetch_period=16 // config.lanes,
        mem_free={
            "READ": 1,
            "WRITE": 1,
            "GATHER": gather_accesses(config) + 3,
            "SCATTER": scatter_accesses(config) + 2,
        },
    )
