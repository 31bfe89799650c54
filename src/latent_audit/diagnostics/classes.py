"""How much of the prior's p-space each class owns: areas of the unit square under Phi, by nearest codes."""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
from scipy import special
from scipy.spatial import KDTree
from sklearn.neighbors import NearestNeighbors

from latent_audit.base.errors import InputError
from latent_audit.base.measures import Measure, Metric, share
from latent_audit.diagnostics.checks import as_labels
from latent_audit.diagnostics.codes import Codes

if TYPE_CHECKING:
    from latent_audit.diagnostics.subject import Subject


class ClassAreas(NamedTuple):
    """label_map (grid, grid) int class index, row 0 = smallest u of the second dimension; the rest as below."""

    label_map: np.ndarray
    table: pd.DataFrame
    scalars: pd.DataFrame


def class_areas(
    x: Codes | np.ndarray,
    labels: np.ndarray,
    *,
    rng: np.random.Generator,
    transform: str = "raw",
    neighbours: int = 15,
    grid: int = 200,
    dims: tuple[int, int] = (0, 1),
    draws: int = 40_000,
) -> ClassAreas:
    """Area of the unit square that belongs to each class, by the majority of the nearest codes.

    A point u of the square stands for the code Phi^-1(u), so area is prior mass. Neighbours are found in code space at
    Phi^-1(u), with Euclidean distance: p-space would push all codes beyond 3 against one edge and lose their order.
    Ties go to the tied class whose member is nearest.

    With one or two dimensions the area is counted on the grid of cell centres. With more, the label map shows the
    plane of `dims` (neighbours by these two coordinates alone, the other dimensions projected out), and the areas are
    Monte Carlo shares over `draws` true prior draws in all dimensions.

    Parameters
    ----------
    x : (sample, latent) codes; labels : (sample,) integers or strings.
    transform : "raw", "standardised" or "whitened": how the codes are mapped before; centroids stay in raw units.
    dims : the two dimensions shown where there are more than two.

    Returns
    -------
    label_map : (grid, grid) int64, index into `table`; label_map[i, j] is at u_0 = (j + .5)/grid, u_1 = (i + .5)/grid.
        One-dimensional codes: every row is the same.
    table : one row per class, sorted: `label count share area centroid_0 centroid_1` (share: fraction of the codes;
        centroids: mean of the raw codes in the two shown dimensions; centroid_1 NaN for one dimension).
    scalars : rows `metric value`: area_entropy (entropy / ln C, 1 = equal), area_max_min (largest over smallest area;
        a class that owns nothing counts as half a cell or half a draw, so that the ratio is finite),
        area_tv (total variation to equal areas, 0 to 1 - 1/C), classes_without_area (how many own nothing).

    Raises
    ------
    InputError : bad codes, labels, transform, dims, or fewer codes than neighbours.
    """
    codes = Codes.of(x, where="class_areas")
    names, index = as_labels(labels, n=len(codes), where="class_areas")
    latent_dim = codes.shape[1]
    shown = [0] if latent_dim == 1 else list(dims)
    if len(set(shown)) != min(latent_dim, 2) or not all(0 <= d < latent_dim for d in shown):
        raise InputError(f"class_areas: dims must be two different ones of 0..{latent_dim - 1}, got {dims}.")
    if not 1 <= neighbours <= len(codes):
        raise InputError(f"class_areas: neighbours must be 1..{len(codes)} (the number of codes), got {neighbours}.")
    mapped = _mapped(codes, transform)
    label_map = _plane(mapped[:, shown], index, neighbours, grid)
    if latent_dim <= 2:
        owners = label_map.ravel()
    else:
        owners = nearest_class(rng.standard_normal((draws, latent_dim)), mapped, index, neighbours)
    area = np.bincount(owners, minlength=len(names)) / len(owners)
    return ClassAreas(label_map, _table(codes.values[:, shown], names, index, area), area_scalars(area, len(owners)))


def _mapped(codes: Codes, transform: str) -> np.ndarray:
    """The transformed codes in as many dimensions as they came in; whitening is the symmetric (ZCA) form.

    ZCA = PCA whitening turned back to the original axes, so dimension j of the map is still dimension j of the code.
    """
    if transform != "whitened":
        return codes.transformed(transform)
    left, _, right = np.linalg.svd(codes.whitening.matrix, full_matrices=False)
    # matrix = L S R, so matrix (L R)^T = L S L^T: the symmetric root of the inverse covariance.
    return codes.whitened @ (left @ right).T


def _plane(codes: np.ndarray, index: np.ndarray, neighbours: int, grid: int) -> np.ndarray:
    """Class index at every cell centre of the unit square, row 0 at the bottom."""
    axis = special.ndtri((np.arange(grid) + 0.5) / grid)
    if codes.shape[1] == 1:
        return np.tile(nearest_class(axis[:, None], codes, index, neighbours), (grid, 1))
    first, second = np.meshgrid(axis, axis)
    points = np.column_stack([first.ravel(), second.ravel()])
    return nearest_class(points, codes, index, neighbours).reshape(grid, grid)


def nearest_class(points: np.ndarray, codes: np.ndarray, index: np.ndarray, neighbours: int) -> np.ndarray:
    """Majority class of the nearest codes of each point; of tied classes the one with the nearest member."""
    if codes.shape[1] <= 16:
        found = KDTree(codes).query(points, k=neighbours)[1].reshape(len(points), -1)
    else:
        search = NearestNeighbors(n_neighbors=neighbours, algorithm="brute").fit(codes)
        found = search.kneighbors(points, return_distance=False)
    votes = index[found]
    n_classes = int(index.max()) + 1
    row = np.repeat(np.arange(len(points)), votes.shape[1])
    counts = np.bincount(row * n_classes + votes.ravel(), minlength=len(points) * n_classes).reshape(-1, n_classes)
    of_voter = np.take_along_axis(counts, votes, axis=1)
    return np.take_along_axis(votes, of_voter.argmax(axis=1)[:, None], axis=1)[:, 0]  # argmax: the first, the nearest


def _table(plane: np.ndarray, names: np.ndarray, index: np.ndarray, area: np.ndarray) -> pd.DataFrame:
    count = np.bincount(index, minlength=len(names))
    centroids = [np.bincount(index, weights=column) / count for column in plane.T]
    second = centroids[1] if len(centroids) > 1 else np.full(len(names), np.nan)
    return pd.DataFrame(
        {
            "label": names,
            "count": count,
            "share": count / count.sum(),
            "area": area,
            "centroid_0": centroids[0],
            "centroid_1": second,
        }
    )


def area_scalars(area: np.ndarray, n_points: int) -> pd.DataFrame:
    """Rows `metric value` of how unequal the areas (C,) are; see `class_areas`. `n_points`: cells or draws counted."""
    n_classes = len(area)
    floor = 0.5 / n_points
    entropy = -special.xlogy(area, area).sum() / np.log(n_classes)
    return pd.DataFrame(
        [
            ("area_entropy", entropy),
            ("area_max_min", area.max() / max(area.min(), floor)),
            ("area_tv", 0.5 * np.abs(area - 1 / n_classes).sum()),
            ("classes_without_area", float((area == 0).sum())),
        ],
        columns=["metric", "value"],
    )


def _rows(subject: "Subject") -> pd.DataFrame:
    return subject.areas.scalars


MEASURE = Measure(
    "classes",
    needs=frozenset({"labels"}),
    metrics=(
        share("area_entropy", "evenness of the class areas, 1 = even", unit="", better="higher", section="pspace"),
        Metric("area_max_min", "largest class area over the smallest", low=1.0, better="lower", section="pspace"),
        share(
            "area_tv", "share of the square’s area to move until classes are equal", better="lower", section="pspace",
            title="uneven class areas", sentence="total variation between the areas and equal ones",
        ),
        Metric("classes_without_area", "classes that own nothing", low=0.0, better="lower", section="pspace"),
    ),
    rows=_rows,
    order=30,
)  # fmt: skip
