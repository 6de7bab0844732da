"""Reports as tables, for the terminal and for Markdown."""

from collections.abc import Sequence

from rich.table import Table

from synth.area import Area
from synth.report import Report

OTHERS_PER_MAC = (1086, 36)
"""Generic cells and flip-flops per INT8 multiply-accumulator that the project set out to stay below."""


def parts_table(report: Report) -> Table:
    """Return a report part by part."""
    table = Table(title=f"{report.preset}: generic cells, flip-flops, memory bits")
    for name in ("unit", "part"):
        table.add_column(name, no_wrap=True)
    for name in ("number", "cells", "flip-flops", "memory bits", "cells each"):
        table.add_column(name, justify="right", no_wrap=True)
    unit = ""
    for part in report.parts:
        each = part.total.cells // part.instances
        counts = (part.instances, *_numbers(part.total), each)
        table.add_row("" if part.unit == unit else part.unit, part.label, *(f"{count:,}" for count in counts))
        unit = part.unit
    table.add_section()
    table.add_row("all", "", "", *(f"{count:,}" for count in _numbers(report.total)), "")
    return table


def per_mac(report: Report) -> str:
    """Return one line on the cost of a multiply-accumulator."""
    cells, flip_flops = OTHERS_PER_MAC
    values = report.as_dict()["per_mac"]
    return (
        f"INT8 MAC ({report.preset}): {values['cells']:.0f} generic cells and {values['flip_flops']:.1f} flip-flops in "
        f"the array, {values['mxm_cells']:.0f} and {values['mxm_flip_flops']:.1f} with weight buffer, accumulators and "
        f"control; {cells:,} and {flip_flops} elsewhere."
    )


def markdown(reports: Sequence[Report], version: str) -> str:
    """Return all reports, unit by unit and side by side, as Markdown.

    Parameters
    ----------
    reports : sequence of Report
    version : str
        Of Yosys.
    """
    units = list(dict.fromkeys(unit for report in reports for unit in report.units))
    heads = [f"{report.preset} {name}" for report in reports for name in ("cells", "flip-flops", "memory bits")]
    lines = [f"| unit | {' | '.join(heads)} |", f"|---|{'---:|' * len(heads)}"]
    for unit in units:
        areas = [report.units.get(unit, Area()) for report in reports]
        lines.append(_row(unit, areas))
    lines.append(_row("**all**", [report.total for report in reports]))
    return "\n".join(
        [
            *lines,
            "",
            *(f"* {per_mac(report)}" for report in reports),
            "",
            f"Yosys {version}, `synth` to generic gates: every module once, multiplied by its instances. Cells are "
            "gates, inverters and one-bit multiplexers, flip-flops apart; memories that can be written count in bits.",
        ]
    )


def _row(name: str, areas: Sequence[Area]) -> str:
    return f"| {name} | {' | '.join(f'{number:,}' for area in areas for number in _numbers(area))} |"


def _numbers(area: Area) -> tuple[int, int, int]:
    return area.cells, area.flip_flops, area.memory_bits
