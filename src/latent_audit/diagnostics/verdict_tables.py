"""The answer of an audit as tables, for whoever has more than one: a study with its replicates."""

import json

import numpy as np
import pandas as pd

from latent_audit.diagnostics.verdict import Verdict, describe

VERDICT = (
    "may_sample", "sentence", "why", "metric", "where", "value", "effect", "margin", "p_holm", "n_tests", "n_differing",
    "n_mattering", "law", "law_auc", "law_gain_nats", "advice",
)  # fmt: skip


def verdict_table(verdict: Verdict, latent_dim: int) -> pd.DataFrame:
    """A verdict as one row, its sentence and the parts of it.

    Returns
    -------
    VERDICT. why : the first of what differs in words, and metric, where, value, effect, margin, p_holm of that test;
    empty where nothing differs, and where there is nothing to sample. n_tests, n_differing, n_mattering : of the
    family. law : what is fitted to the codes instead of N(0, I) ("diagonal", "gaussian", "mixture"; empty for none),
    even where it is not good enough; law_auc : how often a classifier ranks a held-out code above a draw of it;
    law_gain_nats : its mean log density of held-out codes less that of N(0, I). advice : a JSON list of sentences.
    """
    reasons, row = (
        verdict.reasons,
        dict.fromkeys(VERDICT, np.nan) | dict.fromkeys(("why", "metric", "where", "law"), ""),
    )
    row |= {"may_sample": verdict.may_sample, "sentence": verdict.sentence, "n_tests": len(reasons)}
    row |= {"n_differing": int(reasons["differs"].sum()), "n_mattering": int(reasons["matters"].sum())}
    if len(reasons) and reasons["differs"].iloc[0] and not _nothing_to_sample(verdict):
        first = reasons.iloc[0]
        row |= {name: first[name] for name in ("metric", "where", "value", "effect", "margin", "p_holm")}
        row["why"] = describe(first, latent_dim)
    if verdict.fits is not None and verdict.prior is not None:
        by = verdict.fits.set_index("law")
        law = verdict.prior.kind
        gain = by.loc[law, "log_likelihood"] - by.loc["prior", "log_likelihood"]
        row |= {"law": law, "law_auc": by.loc[law, "auc"], "law_gain_nats": gain}
    return pd.DataFrame([row | {"advice": json.dumps(verdict.advice, ensure_ascii=False)}], columns=list(VERDICT))


def _nothing_to_sample(verdict: Verdict) -> bool:
    return verdict.may_sample == "no" and verdict.fits is None
