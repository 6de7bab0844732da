"""Parts of a product's cycles: before the first row, rows and waiting of the busiest plane, after the last row."""

from dataclasses import dataclass

from arch.config import Config
from arch.image import Image
from compiler.library.bounds import product_issue, sums_latency, vectors, write_end
from compiler.verifier.walks import Walks

__all__ = ["Parts", "least_parts", "parts_of"]


@dataclass(frozen=True)
class Parts:
    """Cycles of a product, of the plane or pair that takes longest over its rows; they add up to its length.

    Attributes
    ----------
    before : int
        Until the first row of activations.
    rows : int
        In which a row enters the plane.
    waits : int
        Between rows.
    after : int
        From the last row to the end.
    arrays : int
        Planes or pairs that take rows.
    """

    before: int
    rows: int
    waits: int
    after: int
    arrays: int

    @property
    def cycles(self) -> int:
        """Their sum."""
        return self.before + self.rows + self.waits + self.after

    def most(self, least: "Parts") -> str:
        """Return what is furthest above the least that it could be, in words."""
        shares = f"{self.arrays} of {least.arrays} arrays take rows, one for {self.rows} cycles"
        excess = {
            f"the first row waits for {self.before} cycles of loading": self.before - least.before,
            f"{shares}, an even share is {least.rows}": self.rows - least.rows,
            f"an array waits for weights, {self.waits} cycles in all": self.waits,
            f"results reach MEM in {self.after} cycles instead of {least.after}": self.after - least.after,
        }
        return max(excess, key=lambda what: excess[what])


def parts_of(image: Image) -> Parts:
    """Return the parts of an image's cycles, from its queue words alone."""
    found = []
    for walk in Walks(image).by_queue.values():
        passes = [item for item in walk.issued if item.mnemonic == "ABC"]
        if passes:
            rows = sum(len(item.cycles) * item.count * item.interval for item in passes)
            # A row of float16 takes the cycle after the last one too.
            end = max(item.last + item.interval for item in passes)
            found.append((rows, int(passes[0].cycles[0]), end))
    rows, first, end = max(found)
    return Parts(first, rows, end - first - rows, image.cycles - end, len(found))


def least_parts(config: Config, dtype: str, m: int, k: int, n: int) -> Parts:
    """Return the parts of a product with even shares, near weights and results, and no waiting; arguments as there."""
    size = 2 if dtype == "float16" else 1
    first, _ = product_issue(config, dtype, 1, 1, min(n, config.vector_length))
    arrays = config.planes // size
    share = -(-m * vectors(config, n) // arrays)
    # As in `product_bound`: two hops from the planes to MEM. The cycles of the last row are its own.
    after = sums_latency(config, dtype, through_vxm=False) + write_end(config) + 1 - size
    return Parts(first, size * vectors(config, k) * share, 0, after, arrays)
