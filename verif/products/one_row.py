"""Products of one row with large matrices, and the step of a large LSTM: nothing but loading weights."""

from dataclasses import dataclass

from arch.config import Config
from arch.presets import preset
from compiler.library.bounds import product_bound
from compiler.library.catalogue import KERNELS
from compiler.library.kernel import Bound
from compiler.program import Program
from runtime.gemm import blank_gemm, compile_gemm
from runtime.kernel_samples import sample
from runtime.table import markdown_table
from verif.products.parts import parts_of

__all__ = ["CASES", "Large", "cell", "section"]

_LSTM = 512


@dataclass(frozen=True)
class Large:
    """An int8 product of one row with a (k, n) matrix on a preset with settings."""

    machine: str
    settings: tuple[str, ...]
    k: int
    n: int

    @property
    def config(self) -> Config:
        """The machine."""
        return preset(self.machine, self.settings)


_WIDE = ("superlanes=2", "mem_depth=8192")

CASES = (
    Large("small", (), 512, 512),
    Large("small", _WIDE, 576, 1536),
    Large("small", (*_WIDE, "mem_slices=44"), 576, 1536),
    Large("groqchip", (), 1024, 1024),
)


def cell(cycles: int, bound: int) -> str:
    """Return cycles, and percent of utilisation."""
    return f"{cycles:,} ({bound / cycles:.0%})"


def section() -> str:
    """Return cycles, bounds and their limits."""
    rows = []
    for case in CASES:
        image = compile_gemm(case.config, blank_gemm(1, case.k, case.n))
        parts = parts_of(image)
        spent = " + ".join(str(cycles) for cycles in (parts.before, parts.rows, parts.waits, parts.after))
        bound = product_bound(case.config, "int8", 1, case.k, case.n)
        machine = ", ".join(f"`{word}`" for word in (case.machine, *case.settings))
        rows.append(_row(machine, f"1 x {case.k} x {case.n}", image.cycles, bound, spent))
    config, kernel = preset("groqchip"), KERNELS["lstm"]
    arrays, values = sample("lstm", "float16", _LSTM), kernel.values({})
    program = Program(config, "lstm")
    for name, tensor in kernel.build(program, arrays, values).items():
        program.output(name, tensor)
    bound = kernel.bound(config, arrays, values)
    rows.append(_row("`groqchip`", f"LSTM step of {_LSTM}, float16", program.compile().cycles, bound, "-"))
    return markdown_table(("machine", "work", "cycles", "bound", "set by", "before, rows, waits, after"), rows)


def _row(machine: str, work: str, cycles: int, bound: Bound, spent: str) -> tuple[str, ...]:
    return machine, work, cell(cycles, bound.cycles), str(bound.cycles), bound.limit.partition(":")[0], spent
