"""Attribute vectors of a trained decoder: what adding one changes, analogies, and morphs from one image to another.

A classifier of real pictures says which attributes a decoded one has.
"""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float

from latent_audit.base.measures import Measure, Metric, share
from latent_audit.decoding.attribute_arithmetic import (
    PROBE,
    Analogy,
    analogies,
    changes,
    directions_of,
    effect_table,
    great_circle_middle,
    halves_of,
    kept_ends,
    leakage,
)
from latent_audit.decoding.attribute_judge import (
    LEAST_AUC,
    MOST_IMAGES,
    Attributes,
    Judge,
    enough,
    fit_judge,
    inputs_of,
)
from latent_audit.decoding.conditioned import is_conditional, is_discrete
from latent_audit.decoding.decode import decode
from latent_audit.decoding.generation import judge

if TYPE_CHECKING:
    from latent_audit.decoding.subject import DecoderSubject

SECTION = "attributes"
PREFERRED = ("Smiling", "Eyeglasses", "Blond_Hair", "Male", "Young", "Bangs", "Mustache", "Wearing_Hat")
MOST_CHOSEN = len(PREFERRED)  # of whose directions anything is asked; leakage is asked of all that can be judged
MOVED = 128  # codes of test images to which directions are added
REDRAWN = 2_000  # test images, whose reconstructions say from which score on an arm's picture has an attribute
PAIRS = 128  # of test images that are joined


class AttributeStudy(NamedTuple):
    """names : the attributes that are judged; chosen : those whose directions are added. effects : see `effect_table`.
    middles : how the middle was made -> (distance to its ends over that of a chance pair, share nearer to its own)."""

    names: tuple[str, ...]
    chosen: tuple[str, ...]
    told: Judge
    effects: pd.DataFrame
    analogies: list[Analogy]
    middles: dict[str, tuple[float, float]]


def chosen_of(names: tuple[str, ...]) -> tuple[str, ...]:
    """Those of PREFERRED that are there; where none is, the first."""
    return tuple(name for name in PREFERRED if name in names) or names[:MOST_CHOSEN]


def judge_of(subject: "DecoderSubject", attributes: Attributes) -> tuple[Attributes, Judge]:
    """The judge, and the attributes that it can tell on real test pictures."""
    rows = np.sort(subject.rng("attributes", "rows").permutation(len(subject.images["train"]))[:MOST_IMAGES])
    train, test = (
        inputs_of(subject.critic, images, device=subject.device)
        for images in (subject.images["train"][rows], subject.images["test"])
    )
    told = fit_judge(
        train, attributes.has["train"][rows], test, attributes.has["test"], rng=subject.rng("attributes", "judge")
    )
    kept = told.auc >= LEAST_AUC
    return attributes.only(kept), told.only(kept)


def study_of(subject: "DecoderSubject") -> AttributeStudy | None:
    """Everything that is asked of attributes; None where a code alone has no image, or no attribute can be judged."""
    if subject.attributes is None or is_conditional(subject.model) or is_discrete(subject.model):
        return None
    attributes = enough(subject.attributes)
    if not attributes.names:
        return None
    attributes, told = judge_of(subject, attributes)
    if not attributes.names:
        return None

    def score(z: np.ndarray) -> np.ndarray:
        return told.scores(
            inputs_of(subject.critic, decode(subject.model, z, device=subject.device), device=subject.device)
        )

    chosen = chosen_of(attributes.names)
    columns = [attributes.names.index(name) for name in chosen]
    mu, train_mu = (subject.codes[name].astype(np.float64) for name in ("mu", "train_mu"))
    found = directions_of(train_mu, attributes.has["train"][:, columns])
    redrawn = np.sort(subject.rng("attributes", "redrawn").permutation(len(mu))[:REDRAWN])
    half = halves_of(score(mu[redrawn]), attributes.has["test"][redrawn])
    picked = np.sort(subject.rng("attributes", "moved").permutation(len(mu))[:MOVED])
    return AttributeStudy(
        attributes.names,
        chosen,
        told,
        effect_table(mu[picked], chosen, found, attributes.names, score),
        analogies(mu, attributes, "test", chosen, score, half, rng=subject.rng("attributes", "analogies")),
        _middles(subject, mu),
    )


def _middles(subject: "DecoderSubject", mu: Float[np.ndarray, "sample latent"]) -> dict[str, tuple[float, float]]:
    """Of `straight` lines and on the great `circle`, between disjoint pairs of test images."""
    n = min(PAIRS, len(mu) // 2)
    first, second = mu[subject.rng("attributes", "pairs").permutation(len(mu))[: 2 * n]].reshape(2, n, -1)

    def features(z: np.ndarray) -> np.ndarray:
        images = decode(subject.model, z, device=subject.device)
        return judge(subject.critic, images, device=subject.device).features

    ends = features(first), features(second)
    middles = {"straight": (first + second) / 2, "circle": great_circle_middle(first, second)}
    return {name: kept_ends(features(middle), *ends) for name, middle in middles.items()}


def tidy(study: AttributeStudy) -> pd.DataFrame:
    """Rows metric value of: of every attribute by its name, of analogies `<attribute>_<other>`, and `raw` over all."""
    rows = []

    def add(metric: str, of: dict[str, float]) -> None:
        values = [value for value in of.values() if np.isfinite(value)]
        rows.extend((metric, value, name) for name, value in of.items())
        rows.append((metric, float(np.mean(values)) if values else float("nan"), "raw"))

    by_means, by_probe = changes(study.effects), changes(study.effects, PROBE)
    add("attribute_effect", {name: float(by_means.loc[name, name]) for name in study.chosen})
    add("probe_effect", {name: float(by_probe.loc[name, name]) for name in study.chosen})
    add("leakage", leakage(by_means, np.max))
    add("leakage_probe", leakage(by_probe, np.max))
    add("leakage_mean", leakage(by_means, np.mean))
    add("judge_auc", dict(zip(study.names, study.told.auc.tolist(), strict=True)))
    add("judge_accuracy", dict(zip(study.names, study.told.accuracy.tolist(), strict=True)))
    if study.analogies:
        add("analogy_success", {f"{one.attribute}_{one.other}": one.success for one in study.analogies})
        add("analogy_chance", {f"{one.attribute}_{one.other}": one.chance for one in study.analogies})
    for name, (distance, nearer) in study.middles.items():
        rows += [(f"middle_{name}", distance, "raw"), (f"own_ends_{name}", nearer, "raw")]
    return pd.DataFrame(rows, columns=["metric", "value", "of"]).dropna(subset="value", ignore_index=True)


def _rows(subject: "DecoderSubject") -> pd.DataFrame | None:
    study = subject.attribute_study
    return None if study is None else tidy(study)


def _described() -> tuple[Metric, ...]:
    gap = "real gaps"
    means = "mean over attributes"
    straight, circle = "on the straight line", "on the great circle"
    return (
        Metric("attribute_effect", f"change of an attribute as its vector is added −2 to 2 times, {means}", gap,
               section=SECTION, better="higher", sentence="1 is how far real pictures with an attribute lie from those "
               "without"),
        Metric("probe_effect", "the same along the direction of a linear probe", gap, section=SECTION, better="higher"),
        share("leakage", f"leakage onto the other attribute that changes most, {means}", unit="", better="lower",
              section=SECTION, sentence="o / (a + o) of its change o and that of the asked attribute, a: 0 none, ½ as "
              "much"),
        share("leakage_probe", "the same along the direction of a linear probe", unit="", better="lower",
              section=SECTION),
        share("leakage_mean", f"leakage onto the other attributes on average, {means}", unit="", better="lower",
              section=SECTION),
        share("judge_auc", f"AUC of the judge of attributes on real test pictures, {means}", unit="", better="higher",
              section=SECTION),
        share("judge_accuracy", f"its balanced accuracy there, {means}", better="higher", section=SECTION),
        share("analogy_success", "analogies that come out, mean over pairs of attributes", better="higher",
              section=SECTION, sentence="a picture with glasses and male, less one without glasses, plus one with "
              "neither, has glasses and is not male"),
        share("analogy_chance", "the same of pictures dealt out anew", section=SECTION),
        *(Metric(f"middle_{name}", f"distance of a morph’s middle, {words}, to its ends over that of a chance pair",
                 low=0.0, better="lower", section=SECTION)
          for name, words in (("straight", straight), ("circle", circle))),
        *(share(f"own_ends_{name}", f"middles, {words}, nearer to their own ends than to another pair’s",
                better="higher", section=SECTION)
          for name, words in (("straight", straight), ("circle", circle))),
    )  # fmt: skip


MEASURE = Measure(
    "attribute_directions",
    needs=frozenset({"decoder", "train", "attributes"}),
    metrics=_described(),
    rows=_rows,
    table="attributes",
    qualifier="of",
    order=252,
)
