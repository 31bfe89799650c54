"""What to do with the answer: from what each arm is to be sampled, read off the verdicts."""

from latent_audit.report.answer import HOLES, MIXTURE, rows_of
from latent_audit.report.study import Study

WORDS = {
    (
        "supported",
        "supported",
    ): "N(0, I) will do; a mixture of ten fitted to the codes does as well as the decoder allows",
    ("supported", None): "N(0, I) will do",
    (None, "supported"): "draw from a mixture of ten Gaussians fitted to the training codes, not from N(0, I)",
    (None, None): "do not draw new codes: neither N(0, I) nor a fitted mixture was shown to be good enough",
}


def advice(study: Study, *, reduced: bool) -> list[str]:
    """A line per arm that claims were put to; on reduced data none."""
    if reduced:
        return ["Run the full study first: nothing is to be concluded from reduced data."]
    prior, mixture = rows_of(study, HOLES), rows_of(study, MIXTURE)
    lines = []
    for arm, name in study.names.items():
        if arm not in prior and arm not in mixture:
            continue
        found = [str(rows[arm]["verdict"]) if arm in rows else "" for rows in (prior, mixture)]
        key = tuple("supported" if verdict == "supported" else None for verdict in found)
        undecided = found[0] == "inconclusive"
        more = "; whether N(0, I) would do is undecided, and more seeds would tell" if undecided else ""
        words = WORDS.get((key[0], key[1]), WORDS[None, None])
        lines.append(f"{name}: {words}{more}.")
    return lines or ["No claim on sampling was put to these arms."]
