"""The answer in pictures: a column per arm with its verdict, its draws from N(0, I) and from a mixture, its holes."""

from collections.abc import Mapping
from math import isfinite
from typing import Any, NamedTuple

import numpy as np
from markupsafe import Markup, escape

from latent_audit.report.answer import HOLES, chip, rows_of
from latent_audit.report.data_uri import contact_sheet, webp_uri
from latent_audit.report.metric_text import interval_words
from latent_audit.report.pictures import Pictures
from latent_audit.report.seed_summary import hole_limit, per_seed
from latent_audit.report.study import Study, beta_words

SHOWN, ABREAST = 8, 4  # draws of each law, and how many side by side
LAWS = {"samples_prior": "N(0, I)", "samples_gmm": "a mixture fitted to the codes"}


class Sheet(NamedTuple):
    """Draws from one law as one picture."""

    law: str
    uri: str
    width: int
    height: int


class Column(NamedTuple):
    """One arm. kind, chip : its verdict on holes. holes : share of the prior, in words, with its interval."""

    arm: str
    name: str
    colour: str
    weight: str
    kind: str
    chip: str
    sheets: list[Sheet]
    bar: Markup
    holes: str


def columns(study: Study, pictures: Pictures, *, judged: bool) -> list[Column]:
    """The columns of the opening, in the order of the arms. judged : whether verdicts may be drawn from these data."""
    shares = {arm: _share(study, arm) for arm in study.arms}
    most = max([0.1, *(end for share in shares.values() for end in (*share["values"], share["high"]) if isfinite(end))])
    made = []
    for arm, share in shares.items():
        kind, words = chip(study, arm) if judged else ("none", "Not judged")
        bar = hole_bar(
            share, limit=hole_limit(study), most=most, alt=f"{study.names[arm]}: {_words(study, arm, share)}"
        )
        sheets = [_sheet(law, pictures[arm][key][:SHOWN]) for key, law in LAWS.items() if key in pictures[arm]]
        made.append(
            Column(
                arm, study.names[arm], study.colours[arm], beta_words(study.arms[arm]), kind, words, sheets, bar,
                _words(study, arm, share),
            )
        )  # fmt: skip
    return made


def _share(study: Study, arm: str) -> Mapping[str, Any]:
    """Mean, interval and seeds of the arm's share of prior draws in holes; NaN where it was not measured."""
    rows = per_seed(study, "joint", study.holes)
    values = rows.loc[rows["arm"] == arm, "value"].tolist()
    found = study.metrics.get(arm, {}).get(study.holes, {})
    ends = {key: float("nan") if found.get(key) is None else float(found[key]) for key in ("low", "high")}
    mean = float(np.mean(values)) if values else float("nan")
    return {"mean": mean, "values": values, "by_values": bool(found.get("by_values")), **ends}


def _words(study: Study, arm: str, share: Mapping[str, Any]) -> str:
    if not isfinite(share["mean"]):
        return "holes were not measured"
    row = rows_of(study, HOLES).get(arm)
    mean = f"{100 * share['mean']:.1f}%"
    if row is None or not isfinite(float(row["low"])):
        return f"{mean} of draws from N(0, I) land in a hole"
    words = interval_words(row, study.measures)
    both = mean if words == mean else f"{mean} ({words})"
    return f"{words if share['by_values'] else both} of draws from N(0, I) land in a hole"


def hole_bar(share: Mapping[str, Any], *, limit: float | None, most: float, alt: str) -> Markup:
    """The share of the prior without codes on an axis from 0 to `most`: bar, interval, a dot per seed, the limit."""

    def at(x: float) -> str:
        return f"{200 * min(max(x / most, 0), 1):.1f}"

    parts = ['<rect x="0" y="10" width="200" height="12" class="h-track"/>']
    if isfinite(share["mean"]) and not share["by_values"]:
        parts.append(f'<rect x="0" y="10" width="{at(share["mean"])}" height="12" class="h-share"/>')
    if isfinite(share["low"]) and isfinite(share["high"]) and not share["by_values"]:
        parts.append(f'<line x1="{at(share["low"])}" x2="{at(share["high"])}" y1="16" y2="16" class="h-interval"/>')
    parts += [f'<circle cx="{at(x)}" cy="16" r="2.6" class="h-seed"/>' for x in share["values"] if isfinite(x)]
    if limit is not None:
        x = at(limit)
        anchor, to = ("start", float(x) + 3) if limit < most / 2 else ("end", float(x) - 3)
        parts.append(f'<line x1="{x}" x2="{x}" y1="2" y2="26" class="h-limit"/>')
        parts.append(f'<text x="{to:g}" y="7" text-anchor="{anchor}">limit {100 * limit:g}%</text>')
    parts.append(f'<text x="0" y="34">0</text><text x="200" y="34" text-anchor="end">{100 * most:.0f}%</text>')
    return Markup(
        f'<svg viewBox="-3 -3 206 40" class="hole-bar" role="img" aria-label="{escape(alt)}">{"".join(parts)}</svg>'
    )


def _sheet(law: str, images: np.ndarray) -> Sheet:
    sheet = contact_sheet(images.reshape(-1, ABREAST, *images.shape[1:]), gap=1)
    return Sheet(law, webp_uri(sheet), sheet.width, sheet.height)
