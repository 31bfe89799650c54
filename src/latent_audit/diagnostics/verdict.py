"""The one answer of an audit: may N(0, I) be sampled, if not what else, and which statistics decide.

Everything that has a p-value is one family, adjusted by Holm (1979): where nothing is left below 5%, the codes cannot
be told from draws of N(0, I). What is left is held against a margin of its effect: a departure may be certain and
small.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from latent_audit.base.measures import OF_LABELS, Metric
from latent_audit.diagnostics.advice import next_steps, one_row
from latent_audit.diagnostics.chance import best_of
from latent_audit.diagnostics.codes import Codes
from latent_audit.diagnostics.fitted import FittedPrior, judged
from latent_audit.diagnostics.margins import effects
from latent_audit.diagnostics.moment_tests import SAME
from latent_audit.diagnostics.multiplicity import holm
from latent_audit.diagnostics.remedy import is_remedy

LEVEL = 0.05
CLOSE_AUC = 0.6  # of a fitted law: its own error of estimation is in it
LEAST_ROWS = 100  # with fewer codes, or fewer than dimensions, nothing that a user would notice is ruled out
ACTIVE = 0.01  # variance of mu over the data, Burda et al. (2016)
ANSWERS = ("prior", "fitted", "no", "undecided")
REASONS = ("metric", "where", "value", "effect", "margin", "p_value", "p_holm", "differs", "matters")

DESCRIBED = (  # of the worst dimension, in `reasons` alone
    Metric("ad_a2_max", "largest Anderson–Darling distance of a dimension to N(0, 1)", low=0.0),
    Metric("k2_max", "largest excess kurtosis or skewness of a dimension, either sign", low=0.0),
)


@dataclass(frozen=True, eq=False)
class Verdict:
    """The answer.

    may_sample : "prior", "fitted" (a Gaussian or mixture fitted to the codes, not N(0, I)), "no", or "undecided".
    sentence : it in one sentence, with the statistic and the dimensions that decide. advice : what to do next.
    reasons : a row per test, those that decide first; REASONS. fits : see `fitted.judged`; None where not needed.
    prior : what to sample from where N(0, I) may not be. regions : where codes and N(0, I) differ most, `regions`.
    """

    may_sample: str
    sentence: str
    reasons: pd.DataFrame
    advice: tuple[str, ...] = ()
    fits: pd.DataFrame | None = None
    prior: FittedPrior | None = field(default=None, repr=False)
    regions: pd.DataFrame | None = field(default=None, repr=False)


def reasons_of(joint: pd.DataFrame, per_dim: pd.DataFrame) -> pd.DataFrame:
    """Every test of one code as one family.

    Parameters
    ----------
    joint, per_dim : the tables of one code. Of per_dim the worst dimension by KS, Anderson-Darling and D'Agostino's
    K^2 stand for all, with the p-value of the smallest of d.

    Returns
    -------
    REASONS: `effect` in units of `margin` (NaN where a test has no size of its own), p_holm over the family, differs
    (p_holm < 5%), matters (differs, and effect >= margin). First those that matter, by effect / margin, then by p.
    """
    of_prior = joint["p_value"].notna() & ~joint["metric"].isin(OF_LABELS)
    tests = pd.concat([_of_dimensions(per_dim), joint[of_prior]], ignore_index=True)
    sizes, rows = effects(len(per_dim)), []
    for row in tests.to_dict("records"):
        effect = sizes.get(str(row["metric"]))
        size = np.nan if effect is None else float(effect.size(row))  # type: ignore[arg-type]
        rows.append({**row, "effect": size, "margin": np.nan if effect is None else effect.margin})
    table = pd.DataFrame(rows)
    table["where"] = table["where"].fillna("")
    table["p_holm"] = holm(table["p_value"].to_numpy())
    table["differs"] = table["p_holm"] < LEVEL
    table["matters"] = table["differs"] & (table["effect"] >= table["margin"])
    table["ratio"] = (table["effect"] / table["margin"]).where(table["matters"], -1.0)
    table.loc[(table["metric"] == "correlation_max") & (table["value"] > SAME), "ratio"] = np.inf  # explains the rest
    ordered = table.sort_values(["matters", "ratio", "p_value"], ascending=[False, False, True], kind="stable")
    return ordered[[*REASONS, "null_high", "n_p"]].reset_index(drop=True)


def _of_dimensions(per_dim: pd.DataFrame) -> pd.DataFrame:
    """The worst dimension by three tests, with the p-value of the smallest of all."""
    odd = np.fmax(per_dim["excess_kurtosis"].abs(), per_dim["skew"].abs())
    rows = []
    for metric, value, test in (
        ("ks_d_max", per_dim["ks_d"], "ks_p"), ("ad_a2_max", per_dim["ad_a2"], "ad_p"), ("k2_max", odd, "k2_p"),
    ):  # fmt: skip
        log_p = per_dim[f"log10_{test}"].to_numpy(dtype=np.float64) * np.log(10)
        if np.isnan(log_p).all():
            continue
        worst = int(np.nanargmin(log_p))
        rows.append(
            {"metric": metric, "value": float(value.iloc[worst]), "p_value": best_of(log_p),
             "n_p": per_dim["n"].iloc[0], "where": str(per_dim["dim"].iloc[worst])}
        )  # fmt: skip
    return pd.DataFrame(rows)


def judge(
    joint: pd.DataFrame, per_dim: pd.DataFrame, codes: Codes, *, rng: np.random.Generator, seed: int = 0
) -> Verdict:
    """The verdict on codes z from their tables.

    Collapse comes first: with mu and logvar, codes without an active dimension carry nothing that could be sampled.
    Where N(0, I) may not be sampled, Gaussians and a mixture are fitted to two thirds of the codes and held against the
    others: the simplest that a classifier hardly tells from them is recommended.

    Parameters
    ----------
    joint, per_dim : rows of code z. codes : the same codes. rng : of the fits' draws.
    """
    verdict = _judged(joint, per_dim, codes, rng, seed)
    steps = next_steps(verdict.may_sample, joint, per_dim)
    return replace(verdict, advice=(*one_row(codes.values), *verdict.advice, *steps))


def _judged(joint: pd.DataFrame, per_dim: pd.DataFrame, codes: Codes, rng: np.random.Generator, seed: int) -> Verdict:
    reasons, (n, d) = reasons_of(joint, per_dim), codes.shape
    carrying = _carrying(per_dim)
    if carrying is not None and not carrying:
        sentence = (
            f"Nothing to sample: none of the {d:,} dimensions carries information (every mean stays within the noise), "
            "so that whatever is drawn decodes to the same average."
        )
        return Verdict("no", sentence, reasons, ("Lower the weight on the KL: the posterior has collapsed.",))
    if not (codes.standardised != 0).any():
        return Verdict("no", "Nothing to sample: all codes are the same.", reasons)
    advice = _advice(per_dim, carrying)
    differs, matters = reasons[reasons["differs"]], reasons[reasons["matters"]]
    if len(matters):
        return _otherwise(reasons, matters, codes, advice, rng, seed)
    if len(differs):
        first = differs.iloc[0]
        sentence = (
            f"Yes, N(0, I) may be sampled: the {n:,} codes differ from it ({_name(first)}, p {_p(first['p_holm'])} "
            f"after Holm over {len(reasons)} tests), but by too little to matter."
        )
        return Verdict("prior", sentence, reasons, advice)
    least = float(reasons["p_holm"].min())
    tail = f"none of {len(reasons)} tests rejects it (the smallest p is {_p(least)} after Holm’s adjustment)."
    if n < max(LEAST_ROWS, d):
        few = f"Undecided: {n:,} codes are too few to judge {d:,} dimension{'s' * (d > 1)}; "
        return Verdict("undecided", few + tail, reasons, (f"Encode more: at least {max(LEAST_ROWS, 2 * d):,}.",))
    return Verdict("prior", f"As far as {n:,} codes can tell, yes, N(0, I) may be sampled: {tail}", reasons, advice)


def _carrying(per_dim: pd.DataFrame) -> list[int] | None:
    """The active dimensions; None where it is not known (no mu and logvar)."""
    if "activity" not in per_dim:
        return None
    return per_dim.loc[per_dim["activity"] > ACTIVE, "dim"].astype(int).tolist()


def _advice(per_dim: pd.DataFrame, carrying: Sequence[int] | None) -> tuple[str, ...]:
    if carrying is None or len(carrying) == len(per_dim):
        return ()
    idle = [str(dim) for dim in per_dim["dim"] if dim not in set(carrying)]
    listed = ", ".join(idle[:20]) + (f" and {len(idle) - 20} more" if len(idle) > 20 else "")
    total = per_dim["kl_nats"].sum() if "kl_nats" in per_dim else np.nan
    share = f"; the other {len(carrying)} carry the {total:.3g} nats" if np.isfinite(total) else ""
    return (f"Drop the dimensions {listed}: they carry nothing{share}.",)


def _otherwise(
    reasons: pd.DataFrame,
    matters: pd.DataFrame,
    codes: Codes,
    advice: Sequence[str],
    rng: np.random.Generator,
    seed: int,
) -> Verdict:
    fits, laws = judged(codes, rng=rng, seed=seed)
    fitted = fits[fits["law"] != "prior"]
    why = f"Not from N(0, I): {describe(matters.iloc[0], codes.shape[1])}"
    close = fitted[(fitted["auc"] < CLOSE_AUC) | (fitted["p_value"] > LEVEL)]
    remedies = (
        is_remedy(laws[str(row["law"])], row, fits.iloc[0], matters, codes, rng=rng) for _, row in close.iterrows()
    )
    passed = close[np.fromiter(remedies, dtype=bool, count=len(close))]
    if len(passed):
        law = str(passed.iloc[0]["law"])
        named = {"diagonal": "one Gaussian per dimension", "gaussian": "one Gaussian"}
        mixed = "" if law in named else f"a mixture of {len(laws[law].weights)} Gaussians"
        sentence = (
            f"{why}. Sample from {named.get(law, mixed)} fitted to the codes instead: a classifier ranks an unseen "
            f"code above its draws in {100 * passed.iloc[0]['auc']:.3g}% of pairs, where 50% is chance."
        )
        more = (*advice, _of_the_law(law, fits))
        return Verdict("fitted", sentence, reasons, more, fits, laws[law])
    return Verdict("no", f"{why}; {_none(fitted, close)}", reasons, (*advice, _stronger(fitted, close)), fits,
                   laws.get("mixture", laws["gaussian"]))  # fmt: skip


def _none(fitted: pd.DataFrame, close: pd.DataFrame) -> str:
    """Why nothing that was fitted is recommended."""
    if len(close):
        return "nor from a fitted Gaussian or mixture: each leaves a departure that matters."
    return (
        "nor from a fitted Gaussian or mixture: a classifier ranks a code above a draw of the best of them in "
        f"{100 * fitted['auc'].min():.3g}% of pairs."
    )


def _stronger(fitted: pd.DataFrame, close: pd.DataFrame) -> str:
    if len(close):
        return "A stronger density model is needed, with more codes to fit it to, or a larger weight on the KL."
    best = fitted.loc[fitted["auc"].idxmin()]
    return (
        f"Of what was fitted, the {best['law']} is nearest ({100 * best['auc']:.3g}% of pairs, 50% is chance); a "
        "stronger density model is needed, or a larger weight on the KL."
    )


def _of_the_law(law: str, fits: pd.DataFrame) -> str:
    by = fits.set_index("law")["log_likelihood"]
    gain = by[law] - by["prior"]
    said = f": {gain:.3g} nats per held-out code better than N(0, I)" if np.isfinite(gain) and gain > 0 else ""
    return f"Draw codes from the fitted {law} (recommended_prior()){said}."


def describe(reason: pd.Series, latent_dim: int) -> str:
    """A reason in words; one without a size of its own by the name of its statistic."""
    effect = effects(latent_dim).get(str(reason["metric"]))
    if effect is None:
        return f"{_name(reason)} is {reason['value']:.3g}"
    value, where = float(reason["value"]), str(reason["where"])
    if reason["metric"] == "correlation_max" and value > SAME:
        return f"dimensions {where} are copies of each other, up to the sign"
    if reason["metric"] == "log_sd_max" and not np.isfinite(value):
        return f"dimension {where} has one value in all codes"
    place = "" if not where else f" in the plane of {'dimensions ' if where[0].isdigit() else 'the '}{where}"
    return effect.words.format(
        where=where, value=f"{value:.3g}", percent=f"{100 * value:.3g}%", place=place.replace("the a ", "a "),
        factor=f"{np.exp(value):.3g}", d=f"{latent_dim:,}", shell=f"{np.sqrt(latent_dim):.3g}",
    )  # fmt: skip


def _name(reason: pd.Series) -> str:
    where = f" of dimension{'s' * (',' in str(reason['where']))} {reason['where']}" if str(reason["where"]) else ""
    return f"{str(reason['metric']).replace('_', ' ')}{where}"


def _p(p: float) -> str:
    return f"{p:.2g}" if p >= 1e-4 else "below 0.0001"
