"""Attribute vectors: the direction from the codes without an attribute to those with it, and how well it tells them.

`directions` gives the table of an audit, a row for each attribute; the measure gives the same numbers as rows of a
metric each, for studies.
"""

import warnings
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from latent_audit.base.measures import Measure, Metric, share
from latent_audit.diagnostics.rank_auc import rank_auc

if TYPE_CHECKING:
    from latent_audit.diagnostics.subject import Subject

TABLE, SECTION = "directions", "attributes"
TIDY = ("effect_size", "auc", "length", "probe_auc", "probe_cosine", "cosine_max")
PROBE_NUMBERS, PROBE_ITERATIONS = 1_000_000, 300  # rows x dimensions that a probe is fitted to
FOLDS = 2


def directions(
    codes: Float[np.ndarray, "sample latent"],
    has: Bool[np.ndarray, "sample attribute"],
    names: tuple[str, ...],
    *,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """A row for each attribute.

    direction : its name. n_with, n_without : samples. length : of the difference of means, code units. effect_size :
    the difference of means along the direction over the pooled sd (Cohen's d); auc : how often a code with the
    attribute lies further along it than one without; both of samples that the direction was not made of. probe_auc :
    the same of logistic regression, probe_cosine : its direction against the difference of means. cosine_max : the
    largest cosine, by absolute value, to another direction. cosine_<name> : to each. unit_<k> : the direction, of
    length 1.

    References
    ----------
    Larsen et al. (2016), arXiv:1512.09300, section 4.2 (difference of means); White (2016), arXiv:1609.04468.
    """
    units, lengths = zip(*(difference_of_means(codes, column) for column in has.T), strict=True)
    unit = np.stack(units)
    fold = rng.permutation(len(codes)) % FOLDS
    cosines = unit @ unit.T
    others = np.where(np.eye(len(names), dtype=bool), 0.0, cosines)
    furthest = others[np.arange(len(names)), np.abs(others).argmax(axis=1)]
    table = pd.DataFrame(
        {
            "direction": list(names),
            "n_with": has.sum(axis=0),
            "n_without": (~has).sum(axis=0),
            "length": np.array(lengths),
        }
    )
    scores = [_scores(codes, column, own, fold) for column, own in zip(has.T, unit, strict=True)]
    table = pd.concat([table, pd.DataFrame(scores)], axis=1)
    table["cosine_max"] = furthest if len(names) > 1 else np.nan
    wide = {f"cosine_{name}": cosines[:, k] for k, name in enumerate(names)}
    wide |= {f"unit_{j}": unit[:, j] for j in range(unit.shape[1])}
    return pd.concat([table, pd.DataFrame(wide)], axis=1)


def tidy(table: pd.DataFrame) -> pd.DataFrame:
    """Rows direction, metric, value of the table of `directions`."""
    return table.melt("direction", value_vars=list(TIDY), var_name="metric", value_name="value")


def difference_of_means(codes: np.ndarray, has: np.ndarray) -> tuple[np.ndarray, float]:
    """Mean of the codes with an attribute minus that of the others: as a unit vector (or 0), and its length."""
    vector = codes[has].mean(axis=0) - codes[~has].mean(axis=0)
    length = float(np.linalg.norm(vector))
    return (vector / length if length > 0 else vector), length


def _scores(codes: np.ndarray, has: np.ndarray, unit: np.ndarray, fold: np.ndarray) -> dict[str, float]:
    """Means over folds, each scored along what the others give; folds without two of each kind are passed over."""
    rows = []
    for held in range(FOLDS):
        given, unseen = fold != held, fold == held
        if min(has[given].sum(), (~has[given]).sum(), has[unseen].sum(), (~has[unseen]).sum()) < 2:
            continue
        along = codes[unseen] @ difference_of_means(codes[given], has[given])[0]
        probe = probe_normal(codes[given], has[given])
        rows.append(
            (
                _cohens_d(along, has[unseen]),
                rank_auc(along, has[unseen]),
                rank_auc(codes[unseen] @ probe, has[unseen]),
            )
        )
    effect, auc, probe_auc = np.mean(rows, axis=0) if rows else (np.nan, np.nan, np.nan)
    probe, norm = probe_normal(codes, has), np.linalg.norm(unit)
    length = np.linalg.norm(probe) * norm
    cosine = float(probe @ unit / length) if length > 0 else float("nan")
    return {"effect_size": effect, "auc": auc, "probe_auc": probe_auc, "probe_cosine": cosine}


def _cohens_d(along: np.ndarray, has: np.ndarray) -> float:
    with_it, without = along[has], along[~has]
    n = len(along)
    pooled = np.sqrt((len(with_it) * with_it.var() + len(without) * without.var()) / (n - 2))
    distance = with_it.mean() - without.mean()
    if pooled > 0:
        return float(distance / pooled)
    return 0.0 if distance == 0 else float("inf")


def probe_normal(codes: np.ndarray, has: np.ndarray) -> np.ndarray:
    """The normal of logistic regression on standardised codes, in code units; 0 where no dimension varies."""
    most = max(500, PROBE_NUMBERS // codes.shape[1])
    step = max(1, -(-len(codes) // most))
    part = slice(None, None, step) if min(has[::step].sum(), (~has[::step]).sum()) >= 2 else slice(None)
    spread = codes[part].std(axis=0)
    if not (spread > 0).any():
        return np.zeros(codes.shape[1])
    scale = np.where(spread > 0, spread, 1.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        fitted = LogisticRegression(max_iter=PROBE_ITERATIONS).fit(
            (codes[part] - codes[part].mean(axis=0)) / scale, has[part]
        )
    return fitted.coef_[0] / scale


def of_attributes(names: Iterable[str]) -> tuple[Metric, ...]:
    """The metrics of the measure for each attribute, as summaries name them: `auc_Smiling`; of plain names."""
    plain = [name for name in dict.fromkeys(map(str, names)) if f"auc_{name}".isidentifier()]
    return tuple(metric.of(name, f", {name.replace('_', ' ')}") for name in plain for metric in MEASURE.metrics)


def of_subject(subject: "Subject") -> pd.DataFrame:
    """The table of an audit's codes and attributes."""
    assert subject.attributes is not None
    attributes = subject.attributes
    return directions(subject.codes.values, attributes.has, attributes.names, rng=subject.rng(TABLE))


def _rows(subject: "Subject") -> pd.DataFrame:
    return tidy(of_subject(subject))


MEASURE = Measure(
    "directions",
    needs=frozenset({"attributes"}),
    metrics=(
        Metric("effect_size", "distance of the codes with an attribute from those without, along its direction",
               "pooled sd", section=SECTION, title="effect size", sentence="Cohen’s d of samples that the "
               "direction was not made of"),
        share("auc", "how often a code with the attribute lies further along its direction than one without", unit="",
              better="higher", section=SECTION, title="AUC along the direction"),
        Metric("length", "length of the attribute’s direction", "code units", 0.0, section=SECTION),
        share("probe_auc", "the same along the direction of a linear probe", unit="", better="higher", section=SECTION,
              title="AUC, linear probe"),
        Metric("probe_cosine", "cosine of the direction of a linear probe to the difference of means", low=-1.0,
               high=1.0, section=SECTION),
        Metric("cosine_max", "cosine to the most similar other direction", low=-1.0, high=1.0, section=SECTION),
    ),
    rows=_rows,
    table=TABLE,
    qualifier="direction",
    order=250,
)  # fmt: skip
