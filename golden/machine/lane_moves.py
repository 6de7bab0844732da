"""Moves of the SXM's instructions on vectors (docs/machine.md, section 7)."""

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]
LaneMap = npt.NDArray[np.int64]


def shift(source: Bytes, amount: int, *, down: bool) -> Bytes:
    """Return vectors, shape (n, vector_length), moved by `amount` lanes; zeros move in."""
    result = np.zeros_like(source)
    kept = source.shape[1] - amount
    if down:
        result[:, :kept] = source[:, amount:]
    else:
        result[:, amount:] = source[:, :kept]
    return result


def select(source: Bytes, low: Bytes, bound: int) -> Bytes:
    """Return the lanes of `low` below `bound` and those of `source` from it up, all of shape (n, vector_length)."""
    result = source.copy()
    result[:, :bound] = low[:, :bound]
    return result


def lane_map(streams: Bytes) -> LaneMap:
    """Return the number per lane, shape (vector_length,), on streams of shape (size, vector_length), low byte first."""
    numbers = np.zeros(streams.shape[1], np.int64)
    for place, byte in enumerate(streams):
        numbers += byte.astype(np.int64) << 8 * place
    return numbers


def gather(source: Bytes, chosen: LaneMap, lanes: int) -> Bytes:
    """Take lanes within groups of adjacent lanes.

    Parameters
    ----------
    source : ndarray of uint8, shape (1, vector_length)
    chosen : ndarray of int64, shape (vector_length,)
        By lane, the lane of its group that it gets.
    lanes : int
        Lanes of a group.

    Returns
    -------
    ndarray of uint8, shape (1, vector_length)
        0 in lanes whose number is no lane of the group.
    """
    groups, numbers = source.reshape(-1, lanes), chosen.reshape(-1, lanes)
    # A number beyond the group is how a program asks for zero.
    inside = numbers < lanes
    taken = np.take_along_axis(groups, np.where(inside, numbers, 0), axis=1)
    return np.where(inside, taken, np.uint8(0)).reshape(source.shape)


def rotate(source: Bytes, size: int, lanes: int) -> Bytes:
    """Return the `size` ** 2 rotations, shape (size ** 2, vector_length), of each superlane's window."""
    tiles = source.reshape(-1, lanes)
    window = tiles[:, : size * size].reshape(-1, size, size)
    result = np.zeros((size * size, *tiles.shape), np.uint8)
    for down in range(size):
        for right in range(size):
            # Rows and columns of the window both go round, as the table of the instruction says.
            turned = np.roll(window, (-down, -right), axis=(1, 2))
            result[size * down + right, :, : size * size] = turned.reshape(-1, size * size)
    return result.reshape(size * size, -1)


def transpose(source: Bytes) -> Bytes:
    """Return vectors, shape (lanes, vector_length), with streams and lanes exchanged in each superlane."""
    lanes = len(source)
    # (stream, superlane, lane): a transposition exchanges the first and the last.
    tiles = source.reshape(lanes, -1, lanes)
    return np.ascontiguousarray(tiles.transpose(2, 1, 0)).reshape(lanes, -1)
