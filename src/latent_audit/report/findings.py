"""The headings of the page's sections: what was found, from the tables; a plain title where a number is missing."""

from collections.abc import Callable, Mapping

from latent_audit.report.answer import HOLES, MARGINALS, MIXTURE, rows_of
from latent_audit.report.seed_summary import is_finite, per_seed, worst_dimension
from latent_audit.report.study import Study
from latent_audit.report.tables import number, percent

WORDS = {"supported": "yes", "contradicted": "no", "inconclusive": "undecided", "negligible": "no"}


def _means(study: Study, table: str, metric: str, *, form: Callable[[float], str], code: str | None = "z") -> str:
    """ "AE 12, VAE 4": means over seeds; the ends of the seeds where those are in groups. Empty without any."""
    rows = per_seed(study, table, metric, code=code)
    parts = []
    for arm, name in study.names.items():
        values = rows.loc[rows["arm"] == arm, "value"]
        if not len(values):
            continue
        grouped = study.metrics.get(arm, {}).get(metric, {}).get("by_values")
        words = f"{form(values.min())} to {form(values.max())}" if grouped else form(float(values.mean()))
        parts.append(f"{name} {words}")
    return ", ".join(parts)


def _holes(study: Study) -> str:
    found = _means(study, "joint", study.holes, form=percent)
    return f"Draws from the prior land in holes: {found}" if found else ""


def _generation(study: Study) -> str:
    rows = per_seed(study, "generation", study.distance.metric, code=None)
    if rows.empty:
        return ""
    wide = rows.pivot_table(index="arm", columns="sampler", values="value")
    if not {"prior", "gmm", "reconstruction"} <= set(wide):
        return ""
    times = {law: wide[law] / wide["reconstruction"] for law in ("prior", "gmm")}
    parts = []
    for arm in study.names:
        if arm in wide.index and is_finite(times["gmm"][arm]):
            first, second = ("", "") if parts else (" from N(0, I)", " from a mixture")
            more = [_more(times[law][arm]) for law in ("prior", "gmm")]
            parts.append(f"{study.names[arm]} {more[0]}{first}, {more[1]}{second}")
    return f"New images, further from real ones than reconstructions are: {'; '.join(parts)}" if parts else ""


def _more(times: float) -> str:
    return f"{100 * (times - 1):+.0f}%".replace("-", "−")


def _areas(study: Study) -> str:
    found = _means(study, "joint", "area_tv", form=percent)
    return f"Classes share the prior unevenly: {found} of it would have to move" if found else ""


def _todo(study: Study) -> str:
    prior, mixture = (
        [study.names[arm] for arm, row in rows_of(study, ids).items() if row["verdict"] == "supported"]
        for ids in (HOLES, MIXTURE)
    )
    parts = [f"from N(0, I) with {' and '.join(prior)}"] if prior else []
    if more := [name for name in mixture if name not in prior]:
        parts.append("from a mixture fitted to the codes" + ("" if not prior else f" with {' and '.join(more)}"))
    whole = {*prior, *mixture} >= {*study.names.values()}
    return f"What to do: draw {', '.join(parts)}" if parts and whole else ""


def _normality(study: Study) -> str:
    rows = rows_of(study, MARGINALS)
    parts = [f"{study.names[arm]} {WORDS.get(str(row['verdict']), 'undecided')}" for arm, row in rows.items()]
    return f"Does each dimension follow N(0, 1)? {', '.join(parts)}" if parts else ""


def _codes(study: Study) -> str:
    worst = worst_dimension(study, "std")
    means = worst.groupby("arm")["value"].mean()
    parts = [f"{name} {number(means[arm], 2)}" for arm, name in study.names.items() if arm in means]
    return f"How wide the codes are, where the prior is 1: {', '.join(parts)}" if parts else ""


def _reconstructions(study: Study) -> str:
    found = _means(study, "reconstruction", "recon_nll", form=number, code=None)
    return f"What survives the squeeze: {found} nats lost per image" if found else ""


def _continuity(study: Study) -> str:
    found = _means(study, "continuity", "jump_rate_codes", form=percent, code=None)
    return f"A small step changes the class: {found}" if found else ""


def _verdicts(study: Study) -> str:
    counts = study.claims["verdict"].value_counts()
    n, parts = int(counts.sum()), [f"{count} {verdict}" for verdict, count in counts.items()]
    return f"Of {n} tests, {', '.join(parts)}" if n else ""


FINDINGS: Mapping[str, Callable[[Study], str]] = {
    "holes": _holes, "generation": _generation, "normality": _normality, "codes": _codes,
    "pspace": _areas, "todo": _todo,
    "reconstructions": _reconstructions, "continuity": _continuity, "verdicts": _verdicts,
}  # fmt: skip


def headings(study: Study, titles: Mapping[str, str], *, reduced: bool) -> dict[str, str]:
    """Section -> its heading: the finding, or its title where there is none or the data are too few for one."""
    return {
        anchor: (FINDINGS[anchor](study) if anchor in FINDINGS and not reduced else "") or title
        for anchor, title in titles.items()
    }
