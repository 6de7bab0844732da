"""CONFIG words for random programs."""

import random
from collections.abc import Mapping

from arch.config import Config
from arch.isa.encoding import encode

__all__ = ["limit_superlanes"]


def limit_superlanes(
    config: Config, rng: random.Random, program: Mapping[int, list[tuple[int, int]]]
) -> dict[int, list[tuple[int, int]]]:
    """Return a program with CONFIGs of random superlanes, right before every other word that has room for one."""
    limited = {}
    for queue, timeline in program.items():
        words = dict(timeline)
        for cycle, _ in timeline:
            if cycle > 0 and cycle - 1 not in words and rng.random() < 0.5:
                words[cycle - 1] = encode("CONFIG", superlanes=rng.randint(1, config.superlanes))
        limited[queue] = sorted(words.items())
    return limited
