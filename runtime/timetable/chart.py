"""A timetable as a picture: units down, cycles across."""

import hashlib
import io
import json
import re
from collections.abc import Iterable
from pathlib import Path

from arch.errors import TaktError
from arch.files import write_whole
from arch.image import Image
from runtime.timetable.activity import Activity, activities
from runtime.timetable.colours import OTHER, RGB

__all__ = ["chart_digest", "chart_rows", "chart_title", "draw_chart"]

_PIXELS = 1600
"""Gaps narrower than a cycle count of one of so many steps across are closed: they could not be seen."""
_APART = 12
"""Elements at least so many times that far apart are drawn one by one."""

Bar = tuple[int, int, float]
"""First cycle, cycles, share of the cycles in which an element is performed."""


def draw_chart(image: Image, path: Path) -> None:
    """Draw the timetable of an image.

    Parameters
    ----------
    image
        The program. Only units that it uses are shown; a paler bar stands for elements with cycles between them.
    path
        File to write; its suffix says which format (``.svg``, ``.png``).

    Raises
    ------
    TaktError
        When the image does nothing, or the file cannot be written.
    """
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    from matplotlib.patches import Patch

    rows = chart_rows(image)
    if not rows:
        raise TaktError("timetable must have an instruction to draw, not an empty program")
    names = list(dict.fromkeys(name for name, _, _ in rows))
    row_inches = min(0.22, max(0.11, 14 / len(names)))
    style = {"svg.fonttype": "none", "svg.hashsalt": "takt", "font.size": 8, "path.simplify": False}
    with plt.rc_context(style):
        figure, axes = plt.subplots(figsize=(12, 1.2 + row_inches * len(names)), layout="constrained")
        for name, mnemonic, bars in rows:
            axes.broken_barh(
                [(start, length) for start, length, _ in bars],
                (names.index(name) - 0.4, 0.8),
                facecolors=[_shade(RGB.get(mnemonic, OTHER), share) for _, _, share in bars],
                linewidth=0,
                clip_on=False,
            )
        axes.set_yticks(range(len(names)), names, fontsize=8 if row_inches > 0.15 else 6)
        axes.set_ylim(len(names) - 0.5, -0.5)
        axes.set_xlim(0, image.cycles)
        axes.set_xlabel("cycle")
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
        axes.grid(axis="x", alpha=0.3, linewidth=0.5)
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
        _rules(axes, names)
        axes.set_title(chart_title(image), loc="left", fontsize=10, parse_math=False)
        used = dict.fromkeys(mnemonic for _, mnemonic, _ in rows)
        patches = [Patch(color=RGB.get(mnemonic, OTHER), label=mnemonic) for mnemonic in used]
        figure.legend(handles=patches, loc="outside upper right", ncols=len(patches), frameon=False, fontsize=8)
        picture = io.BytesIO()
        svg = path.suffix == ".svg"
        about = {"Date": None, "Creator": f"matplotlib {matplotlib.__version__}", "Identifier": chart_digest(image)}
        figure.savefig(picture, format=path.suffix[1:], dpi=130, metadata=about if svg else None)
        plt.close(figure)
    write_whole(path, _compact(picture.getvalue()) if svg else picture.getvalue())


def chart_rows(image: Image) -> list[tuple[str, str, list[Bar]]]:
    """Return (unit, mnemonic, bars) of what a chart shows, in the order of the queues."""
    gap = max(1, image.cycles // _PIXELS)
    mine: dict[tuple[str, str], list[Activity]] = {}
    for activity in activities(image):
        mine.setdefault((activity.unit.name, activity.mnemonic), []).append(activity)
    return [(name, mnemonic, _merged(found, gap)) for (name, mnemonic), found in mine.items()]


def chart_title(image: Image) -> str:
    """Return the line above a chart."""
    work = str(image.notes.get("work", "")) or "program"
    return f"{work} on {image.config.name}: {image.cycles:,} cycles"


def chart_digest(image: Image) -> str:
    """Return what a chart shows as a number, which an SVG carries: it tells whether a picture is still true.

    Another version of matplotlib draws the same in other bytes.
    """
    shown = json.dumps([chart_title(image), chart_rows(image), sorted(RGB.items())])
    return f"takt-timetable-{hashlib.sha256(shown.encode()).hexdigest()[:16]}"


def _compact(svg: bytes) -> bytes:
    """An SVG of half the size: coordinates to a tenth of a point, one line per path."""
    about, end, drawing = svg.partition(b"</metadata>")
    paths = re.sub(rb'(?<= d=")[^"]*', lambda match: match[0].replace(b"\n", b"").replace(b" L", b"L"), drawing)
    return about + end + re.sub(rb"(\d\.\d)\d+", rb"\1", paths)


def _rules(axes: "object", names: list[str]) -> None:
    """A line between kinds of units."""
    for row in range(1, len(names)):
        if names[row].partition("_")[0] != names[row - 1].partition("_")[0]:
            axes.axhline(row - 0.5, color="#999999", linewidth=0.5)  # type: ignore[attr-defined]


def _merged(mine: Iterable[Activity], gap: int) -> list[Bar]:
    """Bars in order of time; those less than `gap` cycles apart become one, elements far apart become bars."""
    spans: list[list[int]] = []
    for start, stop, elements in sorted(span for activity in mine for span in _spans(activity, gap)):
        if spans and start - spans[-1][1] < gap:
            spans[-1][1] = max(spans[-1][1], stop)
            spans[-1][2] += elements
        else:
            spans.append([start, stop, elements])
    return [(start, stop - start, elements / (stop - start)) for start, stop, elements in spans]


def _spans(activity: Activity, gap: int) -> list[tuple[int, int, int]]:
    """(first cycle, first cycle after, elements) of what can be seen apart."""
    if activity.interval < _APART * gap:
        return [(activity.start, activity.stop, activity.elements)]
    starts = range(activity.start, activity.stop, activity.interval)
    return [(start, start + 1, 1) for start in starts]


def _shade(colour: str, share: float) -> tuple[float, float, float]:
    """The colour, paler the fewer of its cycles are busy; opaque, so that the file stays small."""
    weight = 0.35 + 0.65 * min(1.0, share)
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (round(1 - weight * (1 - part), 2) for part in parts)
    return red, green, blue
