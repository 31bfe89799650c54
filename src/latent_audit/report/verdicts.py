"""The top of the page: each claim with its verdicts, what is left of them after a correction, the arms at a glance."""

import json
import re
from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any, NamedTuple

import pandas as pd
from markupsafe import Markup

from latent_audit.claims.roles import ROLES, left_out
from latent_audit.claims.verdicts import VERDICTS
from latent_audit.report.metric_text import finding_words, interval_words, margin_words, next_seed_words, reason_words
from latent_audit.report.seed_summary import is_finite, listed_seeds, per_seed, worst_dimension
from latent_audit.report.study import Study, beta_words
from latent_audit.report.svg import interval_svg
from latent_audit.report.tables import number, percent

LEVEL = 0.05


class Case(NamedTuple):
    """One claim put to one arm, or to one pair of arms. holm : what the correction leaves of it, empty if undecided.

    row : its id on the page. arm_keys : the arms, for filters. size : the effect in units of its margin, for sorting.
    """

    row: str
    arms: str
    arm_keys: str
    size: float
    code: str
    verdict: str
    finding: str
    reason: str
    plot: Markup
    margin: str
    next_seed: str
    holm: str


class Claim(NamedTuple):
    """One claim of the literature, and every case of it."""

    claim_id: str
    claim: str
    source: Markup
    anchor: str
    cases: list[Case]


class Glance(NamedTuple):
    """One arm on one line. seeds : field -> its values seed by seed in words, where their mean would mislead."""

    arm: str
    name: str
    weight: str
    holes: float
    distance: float
    recon_nll: float
    probe: float
    fd_prior: float
    fd_fitted: float
    fd_own: float
    seeds: Mapping[str, str]


def claims(study: Study) -> list[Claim]:
    """The rows of claims.csv made ready for the page, one entry per claim, in the table's order.

    Raises
    ------
    ValueError : a verdict that is none of VERDICTS.
    """
    groups: dict[str, list[dict[str, Any]]] = {}
    for row in study.claims.to_dict("records"):
        if row["verdict"] not in VERDICTS:
            raise ValueError(f"claim {row['claim_id']!r}: verdict {row['verdict']!r} is none of {', '.join(VERDICTS)}")
        groups.setdefault(str(row["claim_id"]), []).append(row)
    return [_claim(rows, study) for rows in groups.values()]


def row_id(row: Mapping[str, Any]) -> str:
    """The id of a row of claims.csv in the page."""
    return f"row-{row['claim_id']}-{re.sub(r'[^A-Za-z0-9_]+', '-', str(row['arms']))}"


def evidence(row: Mapping[str, Any]) -> str:
    """The figure that shows what a row rests on; those on the KL of all codes together have one of their own."""
    shown = {metric: "fig-joint" for metric in ("marginal_kl", "total_correlation")}
    metric = re.sub(r"^difference of ", "", str(row["statistic"]))
    return shown.get(metric, str(row["figure"]).lstrip("#"))


def _claim(rows: list[dict[str, Any]], study: Study) -> Claim:
    numbers = [x for row in rows for x in (row["effect"], row["low"], row["high"], row["margin"], 0.0, *_values(row))]
    domain = min(filter(isfinite, numbers)), max(filter(isfinite, numbers))
    first, seen = rows[0], dict[str, int]()
    cases = []
    for row in rows:
        name = row_id(row)
        seen[name] = seen.get(name, 0) + 1  # a table made by hand may put a claim to an arm twice
        cases.append(_case(row, name if seen[name] == 1 else f"{name}-{seen[name]}", domain, study))
    return Claim(str(first["claim_id"]), first["claim"], linked(str(first["source"])), evidence(first), cases)


def linked(source: str) -> Markup:
    """A source in which every arXiv id leads to its paper."""
    link = r'<a href="https://arxiv.org/abs/\1" rel="noreferrer">arXiv:\1</a>'
    return Markup(re.sub(r"arXiv:(\d{4}\.\d{4,5})", link, str(Markup.escape(source))))


def _case(row: Mapping[str, Any], name: str, domain: tuple[float, float], study: Study) -> Case:
    keys = re.split(r"\s+vs\s+|\s*[,;]\s*", str(row["arms"]).strip())
    arms = [study.all_names.get(arm, arm) for arm in keys]
    given = row.get("finding")
    finding = given if isinstance(given, str) else finding_words(row, arms, study.measures)
    reason, margin = reason_words(row, study.measures), margin_words(row, study.measures)
    plot = interval_svg(
        effect=row["effect"], low=row["low"], high=row["high"], margin=row["margin"], direction=row["direction"],
        values=_values(row), domain=domain, verdict=row["verdict"], alt=f"{finding} {reason}",
        ends=interval_words(row, study.measures) if isfinite(float(row["low"])) else "", limit=margin,
    )  # fmt: skip
    return Case(
        name,
        arms_words(row, arms),
        " ".join(keys),
        float(row["effect"]) / abs(float(row["margin"]) or 1.0),
        row["code"],
        row["verdict"],
        finding,
        reason,
        plot,
        f"{'over' if row['direction'] == '>' else 'under'} {margin}",
        next_seed_words(row, study.measures),
        _holm_words(row),
    )


def arms_words(row: Mapping[str, Any], names: Sequence[str]) -> str:
    """The arms of a row and what was done with them: "AE − VAE" of differences, "AE / VAE" of ratios."""
    joint = " / " if str(row["statistic"]).startswith("ln(") else " − "
    return joint.join(names)


def _holm_words(row: Mapping[str, Any]) -> str:
    p = float(row.get("p_holm", "nan"))
    if row["verdict"] == "inconclusive" or not is_finite(p):
        return ""
    return f"{'survives' if p < LEVEL else 'does not survive'} Holm’s correction (p {number(p, 2)})"


def _values(row: Mapping[str, Any]) -> list[float]:
    return json.loads(row["values"]) if isinstance(row["values"], str) else []


TOLD = {"holes": ("hole_fraction", percent), "distance": ("ks_d_max", number), "probe": ("knn_accuracy", percent)}


def at_a_glance(study: Study) -> list[Glance]:
    """One line per arm; NaN where something was not measured."""

    def mean(table: pd.DataFrame, arm: str, **where: str) -> float:
        for column, value in where.items():
            table = table[table[column] == value] if column in table else table.iloc[:0]
        return float(table.loc[table["arm"] == arm, "value"].mean())

    fd = per_seed(study, "generation", study.distance.metric, code=None)
    return [
        Glance(
            arm,
            study.names[arm],
            beta_words(description),
            mean(per_seed(study, "joint", study.holes), arm),
            mean(worst_dimension(study, "ks_d"), arm),
            mean(per_seed(study, "reconstruction", "recon_nll", code=None), arm),
            mean(per_seed(study, "separability", "knn_accuracy"), arm),
            mean(fd, arm, sampler="prior"),
            mean(fd, arm, sampler="gmm"),
            mean(fd, arm, sampler="reconstruction"),
            {
                field: words
                for field, (metric, form) in TOLD.items()
                if (words := listed_seeds(study.metrics.get(arm, {}).get(metric), form))
            },
        )
        for arm, description in study.arms.items()
    ]


def tally(study: Study) -> dict[str, int]:
    """Number of claims per verdict, every verdict named."""
    counts = study.claims["verdict"].value_counts()
    return {verdict: int(counts.get(verdict, 0)) for verdict in VERDICTS}


def corrected(study: Study) -> str:
    """How many rows are decided, and how many of them survive the correction for all; empty without corrected p."""
    if "p_holm" not in study.claims:
        return ""
    rows = study.claims
    decided = rows[rows["verdict"] != "inconclusive"]
    return (
        f"{len(decided)} of {len(rows)} decided; {int((decided['p_holm'] < LEVEL).sum())} of these survive Holm’s "
        f"correction for all {int(rows['p_holm'].notna().sum())}"
    )


def not_compared(study: Study) -> list[str]:
    """Which arms no claim compares, and which play in none, a sentence each."""
    sentences = []
    for reasons, pairs in left_out(study.arms).items():
        named = pairs_words(pairs, study.names)
        what = ", ".join(reason.replace("_", " ") for reason in reasons)
        sentences.append(f"No claim compares {named}: they differ in more than the weight on the KL ({what}).")
    for arm, described in study.arms.items():
        if described["role"] not in ROLES:
            sentences.append(
                f"{study.names[arm]} plays in no claim: it is neither an autoencoder nor a VAE ({described['family']})."
            )
    return sentences


def pairs_words(pairs: Sequence[tuple[str, str]], names: Mapping[str, str]) -> str:
    """Pairs of arms one by one; where they are all that some arms make, those arms."""
    arms = list(dict.fromkeys(arm for pair in pairs for arm in pair))
    if len(arms) > 3 and len(pairs) == len(arms) * (len(arms) - 1) // 2:
        return f"any two of {', '.join(names[arm] for arm in arms)}"
    return ", ".join(" and ".join(names[arm] for arm in pair) for pair in pairs)


def same_networks(study: Study) -> bool:
    """Whether every arm has the same encoder and decoder."""
    keys = ("architecture", "settings", "latent_dim")
    return len({json.dumps([own.get(key) for key in keys], sort_keys=True) for own in study.arms.values()}) == 1
