"""A picture of the chip, drawn from its geometry."""

from arch.config import Config
from arch.geometry import Unit, positions, units

__all__ = ["floorplan_svg"]

_COLOURS = {"C2C": "#d9d9d9", "MXM": "#bfe3c8", "SXM": "#d8cbe8", "MEM": "#c5daf0", "VXM": "#f6d9b8"}
_LEFT, _TOP, _WIDTH = 92, 104, 1040
_TILES, _QUEUES = 150, 58
"""Heights of the tiles and of the queues below them."""


def floorplan_svg(config: Config) -> str:
    """Return the chip as SVG: positions west to east, superlanes bottom to top, instruction queues at the foot.

    Parameters
    ----------
    config
        The machine; the picture shows what it has, nothing else.
    """
    columns = positions(config)
    pitch = _WIDTH / columns
    bottom = _TOP + _TILES
    height = bottom + _QUEUES + 48
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_LEFT + _WIDTH + 20} {height}" '
        'font-family="sans-serif" font-size="11">',
        '<rect width="100%" height="100%" fill="#ffffff"/>',
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0 0 8 4 0 8z"/></marker></defs>',
        _text(_LEFT, 16, f"{config.name}: {_summary(config)}", size=13),
        _arrow(_LEFT, 34, _LEFT + _WIDTH, 34, f"{config.streams} streams east, one position per cycle"),
        _arrow(_LEFT + _WIDTH, 52, _LEFT, 52, f"{config.streams} streams west"),
    ]
    for position in range(columns):
        here = [unit for unit in units(config) if unit.position == position]
        parts += _column(config, here, _LEFT + position * pitch, pitch)
    tile = _TILES / config.superlanes
    for superlane in range(config.superlanes):
        y = bottom - superlane * tile
        if config.superlanes <= 8:
            parts.append(_text(_LEFT - 6, y - tile / 2 + 4, f"superlane {superlane}", anchor="end"))
    if config.superlanes > 8:
        parts.append(_text(_LEFT - 6, _TOP + _TILES / 2, f"{config.superlanes} superlanes", anchor="end"))
    parts.append(_text(_LEFT - 6, bottom + 30, "queues", anchor="end"))
    parts.append(
        _text(
            _LEFT,
            height - 10,
            f"{len(units(config))} queues. Instructions enter at the foot of a column and climb one superlane per "
            "cycle; data moves along superlanes.",
        )
    )
    return "\n".join([*parts, "</svg>"]) + "\n"


def _column(config: Config, here: list[Unit], x: float, pitch: float) -> list[str]:
    kind = here[0].name.partition("_")[0] if here else "C2C"
    tile = _TILES / config.superlanes
    bottom = _TOP + _TILES
    parts = []
    for superlane in range(config.superlanes):
        y = bottom - (superlane + 1) * tile
        parts.append(_box(x + 1, y + 1, pitch - 2, tile - 2, _COLOURS[kind]))
    parts.append(_text(x + pitch / 2, 74, kind, anchor="middle", bold=True))
    parts += [
        _text(x + pitch / 2, 86 + 12 * number, line, anchor="middle", size=9)
        for number, line in enumerate(_inside(config, kind, here))
    ]
    for number, _ in enumerate(here):
        across = min(len(here), 4)
        down = -(-len(here) // across)
        width, height = (pitch - 4) / across, (_QUEUES - 6) / max(down, 2)
        row, column = divmod(number, across)
        parts.append(_box(x + 2 + column * width, bottom + 5 + row * height, width - 1.5, height - 1.5, "#ffffff"))
    parts.append(_text(x + pitch / 2, bottom + _QUEUES + 14, str(len(here)), anchor="middle"))
    return parts


def _inside(config: Config, kind: str, here: list[Unit]) -> list[str]:
    if kind == "MEM":
        numbers = sorted(unit.index for unit in here)
        return [f"{numbers[0]}-{numbers[-1]}" if len(numbers) > 1 else str(numbers[0])]
    if kind == "MXM":
        size = config.vector_length
        return [f"{config.planes_per_hemisphere} x", f"{size}x{size}"]
    if kind == "VXM":
        return [f"{config.alu_rows}x{config.alu_cols}", "ALUs"]
    if kind == "C2C":
        return [f"{len(here)} links"]
    return []


def _summary(config: Config) -> str:
    sram = config.mem_bytes / 2**20
    return (
        f"{config.lanes} lanes x {config.superlanes} superlane{'s' * (config.superlanes > 1)}, "
        f"{config.macs_per_cycle:,} MACs per cycle, {sram:,.4g} MiB SRAM"
    )


def _box(x: float, y: float, width: float, height: float, fill: str) -> str:
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" rx="2" fill="{fill}" '
        'stroke="#666" stroke-width="0.6"/>'
    )


def _text(x: float, y: float, text: str, *, anchor: str = "start", size: int = 11, bold: bool = False) -> str:
    weight = ' font-weight="bold"' if bold else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}"{weight}>{text}</text>'


def _arrow(x0: float, y0: float, x1: float, y1: float, text: str) -> str:
    line = f'<line x1="{x0}" y1="{y0}" x2="{x1}" y2="{y1}" stroke="#000" marker-end="url(#tip)"/>'
    middle = (x0 + x1) / 2
    label = len(text) * 6.2 + 12
    back = f'<rect x="{middle - label / 2:.1f}" y="{y0 - 7}" width="{label:.1f}" height="14" fill="#fff"/>'
    return line + back + _text(middle, y0 + 4, text, anchor="middle")
