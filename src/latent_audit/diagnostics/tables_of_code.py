"""The tables of one code, from its values alone and its labels: what needs no posterior."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from latent_audit.base.randomness import rng_for
from latent_audit.diagnostics.classes import ClassAreas, class_areas
from latent_audit.diagnostics.coverage import bounds
from latent_audit.diagnostics.goodness_of_fit import ks_statistic
from latent_audit.diagnostics.joint import joint
from latent_audit.diagnostics.separability import separability
from latent_audit.diagnostics.transforms import fit_affine
from latent_audit.diagnostics.univariate import per_dimension
from latent_audit.diagnostics.wasserstein import w1_to_normal

MOST_TO_SPLIT = 100_000  # of more, a seeded part is halved to tell the classes apart
ROWS_TO_SPLIT = 40  # two halves of 20, the least that a diagnostic takes
_VALUES_AT_ONCE = 2**22


@dataclass(frozen=True)
class AuditSettings:
    """What an audit may be told: neighbours and grid of the class maps, size of the calibration.

    unit_counts : rows `active_units` and `collapsed_units` in joint, for codes with mu and logvar. The pipeline counts
        active units over per_dim itself.
    """

    neighbours: int = 15
    grid: int = 200
    null_draws: int = 199
    null_rows: int = 1000
    unit_counts: bool = True


class CodeTables(NamedTuple):
    """The tables of one code (mu or z), not yet told which; those that could not be made are None. See AuditTables."""

    per_dim: pd.DataFrame
    joint: pd.DataFrame
    transforms: pd.DataFrame
    classes: pd.DataFrame | None
    separability: pd.DataFrame | None
    class_map: np.ndarray | None


def code_tables(
    x: np.ndarray,
    labels: np.ndarray | None,
    reference: tuple[np.ndarray, np.ndarray] | None,
    dims: tuple[int, int],
    seed: int,
    settings: AuditSettings,
    report_step: Callable[[str], None],
) -> CodeTables:
    """Everything about one code that does not need the posterior; the streams are the same for mu and z.

    Parameters
    ----------
    x : (sample, latent) codes, checked; labels : (sample,) classes or None.
    reference : codes and labels to fit the k-NN and the linear probe on; None takes a seeded half of each class.
    dims : the two dimensions of the class map; report_step : is told what comes next.
    """
    n, latent_dim = x.shape
    rng = {name: rng_for(seed, "audit", name) for name in ("per_dim", "joint", "classes", "probe")}
    report_step(f"{latent_dim:,} dimension{'s' * (latent_dim > 1)} one by one, {n:,} rows")
    dimensions = per_dimension(x, rng=rng["per_dim"])
    report_step(f"all dimensions together; chance from {settings.null_draws} draws of {min(n, settings.null_rows):,}")
    rows = _joint_rows(x, settings, seed, rng["joint"])
    transforms = _transform_rows(x, dimensions)
    areas: ClassAreas | None = None
    scores = None
    if labels is not None:
        report_step(f"areas of {len(np.unique(labels)):,} classes, and how well they can be told apart")
        areas = class_areas(
            x, labels, rng=rng["classes"], neighbours=settings.neighbours, grid=settings.grid, dims=dims
        )
        rows = pd.concat([rows, areas.scalars], ignore_index=True)
        fitted = _halves(x, labels, rng["probe"])
        if reference is not None:
            fitted = (np.asarray(reference[0], dtype=np.float64), np.asarray(reference[1]), x, labels)
        if fitted is not None:
            neighbours = min(settings.neighbours, len(fitted[0]))
            scores = separability(*fitted, rng=rng["probe"], neighbours=neighbours)
    named = None if areas is None else _named(areas.table)
    return CodeTables(dimensions, rows, transforms, named, scores, None if areas is None else areas.label_map)


def _joint_rows(x: np.ndarray, settings: AuditSettings, seed: int, rng: np.random.Generator) -> pd.DataFrame:
    rows = joint(x, rng=rng, calibration_rows=settings.null_rows, draws=settings.null_draws, null_seed=seed)
    reach = bounds(x)
    expected = reach.loc[reach["metric"] == "max_abs_z", "expected"].item()
    extra = [("expected_max_abs_z", expected), ("mean_norm", float(np.linalg.norm(x, axis=1).mean()))]
    scalars = pd.DataFrame(extra, columns=["metric", "value"])
    return pd.concat([rows, reach.drop(columns="expected"), scalars], ignore_index=True)


def _transform_rows(x: np.ndarray, raw: pd.DataFrame) -> pd.DataFrame:
    """How far the code is from N(0, 1) per dimension, as it is, standardised, and whitened: the fair hearing."""
    rows = [("raw", "ks_d_max", raw["ks_d"].max()), ("raw", "w1_max", raw["w1"].max())]
    width = max(1, _VALUES_AT_ONCE // len(x))
    for transform in ("standardised", "whitened"):
        affine = fit_affine(x, transform)
        if affine.rank == 0:
            continue
        ks_d, w1 = 0.0, 0.0
        for start in range(0, affine.rank, width):
            ordered = np.sort((x - affine.mean) @ affine.matrix[:, start : start + width], axis=0)
            ks_d, w1 = max(ks_d, ks_statistic(ordered).max()), max(w1, w1_to_normal(ordered).max())
        rows += [(transform, "ks_d_max", ks_d), (transform, "w1_max", w1)]
    return pd.DataFrame(rows, columns=["transform", "metric", "value"])


def _halves(
    x: np.ndarray, labels: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray] | None:
    """A random half of each class to fit on, the other to score; None where the halves would say nothing."""
    names, index = np.unique(labels, return_inverse=True)
    order = rng.permutation(len(x))[:MOST_TO_SPLIT]
    if len(x) < ROWS_TO_SPLIT or (np.bincount(index[order], minlength=len(names)) >= 2).sum() < 2:
        return None
    by_class = order[np.argsort(index[order], kind="stable")]
    first, second = np.sort(by_class[::2]), np.sort(by_class[1::2])
    return x[first], labels[first], x[second], labels[second]


def _named(table: pd.DataFrame) -> pd.DataFrame:
    """`label` as an integer and `class_name` as text: whole numbers are their own label, other names are counted."""
    names = table["label"].to_numpy()
    whole = names.dtype.kind in "iu" or (names.dtype.kind == "f" and (names == np.round(names)).all())
    numbers = names.astype(np.int64) if whole else np.arange(len(names))
    texts = [str(number) for number in numbers] if whole else [str(name) for name in names]
    table = table.assign(label=numbers)
    table.insert(1, "class_name", pd.Series(texts, dtype=object))
    return table
