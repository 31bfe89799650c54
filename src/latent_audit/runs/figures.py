"""The figures of runs side by side: a panel per measure with every arm and run in it, and the curves of a sweep."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import pandas as pd
from markupsafe import Markup

from latent_audit.base.measures import SHARE, Metric
from latent_audit.figures.canvas import Sketch, sketch
from latent_audit.figures.runs import plot_against_weight, plot_runs, plot_tradeoff
from latent_audit.figures.style import CSS_VARIABLES, arm_colours, arm_order, display_name
from latent_audit.report.study import Figure, Panel, Row
from latent_audit.report.svg import inline_svg
from latent_audit.report.tables import set_number
from latent_audit.runs.compared import Series, arms_of, descriptions, entry
from latent_audit.runs.forms import form_for
from latent_audit.runs.revisions import Run

RATE = "kl_closed_form"


class Measure(NamedTuple):
    """A measure that the page draws. margin : key of diagnostics.margins that it is held to, by itself."""

    metric: str
    margin: str | None = None
    described: Metric | None = None

    @property
    def title(self) -> str:
        """What heads its panel."""
        text = self.described.short if self.described else self.metric.replace("_", " ")
        return text[:1].upper() + text[1:]

    @property
    def note(self) -> str:
        """The unit, and which direction is better."""
        if self.described is None:
            return ""
        better = "" if self.described.better == "none" else f"{self.described.better} is better"
        return ", ".join(part for part in ("%" if self.share else self.described.unit, better) if part)

    @property
    def share(self) -> bool:
        """Whether its numbers are written in percent."""
        return self.described is not None and self.described.unit == SHARE


MEASURES = (
    Measure("recon_nll"),
    Measure(RATE),
    Measure("hole_fraction", margin="hole_limit"),
    Measure("ks_d_max", margin="ks_d"),
    Measure("w1_max"),
    Measure("marginal_kl", margin="marginal_kl"),
    Measure("total_correlation", margin="total_correlation"),
    Measure("area_tv", margin="area_tv"),
    Measure("knn_accuracy"),
    Measure("fd_clf_prior"),
    Measure("fd_clf_gmm"),
    Measure("fd_random_prior"),
    Measure("fd_random_gmm"),
)


def measured(runs: Sequence[Run]) -> list[Measure]:
    """Those of MEASURES that some run has, as the runs describe them."""
    known = descriptions(runs)
    there = [m for m in MEASURES if any(entry(run, arm, m.metric) for run in runs for arm in arms_of(runs))]
    return [measure._replace(described=known.get(measure.metric)) for measure in there]


def dots(runs: Sequence[Run], figure_number: int) -> Figure:
    """A panel per measure: every arm of every run on one axis; runs with the same numbers share a row."""
    panels = [_panel(runs, measure, index) for index, measure in enumerate(measured(runs))]
    caption = (
        f"Mean and 95% interval over seeds of each arm in each run (runs {', '.join(run.letter for run in runs)}), the "
        f"mean also in figures; hollow: run {runs[0].letter}, with which the others are compared; faint dots: seeds, "
        "where they are at hand. Runs whose numbers are the same share a row. Dashed: the margin, where a measure is "
        "held to one that all runs set alike."
    )
    return Figure("fig-measures", figure_number, [Row(panels, "pair")], Markup.escape(caption))


def _panel(runs: Sequence[Run], measure: Measure, index: int) -> Panel:
    rows = pd.DataFrame([row for arm in arm_order(arms_of(runs)) for row in _rows(runs, arm, measure)])
    colours = arm_colours(arms_of(runs))
    margin = common_margin(runs, measure.margin)
    drawn = sketch(
        lambda ax: plot_runs(rows, colours=colours, margin=_scaled(margin, measure), ax=ax),
        title=measure.title,
        note=measure.note,
        alt=f"Dot plot of {measure.title} ({measure.note}): "
        + "; ".join(f"{row['label']} {row['words']}" for row in rows.to_dict("records")),
        size=(360, 40 + 15.0 * len(rows)),
    )
    return panel_of(drawn, f"measures{index}")


def _rows(runs: Sequence[Run], arm: str, measure: Measure) -> list[dict[str, Any]]:
    groups: list[tuple[dict[str, Any], list[Run]]] = []
    for run in runs:
        found = entry(run, arm, measure.metric)
        if found is None:
            continue
        same = next((group for known, group in groups if known == found), None)
        if same is None:
            groups.append((found, [run]))
        else:
            same.append(run)
    return [
        {
            "arm": arm,
            "label": f"{display_name(arm)} {letters([run.letter for run in group])}",
            "first": group[0] is runs[0],
            **{key: _scaled(_or_nan(found[key]), measure) for key in ("mean", "low", "high")},
            "values": [
                _scaled(value, measure) for value in group[0].per_seed.get(arm, {}).get(measure.metric, {}).values()
            ],
            "words": form_for(runs, measure.metric)(found["mean"]),
        }
        for found, group in groups
    ]


def _scaled(value: float | None, measure: Measure) -> float | None:
    return None if value is None else 100 * value if measure.share else value


def _or_nan(value: float | None) -> float:
    return float("nan") if value is None else value


def letters(names: Sequence[str]) -> str:
    """A, B; A–F for three and more in a row."""
    adjacent = all(ord(after) - ord(before) == 1 for before, after in pairwise(names))
    return f"{names[0]}–{names[-1]}" if len(names) > 2 and adjacent else ", ".join(names)


def common_margin(runs: Sequence[Run], key: str | None) -> float | None:
    """The margin called `key` if every run has set the same."""
    margins = {run.params.get("diagnostics", {}).get("margins", {}).get(key) for run in runs}
    return margins.pop() if len(margins) == 1 else None


def tradeoff(runs: Sequence[Run], series: Series, figure_number: int) -> Figure:
    """The curve of a sweep: distortion against rate, and measures of normality against the weight on the KL."""
    colours = arm_colours(arms_of(runs))
    panels = []
    if any(RATE in point.metrics for point in series.points):
        curve, floor = _points(series, RATE, "recon_nll"), _floor(runs)
        drawn = sketch(
            lambda ax: plot_tradeoff(curve, colours=colours, floor=floor, ax=ax),
            title="Rate and distortion",
            note="each point: one weight on the KL",
            alt=f"Line chart of distortion against rate: {_in_words(curve)}.",
            size=(360, 270),
        )
        panels.append(panel_of(drawn, "series-rate"))
    for measure in (m for m in measured(runs) if m.metric in ("marginal_kl", "ks_d_max", "hole_fraction")):
        curve = _points(series, None, measure.metric, 100 if measure.share else 1)
        margin = _scaled(common_margin(runs, measure.margin), measure) if measure.margin else None
        if len(curve) > 1:
            drawn = sketch(
                lambda ax, curve=curve, margin=margin: plot_against_weight(
                    curve, colours=colours, margin=margin, ax=ax
                ),
                title=measure.title,
                note=measure.note,
                alt=f"Line chart of {measure.title} against the weight on the KL: {_in_words(curve)}.",
                size=(360, 270),
            )
            panels.append(panel_of(drawn, f"series-{measure.metric.replace('_', '-')}"))
    return Figure("fig-series", figure_number, [Row(panels, "pair")], Markup.escape(_series_caption(runs, series)))


def _points(series: Series, x: str | None, y: str, scale: float = 1) -> pd.DataFrame:
    rows = []
    for point in series.points:
        across = point.metrics.get(x) if x else {"mean": point.weight.beta_kl, "low": None, "high": None}
        up = point.metrics.get(y)
        if across is not None and up is not None:
            row: dict[str, Any] = {"arm": point.arm, "label": f"β_KL {point.weight.beta_kl:.3g}"}
            for name, found, unit in (("x", across, 1), ("y", up, scale)):
                for end, key in (("", "mean"), ("_low", "low"), ("_high", "high")):
                    row[name + end] = unit * _or_nan(found[key])
            rows.append(row)
    return pd.DataFrame(rows)


def _floor(runs: Sequence[Run]) -> dict[str, float]:
    """Distortion of the autoencoders that every run has alike."""
    found = {}
    for arm in arms_of(runs):
        own = [run.metrics.get(arm, {}) for run in runs]
        if all("recon_nll" in metrics and RATE not in metrics for metrics in own):
            levels = {metrics["recon_nll"]["mean"] for metrics in own}
            if len(levels) == 1:
                found[arm] = levels.pop()
    return found


def _in_words(curve: pd.DataFrame) -> str:
    return "; ".join(f"{row['label']} at {row['x']:.3g}, {row['y']:.3g}" for row in curve.to_dict("records"))


def _series_caption(runs: Sequence[Run], series: Series) -> str:
    low, high = series.points[0], series.points[-1]
    said = [f"From β_KL {set_number(low.weight.beta_kl)} to {float(f'{high.weight.beta_kl:.4g}'):g}"]
    for metric, words in (
        (RATE, "the rate goes from {} to {} nats"),
        ("recon_nll", "the distortion from {} to {} nats"),
        ("marginal_kl", "the KL of all codes to the prior from {} to {} nats"),
        ("ks_d_max", "the largest KS distance from {} to {}"),
        ("hole_fraction", "the share of prior draws in a hole from {} to {}"),
    ):
        if metric in low.metrics and metric in high.metrics:
            form = form_for(runs, metric)
            said.append(words.format(*(form(point.metrics[metric]["mean"]) for point in (low, high))))
    points = "; ".join(
        f"β_KL {point.weight.beta_kl:.4g} (β {point.weight.beta:.4g}): {display_name(point.arm)} of "
        f"{letters(list(point.letters))}"
        for point in series.points
    )
    left_out = (
        f" Not on the curve, as they differ in more than the weight: {', '.join(series.left_out)}."
        if series.left_out
        else ""
    )
    return (
        f"{', '.join(said)}. Points: means over seeds in the arm’s colour, bars 95% intervals; the line joins them in "
        f"the order of the weight. {points}.{left_out} Dashed: an autoencoder’s distortion; elsewhere, the margin."
    )


def panel_of(drawn: Sketch, name: str) -> Panel:
    """A sketch as a panel of the page, tied to the page's colours."""
    return Panel(drawn.title, inline_svg(drawn.svg, name=name, alt=drawn.alt, variables=CSS_VARIABLES), drawn.note)
