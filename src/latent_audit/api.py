"""The audit of one set of codes, whoever made them: plain arrays in, tidy tables out.

The pipeline's `diagnose` stage and the command `latent-audit audit` call this and nothing else for what they report
about codes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from latent_audit.diagnostics.classes import ClassAreas, class_areas
from latent_audit.diagnostics.coverage import bounds
from latent_audit.diagnostics.joint import joint
from latent_audit.diagnostics.multiplicity import adjust
from latent_audit.diagnostics.separability import separability
from latent_audit.diagnostics.transforms import fit_affine
from latent_audit.diagnostics.univariate import per_dimension
from latent_audit.errors import InputError
from latent_audit.randomness import rng_for


@dataclass(frozen=True)
class AuditSettings:
    """What an audit may be told: neighbours and grid of the class maps, size of the calibration."""

    neighbours: int = 15
    grid: int = 200
    null_draws: int = 199
    null_rows: int = 1000


class AuditTables(NamedTuple):
    """The tables of an audit; `classes` and `class_map` are None without labels, `separability` without a fit to score.

    per_dim : a row per code (mu, z) and dimension. joint : a row per code and metric. transforms : rows code,
    transform (raw, standardised, whitened), metric, value. classes : a row per code and class.
    class_map : label index over the unit square of z (row 0 = small second coordinate).
    """

    per_dim: pd.DataFrame
    joint: pd.DataFrame
    transforms: pd.DataFrame
    classes: pd.DataFrame | None
    separability: pd.DataFrame | None
    class_map: np.ndarray | None


def audit(
    z: np.ndarray,
    *,
    mu: np.ndarray | None = None,
    logvar: np.ndarray | None = None,
    labels: np.ndarray | None = None,
    train: Mapping[str, np.ndarray] | None = None,
    dims: tuple[int, int] = (0, 1),
    seed: int = 0,
    settings: AuditSettings = AuditSettings(),
) -> AuditTables:
    """Audit codes against N(0, I).

    Parameters
    ----------
    z : (sample, latent) codes: one draw from q(z|x) per sample, or a deterministic code.
    mu, logvar : (sample, latent) posterior means and log variances of a VAE, for the rows of `mu` and the exact
        decomposition of the KL.
    labels : (sample,) classes, integers or strings.
    train : arrays `z`, `labels` (and `mu`) to fit the k-NN and the linear probe on; without it a seeded half of the
        codes themselves is used.
    dims : the two dimensions that the unit square shows where there are more.
    seed : of every draw; the same seed gives the same tables.

    Raises
    ------
    InputError : wrong shapes, NaN or infinite values (which rows and columns), fewer than 20 rows, one class only.
    """
    codes = {"z": z} if mu is None else {"mu": mu, "z": z}
    _check_shapes(z, mu, logvar, labels)
    per_dim, joints, transforms, classes, separations = [], [], [], [], []
    areas: ClassAreas | None = None
    for code, values in codes.items():
        values = np.asarray(values, dtype=np.float64)
        streams = {
            name: rng_for(seed, "audit", name) for name in ("per_dim", "joint", "transforms", "classes", "probe")
        }
        per_dim.append(per_dimension(values, rng=streams["per_dim"]).assign(code=code))
        joints.append(_joint_rows(values, settings, seed, streams["joint"]).assign(code=code))
        transforms.append(_transform_rows(values, streams["transforms"]).assign(code=code))
        if labels is not None:
            areas = class_areas(
                values, labels, rng=streams["classes"], neighbours=settings.neighbours, grid=settings.grid, dims=dims
            )
            classes.append(areas.table.assign(code=code))
            joints.append(areas.scalars.assign(code=code))
            fitted = _halves(values, labels, streams["probe"])
            if train is not None:
                fitted = (np.asarray(train[code], dtype=np.float64), train["labels"], values, labels)
            scores = separability(*fitted, rng=streams["probe"], neighbours=settings.neighbours)
            separations.append(scores.assign(code=code))
    return AuditTables(
        per_dim=adjust(_code_first(per_dim), by="code"),
        joint=_code_first(joints),
        transforms=_code_first(transforms),
        classes=_code_first(classes) if classes else None,
        separability=_code_first(separations) if separations else None,
        class_map=None if areas is None else areas.label_map,
    )


def _check_shapes(z: np.ndarray, mu: np.ndarray | None, logvar: np.ndarray | None, labels: np.ndarray | None) -> None:
    for name, array in (("mu", mu), ("logvar", logvar)):
        if array is not None and np.shape(array) != np.shape(z):
            raise InputError(f"audit: {name} has shape {np.shape(array)} and z {np.shape(z)}; they must be equal")
    if logvar is not None and mu is None:
        raise InputError("audit: logvar was given without mu; give both or neither")
    if labels is not None and len(labels) != len(z):
        raise InputError(f"audit: {len(labels)} labels for {len(z)} codes; give one label per row, in the same order")


def _joint_rows(x: np.ndarray, settings: AuditSettings, seed: int, rng: np.random.Generator) -> pd.DataFrame:
    rows = joint(x, rng=rng, calibration_rows=settings.null_rows, draws=settings.null_draws, null_seed=seed)
    reach = bounds(x)
    expected = reach.loc[reach["metric"] == "max_abs_z", "expected"].item()
    extra = [("expected_max_abs_z", expected), ("mean_norm", float(np.linalg.norm(x, axis=1).mean()))]
    scalars = pd.DataFrame(extra, columns=["metric", "value"])
    return pd.concat([rows, reach[["metric", "value"]], scalars], ignore_index=True)


def _transform_rows(x: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
    """How far the code is from N(0, 1) per dimension, as it is, standardised, and whitened: the fair hearing."""
    rows = []
    for transform in ("raw", "standardised", "whitened"):
        mapped = fit_affine(x, transform)(x)
        if mapped.shape[1] == 0:
            continue
        table = per_dimension(mapped, rng=rng)
        rows += [(transform, "ks_d_max", table["ks_d"].max()), (transform, "w1_max", table["w1"].max())]
    return pd.DataFrame(rows, columns=["transform", "metric", "value"])


def _halves(
    x: np.ndarray, labels: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    order = rng.permutation(len(x))
    first, second = np.sort(order[: len(x) // 2]), np.sort(order[len(x) // 2 :])
    return x[first], np.asarray(labels)[first], x[second], np.asarray(labels)[second]


def _code_first(tables: list[pd.DataFrame]) -> pd.DataFrame:
    table = pd.concat(tables, ignore_index=True)
    return table[["code", *(column for column in table.columns if column != "code")]]
