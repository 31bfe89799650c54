"""Every metric on the page, as a row of its section's table: words, and the value of each arm with its interval."""

from collections.abc import Container, Iterable, Mapping
from typing import Any

import pandas as pd
from markupsafe import Markup

from latent_audit.base.measures import Metric
from latent_audit.report.metric_text import form_of
from latent_audit.report.seed_summary import is_finite, listed_seeds, together
from latent_audit.report.study import Study
from latent_audit.report.tables import ABSENT, data_table

WORDS = {  # of sections that measures bring along: what must be known to read their numbers
    "disentanglement": "Published mutual information gaps (MIG) of one model differ by a factor of 600: one user got "
    ".50 by the authors’ code and .0008 by another evaluator. Part of that is two definitions: a histogram of the "
    "means, in which a dimension that is hardly used still tells factors apart, and the exact value on sampled codes, "
    "in which it does not; and some count shape as a factor, others do not. The rest is an error: that evaluator "
    "reshapes a matrix that it ought to transpose, so that samples of one dimension are scored under the "
    "posteriors of another. Both definitions stand below. Compare arms within a row, and neither row with a "
    "published number.",
}


def section_title(section: str) -> str:
    """The heading of a section that a measure brought along."""
    return section[:1].upper() + section[1:].replace("_", " ")


def by_section(metrics: Iterable[Metric]) -> dict[str, list[Metric]]:
    """Metrics in the order of their sections, and in their own order within."""
    sections: dict[str, list[Metric]] = {}
    for metric in metrics:
        sections.setdefault(metric.section, []).append(metric)
    return sections


def measure_tables(study: Study, sections: Container[str]) -> tuple[dict[str, Markup], dict[str, Markup]]:
    """The tables of the sections that the page has, and those of the sections that measures brought along."""
    measured = {metric for own in study.metrics.values() for metric in own}
    tables = {
        section: _table(study, metrics, section)
        for section, metrics in by_section(m for m in study.measures.values() if m.name in measured).items()
    }
    own = {section: table for section, table in tables.items() if section in sections}
    return own, {section: table for section, table in tables.items() if section not in own}


def _table(study: Study, metrics: list[Metric], section: str) -> Markup:
    rows = [
        {"measure": explained(metric)}
        | {name: _written(study.metrics.get(arm, {}).get(metric.name), metric) for arm, name in study.all_names.items()}
        for metric in metrics
    ]
    what = "mean over seeds of the sampled codes z, and 95% interval, or the seeds one by one"
    caption = f"Measures, {section_title(section)}: {what}"
    return data_table(pd.DataFrame(rows), caption=caption)


def explained(metric: Metric) -> str:
    """A metric in words, with its definition where it has one."""
    return f"{metric.phrase}: {metric.sentence}" if metric.sentence else metric.phrase


def _written(found: Mapping[str, Any] | None, metric: Metric) -> str:
    if found is None or not is_finite(found["mean"]):
        return ABSENT
    form = form_of(metric.name, {metric.name: metric})
    if listed := listed_seeds(found, form):
        return listed
    ends = found["low"], found["high"]
    if not all(map(is_finite, ends)):
        return form(found["mean"])
    mean, low, high = together([found["mean"], *ends], form)
    return f"{mean} ({low} to {high})"
