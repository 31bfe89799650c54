"""How much of the prior each class owns: areas of the unit square under Phi; of wide codes, by a density per class."""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
from scipy import special

from latent_audit.base.errors import InputError
from latent_audit.base.measures import Measure, Metric, share
from latent_audit.diagnostics.checks import as_labels
from latent_audit.diagnostics.class_density import COMPARED, density_owners
from latent_audit.diagnostics.codes import Codes
from latent_audit.diagnostics.nearest_classes import Owners, majority, nearest

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
    shuffles: int = 99,
) -> ClassAreas:
    """Share of the prior's mass that belongs to each class.

    A point u of the unit square stands for the code Phi^-1(u), so area is prior mass. The label map shows the class of
    the majority of the nearest codes, found in code space at Phi^-1(u) with Euclidean distance: p-space would push all
    codes beyond 3 against one edge and lose their order. Ties go to the tied class whose member is nearest. With more
    than two dimensions it shows the plane of `dims`, by these two coordinates alone, the others projected out.

    With one or two dimensions the areas are counted on the grid of cell centres of that map. With more, nearest
    neighbours measure hubness: an area is the share of prior draws in all dimensions whose most probable class it is,
    by a Gaussian per class (`class_density`). Where no such density fits, the areas are NaN.

    Parameters
    ----------
    x : (sample, latent) codes; labels : (sample,) integers or strings.
    transform : "raw", "standardised" or "whitened": how the codes are mapped before; centroids stay in raw units.
    dims : the two dimensions shown where there are more than two.
    draws : of the prior, beyond two dimensions; fewer where each takes very long.
    shuffles : how often the labels are dealt out anew, for the null of area_tv.

    Returns
    -------
    label_map : (grid, grid) int64, index into `table`; label_map[i, j] is at u_0 = (j + .5)/grid, u_1 = (i + .5)/grid.
        One-dimensional codes: every row is the same.
    table : one row per class, sorted: `label count share area centroid_0 centroid_1` (share: fraction of the codes;
        centroids: mean of the raw codes in the two shown dimensions; centroid_1 NaN for one dimension).
    scalars : rows `metric value p_value null_low null_high n_p`: area_entropy (entropy / ln C, 1 = equal), area_max_min
        (largest over smallest area; a class that owns nothing counts as half a cell or half a draw, so that the ratio
        is finite), area_tv (total variation to equal areas, 0 to 1 - 1/C), classes_without_area (how many own
        nothing); beyond two dimensions area_density_accuracy and area_knn_accuracy, of held-out codes. area_tv alone
        has a null, that of labels dealt out anew: null_low and null_high are its 2.5% and 97.5%, p_value is
        (1 + #{null >= observed}) / (shuffles + 1), upper tail, n_p the number of codes.

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
    mapped, n_classes = _mapped(codes, transform), len(names)
    found = nearest(_cells(len(shown), grid), mapped[:, shown], neighbours)
    owners = majority(index[found], n_classes)
    label_map = owners.reshape(grid, grid) if latent_dim > 1 else np.tile(owners, (grid, 1))
    if latent_dim <= 2:
        owned = _shuffled(owners, found, index, n_classes, shuffles, rng)
    else:
        options = {"neighbours": neighbours, "draws": draws, "shuffles": shuffles, "rng": rng}
        owned = density_owners(Codes(mapped), index, n_classes, **options)
    area = _areas(owned.owners, n_classes)
    scalars = pd.concat([area_scalars(area, len(owned.owners)), _accuracies(owned)], ignore_index=True)
    scalars = _with_null(scalars, owned, n_classes, len(codes))
    return ClassAreas(label_map, _table(codes.values[:, shown], names, index, area), scalars)


def _mapped(codes: Codes, transform: str) -> np.ndarray:
    """The transformed codes in as many dimensions as they came in; whitening is the symmetric (ZCA) form.

    ZCA = PCA whitening turned back to the original axes, so dimension j of the map is still dimension j of the code.
    """
    if transform != "whitened":
        return codes.transformed(transform)
    left, _, right = np.linalg.svd(codes.whitening.matrix, full_matrices=False)
    # matrix = L S R, so matrix (L R)^T = L S L^T: the symmetric root of the inverse covariance.
    return codes.whitened @ (left @ right).T


def _cells(shown_dims: int, grid: int) -> np.ndarray:
    """(cell, 1 or 2) codes at the cell centres of the unit interval or square, row by row from the bottom."""
    axis = special.ndtri((np.arange(grid) + 0.5) / grid)
    if shown_dims == 1:
        return axis[:, None]
    first, second = np.meshgrid(axis, axis)
    return np.column_stack([first.ravel(), second.ravel()])


def _shuffled(
    owners: np.ndarray, found: np.ndarray, index: np.ndarray, n_classes: int, shuffles: int, rng: np.random.Generator
) -> Owners:
    """The owners of the cells, and those of a part of them under shuffled labels: the search for neighbours stands."""
    cells = rng.permutation(len(owners))[:COMPARED]
    found = found[cells]
    dealt = [majority(rng.permutation(index)[found], n_classes) for _ in range(shuffles)]
    return Owners(owners, owners[cells], np.array(dealt))


def _areas(owners: np.ndarray, n_classes: int) -> np.ndarray:
    """(class,) share of the places; NaN where nobody can be said to own any."""
    if not len(owners):
        return np.full(n_classes, np.nan)
    return np.bincount(owners, minlength=n_classes) / len(owners)


def _unevenness(area: np.ndarray) -> float:
    """Total variation between the areas (class,) and equal ones."""
    return float(0.5 * np.abs(area - 1 / len(area)).sum())


def _with_null(scalars: pd.DataFrame, owned: Owners, n_classes: int, n: int) -> pd.DataFrame:
    """The null of area_tv, over the same places for the true and the shuffled labels."""
    null = np.array([_unevenness(_areas(owners, n_classes)) for owners in owned.shuffled])
    of_null = (np.nan, np.nan, np.nan)
    if len(null):
        at_least = (null >= _unevenness(_areas(owned.compared, n_classes))).sum()
        of_null = ((1 + at_least) / (1 + len(null)), *np.quantile(null, [0.025, 0.975]))
    tested = scalars["metric"] == "area_tv"
    columns = dict(zip(("p_value", "null_low", "null_high"), of_null, strict=True))
    return scalars.assign(**{name: np.where(tested, value, np.nan) for name, value in columns.items()}, n_p=n)


def _accuracies(owned: Owners) -> pd.DataFrame:
    rows = [("area_density_accuracy", owned.density_accuracy), ("area_knn_accuracy", owned.knn_accuracy)]
    return pd.DataFrame([row for row in rows if row[1] is not None], columns=["metric", "value"])


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
    floor = 0.5 / max(n_points, 1)
    entropy = -special.xlogy(area, area).sum() / np.log(n_classes)
    return pd.DataFrame(
        [
            ("area_entropy", entropy),
            ("area_max_min", area.max() / np.maximum(area.min(), floor)),
            ("area_tv", _unevenness(area)),
            ("classes_without_area", float((area == 0).sum()) if np.isfinite(area).all() else np.nan),
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
        share("area_density_accuracy", "accuracy of the class densities, on held-out codes", section="pspace"),
        share("area_knn_accuracy", "accuracy of nearest neighbours on the same codes", section="pspace"),
    ),
    rows=_rows,
    order=30,
)  # fmt: skip
