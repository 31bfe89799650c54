"""The answer: which arms may be sampled from what, clause by clause, each read off rows of claims.csv; its numbers."""

from collections.abc import Mapping, Sequence
from math import exp
from typing import Any, NamedTuple

from latent_audit.report.metric_text import interval_words, margin_words
from latent_audit.report.seed_summary import is_finite, per_seed
from latent_audit.report.study import Study
from latent_audit.report.tables import number, percent, set_number
from latent_audit.report.verdicts import Glance, at_a_glance, row_id

# What the headline rests on: ids of the ledger's claims, one row of claims.csv per arm.
HOLES = ("ae_few_holes", "vae_few_holes")
MARGINALS = ("ae_marginals", "vae_marginals")
JOINT = ("vae_joint",)
MANY = 4  # arms of one verdict, beyond which the headline names them alone
MIXTURE = ("ae_mixture_suffices", "vae_mixture_suffices")
Rows = Mapping[str, Mapping[str, Any]]  # arm -> its row of claims.csv


class Part(NamedTuple):
    """Words of the headline; row : the id of the row of the page's table of claims that says so, empty for joints."""

    words: str
    row: str = ""


def headline(study: Study) -> list[Part]:
    """What fails and what works: N(0, I) and the mixture fitted to the codes, arm by arm, by the verdicts."""
    return _joined([*_from_the_prior(study), *_from_the_mixture(study)])


def beside(study: Study) -> list[Part]:
    """How normal the codes are of the arms whose holes are few: each dimension, then all together."""
    few = _by_verdict(rows_of(study, HOLES)).get("supported", [])
    return _joined(_normality(study, few))


def _joined(sentences: Sequence[list[Part]]) -> list[Part]:
    return [part for k, one in enumerate(sentences) for part in ([Part(" ")] if k else []) + one]


def answer(study: Study) -> list[str]:
    """The headline as one text, then what it rests on, from the tables and the margins that were set beforehand."""
    glance, margins = at_a_glance(study.shown), study.params.get("diagnostics", {}).get("margins", {})
    null = per_seed(study, "joint", study.holes)["null_high"].mean()
    sentences = ["".join(part.words for part in headline(study))]
    sentences += ["".join(part.words for part in beside(study))] if beside(study) else []
    holes = ", ".join(f"{line.name} {_told(line, 'holes', percent)}" for line in glance if is_finite(line.holes))
    if holes:
        chance = f"; true draws of the prior, as many, would leave at most {percent(null)}" if is_finite(null) else ""
        sentences.append(f"A draw from N(0, I) lands where no test image has its code this often: {holes}{chance}.")
    distance = ", ".join(f"{line.name} {_told(line, 'distance', number)}" for line in glance)
    limit = f" (margin for “normal enough”: {set_number(margins['ks_d'])})" if "ks_d" in margins else ""
    sentences.append(
        f"The codes’ largest distance from a standard normal, on KS’s scale of 0 to 1, is {distance}{limit}."
    )
    return [*sentences, *_of_images(study, glance)]


def _of_images(study: Study, glance: Sequence[Glance]) -> list[str]:
    fd = [line for line in glance if is_finite(line.fd_prior) and is_finite(line.fd_fitted)]
    sentences = []
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


def limit_words(study: Study) -> str:
    """What counts as few holes, of what the limit is made, and what works; empty without the claims."""
    parts = []
    if rows := rows_of(study, HOLES):
        row, null = next(iter(rows.values())), per_seed(study, "joint", study.holes)["null_high"].mean()
        made = ""
        if is_finite(null) and (beyond := _points_beyond_chance(study, float(row["margin"]))):
            made = f", {beyond} points above the 1% that true draws of the prior leave,"
        limit = margin_words(row, study.measures)
        parts.append(f"A draw is in a hole where no test code is near. The limit of {limit}{made} was set beforehand.")
        if len(study.seeds) > 1:
            parts.append("Brackets and dark bars: 95% interval of the mean over seeds; dots: the seeds.")
    if rows := rows_of(study, MIXTURE):
        times = number(exp(next(iter(rows.values()))["margin"]))
        parts.append(
            f"Yes to a mixture: its images are surely less than {times} times as far from real ones as the arm’s own "
            "reconstructions are."
        )
    return " ".join(parts)


def _points_beyond_chance(study: Study, limit: float) -> str:
    """The ledger's limit is its margin on holes beyond the 1% by which holes are defined; empty where it is not."""
    margin = study.params.get("diagnostics", {}).get("margins", {}).get("hole_fraction")
    return set_number(100 * margin) if margin is not None and abs(limit - margin - 0.01) < 1e-9 else ""


def chip(study: Study, arm: str) -> tuple[str, str]:
    """The verdict on an arm's holes as a word for its picture: kind of badge, words."""
    row = rows_of(study, HOLES).get(arm)
    verdict = "none" if row is None else str(row["verdict"])
    return verdict, {"supported": "Few holes", "contradicted": "No", "inconclusive": "Undecided"}.get(
        verdict, "Not put"
    )


def _from_the_prior(study: Study) -> list[list[Part]]:
    """An arm may be sampled where its row on holes is supported."""
    rows = rows_of(study, HOLES)
    if not rows:
        words = "No claim on holes was put to these arms, so the numbers stand without a verdict on the prior."
        return [[Part(words)]]
    limit, of_verdict = margin_words(next(iter(rows.values())), study.measures), _by_verdict(rows)
    forms = {
        "contradicted": ("Not with ", ": more than the limit"),
        "inconclusive": ("Undecided with ", ": the share may lie on either side of the limit"),
        "supported": ("Few holes with ", ": less than the limit"),
    }
    said = [verdict for verdict in forms if verdict in of_verdict]
    found = []
    for verdict in said:  # the first sentence says in full of what the numbers are, and what the limit is
        before, after = forms[verdict]
        of_what = " of draws from N(0, I) land in holes" if verdict == said[0] else ""
        ends = f"{after} of {limit}." if verdict == said[0] else f"{after}."
        arms = of_verdict[verdict]
        if len(arms) > MANY:  # their intervals would bury the sentence
            ends = f", by the share of draws from N(0, I) that land in holes{ends}"
        linked = _linked(study, rows, arms, ends=len(arms) <= MANY, of_what=of_what)
        found.append([Part(before), *linked, Part(ends)])
    if apart := [name for arm, name in study.names.items() if arm not in rows]:
        found.append([Part(f"No claim was put to {' and '.join(apart)}.")])
    return found


def _linked(study: Study, rows: Rows, arms: Sequence[str], *, ends: bool = False, of_what: str = "") -> list[Part]:
    """The arms by name, each tied to its row; `ends`: with the interval that the verdict was read off.

    of_what : what the first interval is of; later ones are of the same.
    """
    parts = []
    for k, arm in enumerate(arms):
        joint = "" if k == 0 else " and " if k == len(arms) - 1 else ", "
        measured = of_what if k == 0 and is_finite(float(rows[arm]["low"])) else ""
        interval = f" ({interval_words(rows[arm], study.measures)}{measured})" if ends else ""
        words = f"{study.names[arm]}{interval}"
        parts += ([Part(joint)] if joint else []) + [Part(words, row_id(rows[arm]))]
    return parts


def _normality(study: Study, arms: Sequence[str]) -> list[list[Part]]:
    """A sentence per verdict on the dimensions one by one, and on all of them together."""
    found = []
    for ids, what in ((MARGINALS, "dimension by dimension"), (JOINT, "taken together")):
        rows = {arm: row for arm, row in rows_of(study, ids).items() if arm in arms}
        for verdict, before, after in (
            ("contradicted", "Yet the codes of ", f" are not normal {what}."),
            ("inconclusive", "Undecided: whether the codes of ", f" are normal {what}."),
            ("supported", "The codes of ", f" are near-normal {what}."),
        ):
            if named := _by_verdict(rows).get(verdict):
                found.append([Part(before), *_linked(study, rows, named), Part(after)])
    return found


def _from_the_mixture(study: Study) -> list[list[Part]]:
    """An arm may be where its fitted mixture decodes as well as its own codes."""
    rows = rows_of(study, MIXTURE)
    found = _by_verdict(rows)
    parts = [Part("From a mixture fitted to the codes instead: ")]
    for verdict, word in (("supported", "yes"), ("inconclusive", "undecided"), ("contradicted", "no")):
        if verdict in found:
            parts += [Part(f"{', ' if len(parts) > 1 else ''}{word} with "), *_linked(study, rows, found[verdict])]
    return [[*parts, Part(".")]] if len(parts) > 1 else []


def rows_of(study: Study, claim_ids: Sequence[str]) -> dict[str, Mapping[str, Any]]:
    """arm -> its row of these claims, in the order of the arms."""
    rows = study.claims[study.claims["claim_id"].isin(claim_ids)].to_dict("records")
    found = {str(row["arms"]): row for row in rows}
    return {arm: found[arm] for arm in study.names if arm in found}


def _by_verdict(rows: Mapping[str, Mapping[str, Any]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for arm, row in rows.items():
        found.setdefault(str(row["verdict"]), []).append(arm)
    return found
