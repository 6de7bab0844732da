"""Arrays in files, with an error line for everything that can be wrong with them."""

import io
import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from arch.errors import TaktError
from arch.files import write_whole

__all__ = ["load_array", "save_array"]


def load_array(
    path: str | os.PathLike[str], name: str, dtype: str | None = None, rank: int | None = None
) -> npt.NDArray[Any]:
    """Read a ``.npy`` file.

    Parameters
    ----------
    path
        The file; the array in it may be in Fortran order or big-endian.
    name
        What the array is, for error messages.
    dtype
        NumPy name that it must have.
    rank
        Number of dimensions that it must have.

    Returns
    -------
    ndarray
        C-contiguous, little-endian.

    Raises
    ------
    TaktError
        When the file is missing, truncated, not a ``.npy`` file or holds Python objects, or when dtype, rank or
        size are wrong.
    """
    where = repr(str(path))
    try:
        with Path(path).open("rb") as file:
            array = np.load(file, allow_pickle=False)
    except OSError as error:
        raise TaktError(f"cannot read {name} from {where}: {error.strerror or error}") from None
    except (ValueError, EOFError) as error:
        if "Object arrays" in str(error):
            raise TaktError(f"{name} must be an array of numbers, not of Python objects, in {where}") from None
        raise TaktError(f"cannot read {name}: {where} is not a .npy file, or is truncated or damaged") from None
    except MemoryError:
        raise TaktError(f"cannot read {name}: {where} says it is larger than this computer's memory") from None
    except Exception:  # a damaged header is parsed as Python, which fails in many ways
        raise TaktError(f"cannot read {name}: {where} is damaged") from None
    if not isinstance(array, np.ndarray):
        raise TaktError(f"cannot read {name}: {where} must be a .npy file, not an archive of several arrays")
    if dtype is not None and array.dtype.newbyteorder("<") != np.dtype(dtype).newbyteorder("<"):
        raise TaktError(f"{name} must be {dtype}, not {array.dtype}, in {where}")
    if rank is not None and array.ndim != rank:
        raise TaktError(f"{name} must have {rank} dimensions, not {array.ndim}, in {where}")
    if array.size == 0:
        raise TaktError(f"{name} must not be empty, not of shape {array.shape}, in {where}")
    return np.array(array, dtype=array.dtype.newbyteorder("<"), order="C")


def save_array(path: str | os.PathLike[str], array: npt.NDArray[Any]) -> None:
    """Write a ``.npy`` file under exactly this name.

    Raises
    ------
    TaktError
        When it cannot be written.
    """
    contents = io.BytesIO()
    np.save(contents, array, allow_pickle=False)
    write_whole(path, contents.getvalue())
