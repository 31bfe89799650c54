"""The report in a few numbers, as JSON inside the page: what an index of reports or a script can read without HTML."""

from collections.abc import Mapping
from math import isfinite
from typing import Any

from markupsafe import Markup

from latent_audit.report import verdicts
from latent_audit.report.answer import headline
from latent_audit.report.explorer import script_json
from latent_audit.report.study import Study, beta_words

INTERVALS = ("ks_d_max", "hole_fraction")  # each with `_low` and `_high`, the 95% interval over seeds, and `_values`
MEANS = ("recon_nll", "knn_accuracy", "fd_clf_prior", "fd_clf_gmm", "fd_random_prior", "fd_random_gmm")


def summary(study: Study, *, reduced: bool, picture: str | None = None) -> Markup:
    """JSON that cannot end its script: what an index shows of a report, and its headline numbers.

    dataset; study, the overlay of params/ that made it, and title, what its page is headed by (null where there is
    none); headline, the answer in a sentence (null for reduced data); picture, a data URI; reduced; seeds; verdicts
    (counts); arms; measures (label, unit).

    Each arm has name, arm, weight (in words), beta, beta_kl, and from `study.metrics` the mean over seeds of INTERVALS
    and MEANS, with `<metric>_low` and `<metric>_high` of INTERVALS; null where there is none. `<metric>_values`: the
    seeds, where they are to be shown one by one, else null. beta multiplies the mean pixel loss, beta_kl the KL.
    """
    return script_json(
        {
            "dataset": study.meta["dataset"],
            "study": study.overlay,
            "title": study.params.get("title"),
            "headline": None if reduced else "".join(part.words for part in headline(study)),
            "picture": picture,
            "reduced": reduced,
            "seeds": list(study.seeds),
            "verdicts": verdicts.tally(study),
            "arms": [_arm(study, arm) for arm in study.arms],
            "measures": {
                name: {"label": study.measures[name].label, "unit": study.measures[name].unit}
                for name in (*INTERVALS, *MEANS)
                if name in study.measures
            },
        }
    )


def _arm(study: Study, arm: str) -> dict[str, Any]:
    described, metrics = study.arms[arm], study.metrics.get(arm, {})
    found = {
        "arm": arm,
        "name": study.names[arm],
        "weight": beta_words(described),
        "beta": described["beta"],
        "beta_kl": described["beta_kl"],
    }
    for metric in INTERVALS:
        for end, key in (("", "mean"), ("_low", "low"), ("_high", "high")):
            found[metric + end] = _number(metrics.get(metric), key)
        entry = metrics.get(metric, {})
        found[f"{metric}_values"] = entry["values"] if entry.get("by_values") else None
    return found | {metric: _number(metrics.get(metric), "mean") for metric in MEANS}


def _number(entry: Mapping[str, Any] | None, key: str) -> float | None:
    value = None if entry is None else entry[key]
    return None if value is None or not isfinite(value) else float(value)
