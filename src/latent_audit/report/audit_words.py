"""An audit in words: the answer, what each figure of it shows, and the statistics by plain names."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
import pandas as pd

from latent_audit.figures.dimensions import dimension_words, names_of
from latent_audit.report import kl_words
from latent_audit.report.tables import number, percent, set_number

# The study's margins (diagnostics.margins): from here on a departure counts as large.
HOLES_MATTER, KS_MATTERS = 0.05, 0.05
NO_AREAS = "Areas beyond the plane shown are not given:"


class Told(Protocol):
    """What is read of a verdict (`diagnostics.verdict.Verdict`)."""

    @property
    def may_sample(self) -> str:
        """prior, fitted, no or undecided."""
        ...

    @property
    def sentence(self) -> str:
        """The answer."""
        ...

    @property
    def advice(self) -> tuple[str, ...]:
        """What to do next."""
        ...

    @property
    def reasons(self) -> pd.DataFrame:
        """A row per test."""
        ...


class Spread(Protocol):
    """What is read of `diagnostics.principal_axes.PrincipalAxes`: sd along the principal axes, and chance's."""

    @property
    def sd(self) -> np.ndarray:
        """(latent,), the widest first."""
        ...

    @property
    def low(self) -> float:
        """Of true draws the narrowest."""
        ...

    @property
    def high(self) -> float:
        """Of true draws the widest."""
        ...

    @property
    def widest(self) -> tuple[int, ...]:
        """The dimensions that the widest axis is made of."""
        ...

    @property
    def narrowest(self) -> tuple[int, ...]:
        """The same of the narrowest."""
        ...


class View(NamedTuple):
    """What the words are about: code z, with its chance.

    about : audit.json. per_dim : rows of z. joint : metric -> its row, of z. transforms, classes, separability : rows
    of z, None where there are none. ks_chance : KS D that the worst of so many dimensions of true draws stays below in
    97.5% of cases. drawn : dimensions (from 0) whose histograms are shown, in order. tests : p columns of per_dim.
    verdict : the answer and what it rests on. axes : the spread along the principal axes. radius : the median
    distance of the codes from 0, and that of draws from N(0, I).
    """

    about: Mapping[str, Any]
    per_dim: pd.DataFrame
    joint: Mapping[str, Mapping[str, Any]]
    transforms: pd.DataFrame
    classes: pd.DataFrame | None
    separability: Mapping[str, float] | None
    ks_chance: float
    drawn: Sequence[int]
    tests: Sequence[str]
    verdict: "Told"
    axes: "Spread"
    radius: tuple[float, float]

    @property
    def worst(self) -> Mapping[str, Any]:
        """The row of the dimension furthest from N(0, 1) by KS D."""
        rows = self.per_dim.to_dict("records")
        return max(rows, key=lambda row: row["ks_d"])


def answer(view: View) -> list[str]:
    """A headline, then what it rests on: each dimension, all together, holes, the KL, the classes; with numbers."""
    return [
        view.verdict.sentence,
        _dimensions(view),
        _together(view),
        _holes(view),
        *([kl_words.posterior(view.joint, len(view.per_dim))] if "index_code_mi" in view.joint else []),
        *([_classes(view, view.classes)] if view.classes is not None else []),
    ]


def _dimensions(view: View) -> str:
    worst, rows = view.worst, view.per_dim
    n_far, n_rejected = int((rows["ks_d"] >= KS_MATTERS).sum()), int((rows["ks_p_holm"] < 0.05).sum())
    n_tested = int(rows["ks_p"].notna().sum())
    spread = f"with mean {number(worst['mean'])} and standard deviation {number(worst['std'])}"
    chance = f"(0 to 1; chance alone stays below {number(view.ks_chance)})"
    if len(rows) == 1 and not n_tested:
        return f"N(0, 1)? The KS distance is {number(worst['ks_d'])} {chance}, {spread}.{_ties(view)}"
    if len(rows) == 1:
        said = "rejects" if n_rejected else "does not reject"
        return (
            f"N(0, 1)? The KS distance is {number(worst['ks_d'])} {chance}, {spread}; KS {said} it at 5% "
            f"(p {number(worst['ks_p'], 2)})."
        )
    furthest = dimension_words(int(worst["dim"]), names_of(rows))
    return (
        f"Is each dimension N(0, 1)? Furthest is {furthest}, at a KS distance of {number(worst['ks_d'])} {chance}, "
        f"{spread}. {n_far} of {len(rows)} are {set_number(KS_MATTERS)} or further away; KS rejects {n_rejected} of "
        f"{n_tested} at 5% (Holm).{_ties(view)}"
    )


def _ties(view: View) -> str:
    """A sentence on the dimensions whose values repeat too often for a continuous law; "" where there are none."""
    rows = view.per_dim
    tied = rows[rows["ks_p"].isna()].to_dict("records")
    if not tied:
        return ""
    about = f"({number(tied[0]['distinct'])} different values in {number(tied[0]['n'])} codes, {tied[0]['kind']})"
    first = dimension_words(int(tied[0]["dim"]), names_of(rows))
    if len(rows) == 1:
        who = f"It is no draw of a continuous law {about}"
    elif len(tied) == 1:
        who = f"{first[:1].upper()}{first[1:]} is no draw of a continuous law {about}"
    else:
        who = f"{len(tied)} of {len(rows)} are no draws of a continuous law, such as {first} {about}"
    return f" {who}: not N(0, 1) for certain, and no p of KS, CvM, AD or Shapiro is given there."


def _together(view: View) -> str:
    energy, radius = view.joint["energy_d2"], view.joint["radius_ks"]
    reasons = view.verdict.reasons
    question = "All dimensions together" if len(view.per_dim) > 1 else "By other measures"
    return (
        f"{question}? The squared energy distance to N(0, I) is {number(energy['value'])}, where true draws give "
        f"{_band(energy)} (p {number(energy['p_value'], 2)}); the codes’ distances from 0 are off by "
        f"{number(radius['value'])} (KS), where true draws give {_band(radius)}. {int(reasons['differs'].sum())} of "
        f"{len(reasons)} tests, of single dimensions and of all together, reject N(0, I) at 5% (Holm)."
    )


def _holes(view: View) -> str:
    holes, mass = view.joint["hole_fraction"], view.joint["hole_mass"]
    place = "" if np.isfinite(holes["value"]) else " in the emptiest plane that was found"
    emptiness = (
        f"Holes? {percent(mass['value'])} of N(0, I) is short of codes{place}: there are fewer than half of those that "
        f"it would put there (true draws, as many: up to {percent(mass['null_high'])})."
    )
    if not np.isfinite(holes["value"]):
        return emptiness + " Balls are not counted beyond three dimensions, where they say nothing."
    return (
        f"{emptiness} By the count of balls, a draw from N(0, I) lands where none of {number(int(holes['n_p']))} codes "
        f"is near in {percent(holes['value'])} of cases; true draws, as many, would leave {percent(holes['null_low'])} "
        f"to {percent(holes['null_high'])}."
    )


def _classes(view: View, classes: pd.DataFrame) -> str:
    text = f"Classes? {_areas(view, classes)}"
    scores = view.separability
    if scores is not None:
        knn, probe, commonest = (
            percent(scores[metric]) for metric in ("knn_accuracy", "linear_probe_accuracy", "majority_accuracy")
        )
        text += (
            f" Nearest neighbours read the class from z in {knn} of cases, a linear probe in {probe}, always naming "
            f"the commonest in {commonest}."
        )
    return text


def _areas(view: View, classes: pd.DataFrame) -> str:
    """Who owns how much of the prior, and whether shuffled labels would be as uneven; or why nobody can say."""
    if classes["area"].isna().any():
        return f"{NO_AREAS} {_no_density(view)}"
    most, least = classes.loc[classes["area"].idxmax()], classes.loc[classes["area"].idxmin()]
    is_ = "nearest to" if len(view.per_dim) <= 2 else "most probably of"
    uneven = view.joint["area_tv"]
    more = "more than" if uneven["p_value"] <= 0.05 else "no more than"
    return (
        f"A draw from N(0, I) is {is_} “{most['class_name']}” in {percent(most['area'])} of cases and “"
        f"{least['class_name']}” in {percent(least['area'])}. For equal areas {percent(uneven['value'])} of it would "
        f"have to change hands, {more} with labels dealt out at random ({percent(uneven['null_low'])} to "
        f"{percent(uneven['null_high'])}; p {number(uneven['p_value'], 2)})."
    )


def _no_density(view: View) -> str:
    if "area_density_accuracy" not in view.joint:
        return "no density of each class can be fitted to so many dimensions or to codes without spread."
    own, nearest = (percent(view.joint[f"area_{of}_accuracy"]["value"]) for of in ("density", "knn"))
    return (
        f"no density fits: a Gaussian per class reads {own} of held-out codes right, nearest neighbours {nearest}; and "
        "by nearest neighbours alone a class that lies a little closer together would own almost everything."
    )


def outside(row: Mapping[str, Any]) -> bool:
    """Whether a statistic lies outside its band of true draws; False where there is no band."""
    return bool(row["value"] < row["null_low"] or row["value"] > row["null_high"])


def _band(row: Mapping[str, Any]) -> str:
    return f"{number(row['null_low'])} to {number(row['null_high'])}"
