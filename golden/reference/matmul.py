"""Integer matrix product."""

import numpy as np
import numpy.typing as npt

from golden.reference.operands import check_product

Int32 = npt.NDArray[np.int32]


def matmul_int32(a: npt.NDArray[np.int8], b: npt.NDArray[np.int8]) -> Int32:
    """Return ``a @ b`` with exact products and sums that wrap at 32 bits.

    Parameters
    ----------
    a : ndarray of int8, shape (m, k)
    b : ndarray of int8, shape (k, n)

    Returns
    -------
    ndarray of int32, shape (m, n)

    Raises
    ------
    TaktError
        For another dtype or rank, or inner dimensions that disagree.
    """
    check_product(a, b, np.int8)
    # float64 is exact for |sum| <= 2**53, far above k * 2**14; and it is the fast matrix product.
    exact = a.astype(np.float64) @ b.astype(np.float64)
    return exact.astype(np.int64).astype(np.int32)
