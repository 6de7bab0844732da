"""A timetable as a picture: units down, cycles across."""

import io
import re
from collections.abc import Iterable
from pathlib import Path

from arch.errors import TaktError
from arch.files import write_whole
from arch.image import Image
from runtime.timetable.activity import Activity, activities

__all__ = ["draw_chart"]

_COLOURS = {
    "READ": "#3b78b5",
    "WRITE": "#d9822b",
    "LW": "#7b5ea7",
    "ABC": "#2f9e58",
    "ACC": "#b5473c",
    "CVT": "#c2a51d",
    "MUL": "#8a5a3c",
    "ADD": "#3aa6a6",
    "RELU": "#c85b9b",
    "SHIFT": "#5a6b7a",
    "SELECT": "#8c9ba8",
    "TRANSPOSE": "#43506b",
    "PERMUTE": "#6d5f8a",
    "DISTRIBUTE": "#9a86b0",
    "ROTATE": "#4f7a78",
    "LOADMAP": "#b0a58c",
}
_OTHER = "#777777"
_PIXELS = 1600
"""Gaps narrower than a cycle count of one of so many steps across are closed: they could not be seen."""
_APART = 12
"""Elements at least so many times that far apart are drawn one by one."""

Bar = tuple[int, int, float]
"""First cycle, cycles, share of the cycles in which an element is performed."""


def draw_chart(image: Image, path: Path, title: str = "") -> None:
    """Draw the timetable of an image.

    Parameters
    ----------
    image
        The program. Only units that it uses are shown; a paler bar stands for elements with cycles between them.
    path
        File to write; its suffix says which format (``.svg``, ``.png``).
    title
        Instead of one made of the image's notes.

    Raises
    ------
    TaktError
        When the image does nothing, or the file cannot be written.
    """
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    from matplotlib.patches import Patch

    found = activities(image)
    if not found:
        raise TaktError("timetable must have an instruction to draw, not an empty program")
    names = list(dict.fromkeys(activity.unit.name for activity in found))
    row_inches = min(0.22, max(0.11, 14 / len(names)))
    style = {"svg.fonttype": "none", "svg.hashsalt": "takt", "font.size": 8, "path.simplify": False}
    with plt.rc_context(style):
        figure, axes = plt.subplots(figsize=(12, 1.2 + row_inches * len(names)), layout="constrained")
        used: dict[str, None] = {}
        for row, name in enumerate(names):
            mine = [activity for activity in found if activity.unit.name == name]
            for mnemonic in dict.fromkeys(activity.mnemonic for activity in mine):
                used[mnemonic] = None
                bars = _merged((a for a in mine if a.mnemonic == mnemonic), max(1, image.cycles // _PIXELS))
                axes.broken_barh(
                    [(start, length) for start, length, _ in bars],
                    (row - 0.4, 0.8),
                    facecolors=[_shade(_COLOURS.get(mnemonic, _OTHER), share) for _, _, share in bars],
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
        work = title or str(image.notes.get("work", "")) or "program"
        axes.set_title(f"{work} on {image.config.name}: {image.cycles:,} cycles", loc="left", fontsize=10)
        patches = [Patch(color=_COLOURS.get(mnemonic, _OTHER), label=mnemonic) for mnemonic in used]
        figure.legend(handles=patches, loc="outside upper right", ncols=len(patches), frameon=False, fontsize=8)
        picture = io.BytesIO()
        svg = path.suffix == ".svg"
        figure.savefig(
            picture, format=path.suffix[1:], dpi=130, metadata={"Date": None, "Creator": None} if svg else None
        )
        plt.close(figure)
    write_whole(path, _compact(picture.getvalue()) if svg else picture.getvalue())


def _compact(svg: bytes) -> bytes:
    """An SVG of half the size: coordinates to a tenth of a point, one line per path."""
    paths = re.sub(rb'(?<= d=")[^"]*', lambda match: match[0].replace(b"\n", b"").replace(b" L", b"L"), svg)
    return re.sub(rb"(\d\.\d)\d+", rb"\1", paths)


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
