"""The k-d tree that every search for neighbours uses."""

import numpy as np
from scipy.spatial import KDTree

SMALLEST = 1e-200  # no distance between codes of any use is smaller


def search_tree(points: np.ndarray) -> KDTree:
    """A k-d tree of (point, dimension); coordinates below 1e-200 in magnitude, 0 among them, are put at 1e-200.

    Where a process flushes subnormal numbers to 0, as those that train do, the number next to 0 is 0: SciPy's tree,
    which parts equal coordinates by the next number, then halves the same points until the stack overflows. A ReLU
    code with dead units is such a set of points.
    """
    return KDTree(np.where(np.abs(points) < SMALLEST, SMALLEST, points))
