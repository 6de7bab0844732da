"""Windows of ONNX's convolutions and pools: attributes to sizes, steps and padding per axis."""

from dataclasses import dataclass

from models.node import Node


@dataclass(frozen=True)
class Window:
    """A window over the spatial axes of an (N, C, ...) tensor, and over (N, ..., C) as the library's kernels take it.

    Attributes
    ----------
    sizes, strides, dilations : tuple of int
        Per spatial axis.
    padding : tuple of (int, int)
    ceil : bool
    """

    sizes: tuple[int, ...]
    strides: tuple[int, ...]
    dilations: tuple[int, ...]
    padding: tuple[tuple[int, int], ...]
    ceil: bool = False

    @property
    def batched(self) -> dict[str, object]:
        """Strides, padding and dilation with the batch as an axis that windows of size 1 move along."""
        return {
            "strides": (1, *self.strides),
            "padding": ((0, 0), *self.padding),
            "dilation": (1, *self.dilations),
        }

    @property
    def extents(self) -> tuple[int, ...]:
        """Places from the first tap to the last, per axis."""
        return tuple(step * (size - 1) + 1 for size, step in zip(self.sizes, self.dilations, strict=True))


def window_of(node: Node, shape: tuple[int, ...], sizes: tuple[int, ...]) -> Window:
    """Return the window of a node over spatial axes.

    Raises
    ------
    Refused
        For attributes that do not fit.
    """
    rank = len(shape)
    strides = tuple(node.get("strides") or (1,) * rank)
    dilations = tuple(node.get("dilations") or (1,) * rank)
    ceil = bool(node.get("ceil_mode", 0))
    if len(sizes) != rank or len(strides) != rank or len(dilations) != rank:
        raise node.refuse(f"window must have {rank} axes, not {len(sizes)}")
    mode = node.get("auto_pad", "NOTSET")
    if mode == "NOTSET":
        pads = tuple(node.get("pads") or (0,) * 2 * rank)
        padding = tuple(zip(pads[:rank], pads[rank:], strict=True))
    elif mode == "VALID":
        padding = ((0, 0),) * rank
    else:
        sides = []
        for size, taps, stride, step in zip(shape, sizes, strides, dilations, strict=True):
            missing = max((-(-size // stride) - 1) * stride + step * (taps - 1) + 1 - size, 0)
            less, rest = missing // 2, missing - missing // 2
            sides.append((less, rest) if mode == "SAME_UPPER" else (rest, less))
        padding, ceil = tuple(sides), False
    if any(side < 0 for pair in padding for side in pair):
        raise node.refuse(f"pads must be at least 0, not {padding}")
    return Window(tuple(sizes), strides, dilations, padding, ceil)
