"""Runs side by side as one page that loads nothing: what differs in parameters, measures and verdicts."""

import json
from collections.abc import Callable, Mapping, Sequence
from math import isfinite
from typing import Any, NamedTuple

from markupsafe import Markup

from latent_audit.base.measures import Metric, phrase_of, range_of
from latent_audit.claims.intervals import told_by_values
from latent_audit.figures.style import arm_order, display_name
from latent_audit.report.metric_text import effect_words, ends_words, form_of, margin_words
from latent_audit.report.render import content_policy, environment, text_of
from latent_audit.report.sections import Section, shared_styles
from latent_audit.report.seed_summary import values_words
from latent_audit.report.study import beta_words
from latent_audit.report.svg import interval_svg
from latent_audit.report.tables import number, plain
from latent_audit.report.verdicts import arms_words
from latent_audit.runs.compared import (
    Difference,
    Parameter,
    VerdictRow,
    arms_of,
    beta_series,
    descriptions,
    difference,
    entry,
    parameters,
    verdict_rows,
    weight,
)
from latent_audit.runs.figures import dots, measured, tradeoff
from latent_audit.runs.findings import answer, banners
from latent_audit.runs.forms import form_for
from latent_audit.runs.revisions import Run

Form = Callable[[float], str]


class Cell(NamedTuple):
    """One number with its interval in words; an empty `mean`: not measured."""

    mean: str
    range: str = ""
    moved: bool = False


class Line(NamedTuple):
    """One arm's row of a table of measures."""

    arm: str
    cells: list[Cell]
    differences: list[Cell]


class Group(NamedTuple):
    """One measure, and a line for each arm that has it."""

    title: str
    lines: list[Line]


class Case(NamedTuple):
    """One claim in one run; `margin` is written where the runs do not agree on it."""

    verdict: str
    effect: str
    plot: Markup
    margin: str


class ShownVerdict(NamedTuple):
    """One claim, ready for the page."""

    claim: str
    arms: str
    changed: bool
    cases: list[Case | None]


class ShownParameter(NamedTuple):
    """One parameter, its values written."""

    key: str
    words: list[str]


def render_runs(runs: Sequence[Run]) -> str:
    """The runs as one HTML document that loads nothing; the same bytes for the same runs.

    Parameters
    ----------
    runs : at least two; differences are taken from the first.
    """
    comparable = len({run.params.get("dataset") for run in runs}) == 1
    series = beta_series(runs) if comparable else None
    every = parameters(runs)
    changed, unchanged = [p for p in every if p.differs], [p for p in every if not p.differs]
    rows = verdict_rows(runs)
    drawn = [tradeoff(runs, series, 1)] if series else []
    drawn.append(dots(runs, len(drawn) + 1))
    rows_by_anchor, figure_style = shared_styles({figure.anchor: figure.rows for figure in drawn})
    drawn = [figure._replace(rows=rows_by_anchor[figure.anchor]) for figure in drawn]
    key_metrics = {measure.metric for measure in measured(runs)}
    other_metrics = sorted({m for run in runs for own in run.metrics.values() for m in own} - key_metrics)
    script = text_of("report.js")
    return (
        environment()
        .get_template("runs.html")
        .render(
            title=" against ".join(run.name for run in runs),
            runs=runs,
            datasets=list(dict.fromkeys(str(run.params.get("dataset")).replace("_", "-") for run in runs)),
            weights=[_weights(run) for run in runs],
            banners=banners(runs, changed),
            answer=answer(runs, changed, rows, comparable),
            changed=[_shown_parameter(p) for p in changed],
            unchanged=[_shown_parameter(p) for p in unchanged],
            series=drawn[0] if series else None,
            dots=drawn[-1],
            key_measures=[_group(runs, m.metric, m.title) for m in measured(runs)],
            other_measures=[_group(runs, metric, metric) for metric in other_metrics],
            paired=comparable,
            paired_words="; then the difference to the first run, paired by seed, bold where its interval leaves 0 out",
            comparable=comparable,
            verdict_rows=[_shown_verdict(row, comparable, descriptions(runs)) for row in rows],
            sections=_sections(series is not None),
            style=Markup(text_of("style.css") + text_of("runs.css")) + figure_style,
            script=Markup(script),
            policy=content_policy(script),
        )
    )


def _sections(with_series: bool) -> list[Section]:
    titles = {"answer": "What differs", "parameters": "Parameters", "series": "The curve", "measures": "Measures",
              "verdicts": "Verdicts", "provenance": "Provenance"}  # fmt: skip
    return [Section(anchor, title) for anchor, title in titles.items() if with_series or anchor != "series"]


def _weights(run: Run) -> str:
    parts = []
    for arm in arm_order(run.metrics):
        own = weight(run, arm)
        if own is not None:
            known = isfinite(own.beta_kl) and isfinite(own.beta)
            words = beta_words(own._asdict()) if known else f"β = {number(own.beta)}, β_KL = {number(own.beta_kl)}"
            parts.append(f"{display_name(arm)} {words}")
    return "; ".join(parts) or "no arm with a KL term"


def _shown_parameter(parameter: Parameter) -> ShownParameter:
    return ShownParameter(parameter.key, [plain(value) for value in parameter.values])


def _group(runs: Sequence[Run], metric: str, title: str) -> Group:
    known = descriptions(runs)
    form, signed = form_for(runs, metric), form_for(runs, metric, signed=True)
    lines = []
    for arm in arm_order(arms_of(runs)):
        found = [entry(run, arm, metric) for run in runs]
        if any(found):
            changes = [_change(difference(runs[0], run, arm, metric), signed) for run in runs[1:]]
            seeds = [list(run.per_seed.get(arm, {}).get(metric, {}).values()) for run in runs]
            cells = [
                Cell(values_words(values, form_of(metric, known)))
                if own is not None and values and told_by_values(values, *range_of(metric, known))
                else _cell(own, form)
                for own, values in zip(found, seeds, strict=True)
            ]
            lines.append(Line(display_name(arm), cells, changes))
    return Group(title if title != metric else phrase_of(metric, known), lines)


def _cell(found: dict[str, Any] | None, form: Form) -> Cell:
    if found is None:
        return Cell("")
    ends = found["low"], found["high"]
    return Cell(form(found["mean"]), "" if None in ends else f"{form(ends[0])} to {form(ends[1])}")


def _change(change: Difference | None, signed: Form) -> Cell:
    if change is None:
        return Cell("")
    if change.same:
        return Cell("same")
    if change.interval is None:
        return Cell("", "")
    mean, low, high = (signed(value) for value in change.interval[:3])
    return Cell(mean, f"{low} to {high}", change.decided)


def _shown_verdict(row: VerdictRow, comparable: bool, metrics: Mapping[str, Metric]) -> ShownVerdict:
    found = [own for own in row.rows if own is not None]
    numbers = [x for own in found for x in (own["effect"], own["low"], own["high"], own["margin"], 0.0, *_seeds(own))]
    finite = [x for x in numbers if isfinite(x)]
    domain = min(finite), max(finite)
    margins = {own["margin"] for own in found}
    arms = arms_words(found[0], [display_name(arm) for arm in row.arms.split(" vs ")])
    cases = [_case(own, domain, len(margins) > 1, metrics) if own is not None else None for own in row.rows]
    return ShownVerdict(row.claim, arms, row.changed and comparable, cases)


def _case(row: dict[str, Any], domain: tuple[float, float], with_margin: bool, metrics: Mapping[str, Metric]) -> Case:
    effect, margin = effect_words(row, metrics), margin_words(row, metrics)
    if isfinite(row["low"]):
        effect += f" ({ends_words(row['low'], row['high'], str(row['statistic']), metrics)})"
    plot = interval_svg(
        effect=row["effect"], low=row["low"], high=row["high"], margin=row["margin"], direction=row["direction"],
        values=_seeds(row), domain=domain, verdict=row["verdict"],
        alt=f"Effect {effect}; the claim holds {'above' if row['direction'] == '>' else 'below'} {margin}",
    )  # fmt: skip
    return Case(row["verdict"], effect, plot, margin if with_margin else "")


def _seeds(row: dict[str, Any]) -> list[float]:
    return json.loads(row["values"]) if isinstance(row["values"], str) else []
