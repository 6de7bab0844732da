"""What follows from a configuration: sizes, rates, queues, latencies."""

from collections import Counter
from typing import Any

from arch.config import Config
from arch.geometry import positions, units
from arch.isa.table import INSTRUCTIONS
from arch.timing import timing

__all__ = ["machine_facts"]


def machine_facts(config: Config) -> dict[str, Any]:
    """Return the facts of a machine, ready for JSON.

    Returns
    -------
    dict
        ``preset``, ``fingerprint``, ``parameters`` (every parameter), ``geometry``, ``rates`` (per cycle, and at the
        clock), ``queues`` (by unit), ``latencies`` (cycles after the issue, of every instruction that is built) and
        ``delays`` (the other rows of the timing table, cycles). Sizes are in bytes, rates in bytes per cycle.
    """
    table = timing(config)
    kinds = Counter(unit.kind.value.partition(".")[0] for unit in units(config))
    return {
        "preset": config.name,
        "fingerprint": f"{config.fingerprint:016x}",
        "parameters": config.as_dict(),
        "geometry": {
            "vector_length": config.vector_length,
            "positions": positions(config),
            "streams": 2 * config.streams,
            "mem_slices": config.slices,
            "sram_bytes_per_slice": config.mem_bytes // config.slices,
            "sram_bytes": config.mem_bytes,
            "ecc_bits_per_word": config.ecc_bits,
            "planes": config.planes,
            "plane_macs": config.vector_length**2,
            "alus_per_lane": config.alus,
            "links": config.links,
        },
        "rates": {
            "macs_per_cycle": config.macs_per_cycle,
            "stream_bytes_per_cycle": 2 * config.streams * config.vector_length,
            "sram_bytes_per_cycle": 2 * config.slices * config.vector_length,
            "weight_load_cycles": config.superlanes,
            "clock_hz": config.clock_hz,
            "tops_int8": 2 * config.macs_per_cycle * config.clock_hz / 1e12,
            "sram_bytes_per_second": 2 * config.slices * config.vector_length * config.clock_hz,
        },
        "queues": {"total": len(units(config)), **kinds},
        "latencies": {
            row.mnemonic: {
                "d_skew": table[row.mnemonic].d_skew,
                "d_func": table[row.mnemonic].d_func,
                "retire": table[row.mnemonic].retire,
            }
            for row in INSTRUCTIONS
            if row.built
        },
        "delays": {
            name: getattr(table, name)
            for name in ("mem_access", "acc_after_abc", "install_after_load", "chain", "held", "barrier")
        },
    }
