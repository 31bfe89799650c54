"""The answer in one paragraph: which arms may be sampled from what, read off the rows of claims.csv; its numbers."""

from collections.abc import Mapping, Sequence
from math import exp
from typing import Any

from latent_audit.report.metric_text import interval_words, margin_words
from latent_audit.report.seed_summary import is_finite, per_seed
from latent_audit.report.study import Study
from latent_audit.report.tables import number, percent, set_number
from latent_audit.report.verdicts import Glance, at_a_glance

# What the headline rests on: ids of the ledger's claims, one row of claims.csv per arm.
HOLES = ("ae_few_holes", "vae_few_holes")
MARGINALS = ("ae_marginals", "vae_marginals")
JOINT = ("vae_joint",)
MIXTURE = ("ae_mixture_suffices", "vae_mixture_suffices")
BASIS = (*HOLES, *MARGINALS, *JOINT, *MIXTURE)
NORMAL = "near-normal codes"


def answer(study: Study) -> list[str]:
    """The answer: a headline, then what it rests on, from the tables and the margins that were set beforehand."""
    glance, margins = at_a_glance(study), study.params.get("diagnostics", {}).get("margins", {})
    null = per_seed(study, "joint", study.holes)["null_high"].mean()
    sentences = [headline(study)]
    holes = ", ".join(f"{line.name} {_told(line, 'holes', percent)}" for line in glance if is_finite(line.holes))
    if holes:
        chance = f"; true draws of the prior, as many, would leave at most {percent(null)}" if is_finite(null) else ""
        sentences.append(f"A draw from N(0, I) lands where the model has put no data this often: {holes}{chance}.")
    distance = ", ".join(f"{line.name} {_told(line, 'distance', number)}" for line in glance)
    limit = f" (margin for “normal enough”: {set_number(margins['ks_d'])})" if "ks_d" in margins else ""
    sentences.append(
        f"The codes’ largest distance from a standard normal, on KS’s scale of 0 to 1, is {distance}{limit}."
    )
    fd = [line for line in glance if is_finite(line.fd_prior) and is_finite(line.fd_fitted)]
    if fd:
        pairs = ", ".join(f"{line.name} {number(line.fd_prior)} → {number(line.fd_fitted)}" for line in fd)
        sentences.append(
            f"Drawing from a density fitted to the codes instead of the prior changes the distance of new images to "
            f"real ones ({study.distance.name}, lower is better): {pairs}."
        )
    own = ", ".join(f"{line.name} {number(line.fd_own)}" for line in fd if is_finite(line.fd_own))
    if own:
        sentences.append(
            f"By the same measure the arms’ own reconstructions of test images are at {own}: what the decoder blurs, "
            "no choice of codes brings back."
        )
    return sentences


def _told(line: Glance, field: str, form) -> str:
    return line.seeds.get(field) or form(getattr(line, field))


def basis(study: Study) -> dict[str, str]:
    """The claims that the headline rests on, id -> claim; those that were put to an arm."""
    rows = study.claims[study.claims["claim_id"].isin(BASIS)]
    return dict(zip(rows["claim_id"], rows["claim"], strict=True))


def headline(study: Study) -> str:
    """Which arms may be sampled from N(0, I), and which from a mixture fitted to their codes, by the verdicts."""
    return " ".join([*_from_the_prior(study), *_from_the_mixture(study)])


def _from_the_prior(study: Study) -> list[str]:
    """An arm may be where its row on holes is supported; how normal its codes are says how well."""
    rows = _rows(study, HOLES)
    if not rows:
        return ["No claim on holes was put to these arms, so the numbers stand without a verdict on the prior."]
    limit = margin_words(next(iter(rows.values())), study.measures)
    of_verdict = _by_verdict(rows)
    shapes: dict[str, list[str]] = {}
    for arm in of_verdict.get("supported", []):
        shapes.setdefault(_normality(study, arm), []).append(study.names[arm])
    parts = [
        f"{'Yes' if words == NORMAL else 'With care'} for {_listed(names)}: few holes, {words}."
        for words, names in shapes.items()
    ]
    if open_ := of_verdict.get("inconclusive"):
        spans = [f"{study.names[arm]} ({interval_words(rows[arm], study.measures)})" for arm in open_]
        parts.append(
            f"Undecided for {_listed(spans)}: the share of draws in holes may lie on either side of the limit, {limit}."
        )
    if beyond := of_verdict.get("contradicted"):
        every = len(beyond) == len(study.names) > 1
        names = "any of these arms" if every else _listed([study.names[arm] for arm in beyond])
        parts.append(f"Not for {names}: too much of the prior is without codes, by the limit of {limit}.")
    if apart := [name for arm, name in study.names.items() if arm not in rows]:
        parts.append(f"No claim was put to {_listed(apart)}.")
    return parts


def _from_the_mixture(study: Study) -> list[str]:
    """An arm may be where its fitted mixture decodes as well as its own codes."""
    rows = _rows(study, MIXTURE)
    if not rows:
        return []
    words = {"supported": "yes for {}", "inconclusive": "undecided for {}", "contradicted": "not for {}"}
    found = _by_verdict(rows)
    parts = [
        form.format(_listed([study.names[arm] for arm in found[verdict]]))
        for verdict, form in words.items()
        if verdict in found
    ]
    margin = number(exp(next(iter(rows.values()))["margin"]))
    return [
        f"From a mixture fitted to the codes: {', '.join(parts)} (“yes”: surely less than {margin} times as far from "
        f"real images as the arm’s own reconstructions)."
    ]


def _normality(study: Study, arm: str) -> str:
    """How normal the codes of an arm are, in words: each dimension, and all together where a claim asks that."""
    each = _rows(study, MARGINALS).get(arm, {}).get("verdict", "inconclusive")
    joint = _rows(study, JOINT).get(arm, {}).get("verdict", each)
    if each == "contradicted":
        return "though the codes are not normal"
    if joint == "contradicted":
        return "though the codes taken together are not normal"
    return NORMAL if each == joint == "supported" else "though it is undecided whether the codes are normal"


def _rows(study: Study, claim_ids: Sequence[str]) -> dict[str, Mapping[str, Any]]:
    """arm -> its row of these claims, in the order of the arms."""
    rows = study.claims[study.claims["claim_id"].isin(claim_ids)].to_dict("records")
    found = {str(row["arms"]): row for row in rows}
    return {arm: found[arm] for arm in study.names if arm in found}


def _by_verdict(rows: Mapping[str, Mapping[str, Any]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for arm, row in rows.items():
        found.setdefault(str(row["verdict"]), []).append(arm)
    return found


def _listed(names: list[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]
