"""Arms that each saw some classes only: how well each notices the others, beside what has been published."""

import pandas as pd
from markupsafe import Markup

from latent_audit.data.outsiders import OTHER_CLASSES
from latent_audit.report.seed_summary import is_finite
from latent_audit.report.single_studies import SCORES
from latent_audit.report.study import Study
from latent_audit.report.tables import ABSENT, data_table

PUBLISHED = {  # by data set, class by class: Deep SVDD of Ruff et al. (2018), ICML, one-class models
    "mnist": (0.980, 0.997, 0.917, 0.919, 0.949, 0.885, 0.983, 0.946, 0.939, 0.965),
}
SOURCE = "Deep SVDD, Ruff et al. 2018"


def one_class_table(study: Study) -> Markup | None:
    """AUROC of each score, a row per arm, with its interval over seeds; None where every arm saw all classes."""
    if not study.restricted:
        return None
    rows = []
    for arm, own in study.arms.items():
        if own.get("classes"):
            found = {words: _written(study, arm, score) for score, words in SCORES.items()}
            rows.append({"arm": study.names[arm]} | found | {SOURCE: published(study.meta["dataset"], own["classes"])})
    table = pd.DataFrame(rows)
    kept = [name for name in table if not (table[name] == ABSENT).all()]
    caption = (
        f"AUROC by arm, test images of its own classes against all others: mean over {len(study.seeds)} seeds and 95% "
        "interval. The published method is another one, of the same task: no arm is expected to agree with it"
    )
    return data_table(table[kept], caption=caption)


def published(dataset: str, classes: list[int]) -> str:
    """What has been published for one class of the data set."""
    known = PUBLISHED.get(dataset, ())
    return f"{known[classes[0]]:.3f}" if len(classes) == 1 and classes[0] < len(known) else ABSENT


def _written(study: Study, arm: str, score: str) -> str:
    found = study.metrics.get(arm, {}).get(f"auroc_{score}_{OTHER_CLASSES}")
    if found is None or not is_finite(found["mean"]):
        return ABSENT
    if not (is_finite(found["low"]) and is_finite(found["high"])):
        return f"{found['mean']:.3f}"
    return "{:.3f} ({:.3f} to {:.3f})".format(*(found[key] for key in ("mean", "low", "high")))
