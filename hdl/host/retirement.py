"""Classes of instructions that retire alike."""

from arch.config import Config
from arch.isa.table import INSTRUCTIONS
from arch.timing import timing
from hdl.icu.legality import CONTROL

__all__ = ["retire_classes"]


def retire_classes(config: Config) -> tuple[int, ...]:
    """Return the distinct retirement latencies of the operations that are built, in rising order."""
    table = timing(config)
    return tuple(
        sorted({table[row.mnemonic].retire for row in INSTRUCTIONS if row.built and row.mnemonic not in CONTROL})
    )
