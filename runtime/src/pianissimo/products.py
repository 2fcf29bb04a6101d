"""Products of matrices by the calling thread alone.

BLAS shares a product of some size between all cores and waits for the slowest, which on a busy machine takes many times as
long, and two threads that ask at once wait for each other. A runtime that says it takes one thread takes one.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

ALONE = 2**18  # multiply-adds that OpenBLAS leaves to one thread (interface/gemm.c: 4 times SMP_THRESHOLD_MIN)


def product(rows: NDArray[Any], matrix: NDArray[Any]) -> NDArray[Any]:
    """`rows @ matrix` of (n, k) and (k, m): (n, m), so many rows at a time that no other thread is asked."""
    out = np.empty((len(rows), matrix.shape[1]), np.result_type(rows, matrix))
    return product_into(out, rows, matrix)


def product_into(out: NDArray[Any], rows: NDArray[Any], matrix: NDArray[Any]) -> NDArray[Any]:
    """The same into `out` (n, m), which may be a part of something larger."""
    step = max(1, ALONE // matrix.size)
    for at in range(0, len(rows), step):
        np.matmul(rows[at : at + step], matrix, out=out[at : at + step])
    return out
