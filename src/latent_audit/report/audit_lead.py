"""What an audit leads with: the six numbers that matter at this number of dimensions, each with what it is held to."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from markupsafe import Markup

from latent_audit.figures.dimensions import dimension_label, names_of
from latent_audit.report.audit_words import View
from latent_audit.report.tables import number, percent, set_number

MOST = 6
SD_MATTERS = 0.1  # |ln sd|, the verdict's margin of a dimension (diagnostics.margins); beyond chance, too


class Number(NamedTuple):
    """A number of the summary: what it is, the number as text, what it is held against; matters: it is too far off."""

    what: str
    value: str
    note: str
    matters: bool = False


def six(view: View) -> list[Number]:
    """The numbers that matter at this number of dimensions, the first MOST that there are."""
    latent_dim = len(view.per_dim)
    if latent_dim == 1:
        wanted = (active, rate, worst_dimension, centre, tails, empty, classifier)
    elif latent_dim <= 3:
        wanted = (active, rate, spread, worst_dimension, worst_pair, empty, radius, classifier)
        wanted = wanted if not _has_posterior(view) else tuple(w for w in wanted if w is not spread)
    else:
        wanted = (active, rate, spread, worst_dimension, radius, worst_pair, classifier, empty)
    found = [make(view) for make in wanted]
    return [one for one in found if one is not None][:MOST]


def _has_posterior(view: View) -> bool:
    return "kl_nats" in view.per_dim


def active(view: View) -> Number | None:
    """How many dimensions carry something, and how many have collapsed."""
    if not _has_posterior(view):
        return None
    on, off = int(view.per_dim["is_active"].sum()), int(view.per_dim["is_collapsed"].sum())
    note = f"their mean varies by more than 0.01 over the inputs; {number(off)} collapsed (KL below 0.01 nats)"
    return Number("Active dimensions", f"{number(on)} of {number(len(view.per_dim))}", note, on == 0)


def rate(view: View) -> Number | None:
    """The KL of the posterior."""
    if not _has_posterior(view):
        return None
    kl = view.per_dim["kl_nats"]
    first = _called(view, int(view.per_dim.loc[kl.idxmax(), "dim"]))
    note = f"nats to N(0, I) of a code’s posterior; most in {first}, {number(kl.max())}"
    return Number("KL", number(kl.sum()), note if len(kl) > 1 else "nats to N(0, 1) of a code’s posterior")


def spread(view: View) -> Number:
    """The widest and the narrowest direction."""
    of = view.axes
    low, high = of.sd[-1], of.sd[0]
    far = bool(high > max(of.high, np.exp(SD_MATTERS)) or low < min(of.low, np.exp(-SD_MATTERS)))
    note = (
        f"sd along principal axes, true draws {number(of.low)} to {number(of.high)}; widest: "
        f"{_listed(view, of.widest)}, narrowest: {_listed(view, of.narrowest)}"
    )
    return Number("Worst directions", f"{number(low)} to {number(high)}", note, far)


def worst_dimension(view: View) -> Number:
    """The dimension furthest from N(0, 1)."""
    worst = view.worst
    reason = _reason(view, "ks_d_max")
    what = "Worst dimension" if len(view.per_dim) > 1 else "Distance to N(0, 1)"
    of = f"KS distance of {_called(view, int(worst['dim']))}" if len(view.per_dim) > 1 else "KS distance"
    note = f"{of}: mean {number(worst['mean'])}, sd {number(worst['std'])}; {_from(reason, 0.05)}"
    return Number(what, number(worst["ks_d"]), note, _matters(reason))


def centre(view: View) -> Number:
    """Mean and sd of the only dimension."""
    row = view.worst
    off = _matters(_reason(view, "mean_max")) or _matters(_reason(view, "log_sd_max"))
    return Number("Mean and sd", f"{number(row['mean'])}, {number(row['std'])}", "N(0, 1) has 0 and 1", off)


def tails(view: View) -> Number | None:
    """Skewness or kurtosis of the worst dimension."""
    reason = _reason(view, "k2_max")
    if reason is None:
        return None
    note = f"largest skewness or excess kurtosis, either sign; {_from(reason, 1.0)}"
    return Number("Tails", number(reason["value"]), note, _matters(reason))


def worst_pair(view: View) -> Number | None:
    """The most correlated two dimensions."""
    reason = _reason(view, "correlation_max")
    if reason is None or not str(reason["where"]):
        return None
    pair = " and ".join(_called(view, int(dim)) for dim in str(reason["where"]).split(", "))
    note = f"correlation of {pair}, either sign; {_from(reason, 0.2)}"
    return Number("Worst pair", number(reason["value"]), note, _matters(reason))


def radius(view: View) -> Number | None:
    """Where the codes lie, and where N(0, I) does."""
    reason, (own, prior) = _reason(view, "radius_ks"), view.radius
    if reason is None:
        return None
    note = f"median distance from 0; draws of N(0, I): {number(prior)}. KS {number(reason['value'])}, "
    return Number("Radius", number(own), note + _from(reason, 0.05), _matters(reason))


def empty(view: View) -> Number | None:
    """How much of the prior is short of codes."""
    row, reason = view.joint.get("hole_mass"), _reason(view, "hole_mass")
    if row is None or not np.isfinite(row["value"]):
        return None
    place = (
        "in the emptiest plane that was found" if len(view.per_dim) > 3 else "of N(0, I) has less than half its codes"
    )
    note = f"{place}; true draws, as many: up to {percent(row['null_high'])}"
    return Number("Holes", percent(row["value"]), note, _matters(reason))


def classifier(view: View) -> Number | None:
    """Whether a classifier tells codes from draws."""
    reason = _reason(view, "c2st_auc")
    if reason is None:
        return None
    note = "of pairs in which a classifier ranks a code above a draw; chance 50%, matters from 55%"
    return Number("Told from draws", percent(reason["value"]), note, _matters(reason))


def tiles(numbers: list[Number]) -> Markup:
    """The numbers as a description list, with `numbers` and `matters` as classes."""
    rows = Markup("").join(
        Markup("<div{}><dt>{}</dt><dd><b>{}</b> <span>{}</span></dd></div>").format(
            Markup(' class="matters"') if one.matters else "", one.what, one.value, one.note
        )
        for one in numbers
    )
    return Markup('<dl class="six">{}</dl>').format(rows)


def compared(views: Mapping[str, View]) -> pd.DataFrame:
    """A row per arm: what may be sampled, and its six numbers under their names."""
    rows = []
    for arm, view in views.items():
        shown = {one.what: one.value for one in six(view)}
        size = f"{number(view.about['n'])} × {number(view.about['latent_dim'])}"
        rows.append({"arm": arm, "may be sampled": MAY[view.verdict.may_sample], "codes": size, **shown})
    return pd.DataFrame(rows)


MAY = {"prior": "N(0, I)", "fitted": "a fit", "no": "nothing", "undecided": "undecided"}


def summary_html(view: View, picture: str) -> str:
    """The verdict, the numbers, a picture and what to do, as a fragment for a notebook: its styles are its own."""
    cells = Markup("").join(
        Markup('<td style="text-align:left;vertical-align:top;padding:.3em 1.2em .3em 0;max-width:15em">'
               '<div style="opacity:.75">{}</div><div style="font-size:1.3em;font-weight:600">{}{}</div>'
               '<div style="opacity:.75;font-size:.85em;white-space:normal">{}</div></td>').format(
            one.what, one.value, " ▲" if one.matters else "", one.note
        ) + (Markup("</tr><tr>") if place == 2 else Markup(""))
        for place, one in enumerate(six(view))
    )  # fmt: skip
    advice = Markup("").join(Markup("<li>{}</li>").format(line) for line in view.verdict.advice)
    alt = "What the codes carry or how they spread, their distances from 0, and the worst of them, against N(0, I)"
    return str(
        Markup(
            '<div class="latent-audit"><p><strong>{}</strong></p><table style="border:0"><tbody><tr>{}</tr></tbody>'
            "</table>{}{}<p style=\"opacity:.75;font-size:.85em\">▲: differs by enough to matter.</p></div>"
        ).format(
            view.verdict.sentence, cells,
            Markup('<img alt="{}" src="{}" style="max-width:100%">').format(alt, picture) if picture else "",
            Markup("<p>What to do next:</p><ul>{}</ul>").format(advice) if advice else "",
        )
    )  # fmt: skip


def _reason(view: View, metric: str) -> Any:
    rows = view.verdict.reasons
    found = rows[rows["metric"] == metric]
    return None if found.empty else found.iloc[0]


def _matters(reason: Any) -> bool:
    return reason is not None and bool(reason["matters"])


def _from(reason: Any, otherwise: float) -> str:
    margin = otherwise if reason is None or not np.isfinite(reason["margin"]) else float(reason["margin"])
    return f"matters from {set_number(margin)}"


def _called(view: View, dim: int) -> str:
    return dimension_label(dim, names_of(view.per_dim))


def _listed(view: View, dims: tuple[int, ...]) -> str:
    return ", ".join(_called(view, dim) for dim in dims)
