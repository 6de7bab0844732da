"""The page's parts: utilisation of every product, a summary, and what limits the slowest."""

import statistics
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import product as combinations

from arch.config import Config
from arch.presets import preset
from compiler.library.bounds import product_bound
from compiler.library.kernel import Bound
from runtime.gemm import FORMATS, blank_gemm, compile_gemm
from runtime.table import markdown_table
from verif.products.parts import Parts, least_parts, parts_of

__all__ = ["MACHINES", "SIZES", "Case", "Result", "cases", "measured", "sections", "worst"]

SIZES = (1, 7, 16, 33, 64, 128, 200)
"""One, primes, tiles, one off a tile, many tiles, and many that leave a rest."""

MACHINES = ("small", "base")

_FORMAT = {dtype: name for name, dtype in FORMATS.items()}
_WORST = 10


@dataclass(frozen=True)
class Case:
    """A product of an (m, k) and a (k, n) matrix on a preset."""

    machine: str
    dtype: str
    m: int
    k: int
    n: int


@dataclass(frozen=True)
class Result:
    """Result of a case: cycles and bound, and their parts."""

    case: Case
    cycles: int
    bound: Bound
    parts: Parts
    least: Parts

    @property
    def utilisation(self) -> float:
        """Bound per cycles."""
        return self.bound.cycles / self.cycles

    @property
    def cell(self) -> str:
        """Cycles, and percent of utilisation."""
        return f"{self.cycles:,} ({self.utilisation:.0%})"


def cases(machine: str, dtype: str) -> Iterator[Case]:
    """Yield every case of a machine and a format."""
    for m, k, n in combinations(SIZES, SIZES, SIZES):
        yield Case(machine, dtype, m, k, n)


def measured(case: Case) -> Result:
    """Return what the compiler makes of a case."""
    config: Config = preset(case.machine)
    shape = case.m, case.k, case.n
    image = compile_gemm(config, blank_gemm(*shape, _FORMAT[case.dtype]))
    bound = product_bound(config, case.dtype, *shape)
    return Result(case, image.cycles, bound, parts_of(image), least_parts(config, case.dtype, *shape))


def sections(results: Iterable[Result]) -> dict[str, str]:
    """Return the parts of the page by name."""
    every = list(results)
    kinds = {(result.case.machine, result.case.dtype): None for result in every}
    found = {"summary": _summary(every, list(kinds)), "worst": worst(every)}
    for machine, dtype in kinds:
        own = [one for one in every if (one.case.machine, one.case.dtype) == (machine, dtype)]
        found[f"{machine} {dtype}"] = _matrix(own)
    return found


def _summary(every: list[Result], kinds: list[tuple[str, str]]) -> str:
    rows = []
    for machine, dtype in kinds:
        found = [one.utilisation for one in every if (one.case.machine, one.case.dtype) == (machine, dtype)]
        good = sum(value >= 0.9 for value in found)
        rows.append(
            (machine, dtype, str(len(found)), f"{statistics.median(found):.1%}", f"{min(found):.1%}", str(good))
        )
    return markdown_table(("preset", "format", "products", "median", "worst", "at 90 % or better"), rows)


def worst(every: Iterable[Result]) -> str:
    """Return the slowest of some results, and what limits them."""
    rows = []
    for one in sorted(every, key=lambda one: one.utilisation)[:_WORST]:
        case, parts = one.case, one.parts
        shape = f"{case.m} x {case.k} x {case.n}"
        spent = " + ".join(str(cycles) for cycles in (parts.before, parts.rows, parts.waits, parts.after))
        limit, what = one.bound.limit.partition(":")[0], parts.most(one.least)
        rows.append((case.machine, case.dtype, shape, one.cell, str(one.bound.cycles), limit, spent, what))
    columns = (
        "preset",
        "format",
        "m x k x n",
        "cycles",
        "bound",
        "it is set by",
        "before, rows, waits, after",
        "cause",
    )
    return markdown_table(columns, rows)


def _matrix(own: list[Result]) -> str:
    cells = {(one.case.m, one.case.k, one.case.n): one.cell for one in own}
    rows = [(str(m), str(k), *(cells[m, k, n] for n in SIZES)) for m, k in combinations(SIZES, SIZES)]
    return markdown_table(("m", "k", *(f"n = {n}" for n in SIZES)), rows)
