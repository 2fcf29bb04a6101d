"""A kernel machine with fewer vectors that decides nearly alike: reduced sets (Burges 1996, "Simplified support vector
decision rules"), whose new vectors are found as Schölkopf et al. 1999 do ("Input space versus feature space")."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]
ROUNDS = 50  # of clustering and of the fixed point; both settle within ten on templates of dozens of vectors
RIDGE = 1e-6  # added to the kernel matrix, which is singular where two vectors fall together


def gaussian(rows: Array, columns: Array, gamma: float) -> Array:
    """Kernel values exp(-gamma |a - b|^2), (n, m) of rows (n, d) and columns (m, d)."""
    squares = (rows**2).sum(axis=1)[:, None] + (columns**2).sum(axis=1) - 2 * (rows @ columns.T)
    values: Array = np.exp(-gamma * np.maximum(squares, 0))
    return values


def reduced(
    vectors: Array, coefficients: Array, gamma: float, support: int
) -> tuple[NDArray[np.float32], Array, float]:
    """(support, d) vectors, their coefficients and what to add to the offset, in place of (n, d) vectors, n above `support`.

    The vectors are grouped, each group gives the one vector that the sum of its kernels is nearest to, and the new
    coefficients are the least squares fit in the kernel's own space. All old coefficients must be positive, as a
    one-class machine's are. The offset moves so that the old vectors are decided as before on average.
    """
    old = vectors.astype(np.float64)
    group = _grouped(old, support)
    new = np.stack([_centre(old[group == at], coefficients[group == at], gamma) for at in np.unique(group)])
    across = gaussian(old, new, gamma)
    kernel = gaussian(new, new, gamma) + RIDGE * np.eye(len(new))
    fitted = np.linalg.solve(kernel, across.T @ coefficients)
    raised = across @ fitted - gaussian(old, old, gamma) @ coefficients
    return new.astype(np.float32), fitted, float(raised.mean())


def _grouped(vectors: Array, count: int) -> NDArray[np.intp]:
    """Which of at most `count` groups each vector is in: k-means, begun at vectors far from one another."""
    chosen = [int(((vectors - vectors.mean(axis=0)) ** 2).sum(axis=1).argmin())]
    while len(chosen) < count:
        chosen.append(int(_squares(vectors, vectors[chosen]).min(axis=1).argmax()))
    centres = vectors[chosen]
    for _ in range(ROUNDS):
        group = _squares(vectors, centres).argmin(axis=1)
        moved = np.stack(
            [vectors[group == at].mean(axis=0) if (group == at).any() else c for at, c in enumerate(centres)]
        )
        if np.array_equal(moved, centres):
            break
        centres = moved
    nearest: NDArray[np.intp] = _squares(vectors, centres).argmin(axis=1)
    return nearest


def _centre(vectors: Array, coefficients: Array, gamma: float) -> Array:
    """The vector whose kernel is nearest to the weighted sum of those of (n, d) vectors, by its fixed point."""
    centre: Array = coefficients @ vectors / coefficients.sum()
    for _ in range(ROUNDS):
        pull = coefficients * gaussian(centre[None], vectors, gamma)[0]
        if pull.sum() <= np.finfo(np.float64).tiny:  # a kernel so narrow that the middle sees none of them
            return centre
        centre = pull @ vectors / pull.sum()
    return centre


def _squares(rows: Array, columns: Array) -> Array:
    squares: Array = ((rows[:, None] - columns[None]) ** 2).sum(axis=-1)
    return squares
