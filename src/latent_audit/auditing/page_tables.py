"""The tables of an audit's page, in words and rounded; the .csv files beside it hold them whole."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from latent_audit.auditing.map_tables import map_tables
from latent_audit.base.measures import OF_LABELS, Metric, phrase_of
from latent_audit.diagnostics.audit import AuditTables
from latent_audit.diagnostics.regions import shown_rows
from latent_audit.report.audit_words import View, outside
from latent_audit.report.measure_tables import by_section, section_title
from latent_audit.report.tables import data_table, number, percent

# The sections of a page: of what a metric of another section is a table of its own.
ORDER = {name: place for place, name in enumerate(("holes", "normality", "codes", "pspace"))}
MOST_ROWS = 100  # of per_dim on the page, the furthest from N(0, 1) first; the file has all
PER_DIM = ["code", "dim", "mean", "std", "skew", "excess_kurtosis", "ks_d", "ks_p_holm", "w1", "shapiro_p_holm"]
HEADINGS = {"dim": "dimension, from 0", "name": "column", "distinct": "different values",
            "std": "sd", "excess_kurtosis": "ex. kurtosis", "ks_d": "KS D", "ks_p_holm": "KS p, Holm", "w1": "W1",
            "shapiro_p_holm": "Shapiro p, Holm", "kl_nats": "KL, nats", "is_active": "active"}  # fmt: skip


def html_tables(tables: AuditTables, view: View, about: Mapping[str, Any]) -> dict[str, Markup | None]:
    """reasons, transforms, joint (what has a null), extents (what has none), separability (or None), provenance."""
    joint = tables.joint[~tables.joint["metric"].isin(_elsewhere(tables.metrics))]
    tested = joint["null_high"].notna() & ~joint["metric"].isin(OF_LABELS)
    scores = None
    if tables.separability is not None:
        scores = data_table(
            _named(tables.separability, tables.metrics)[["what", "code", "value"]], row_headers=1,
            caption="Telling the classes apart: fitted on a half of each class, scored on the other (separability.csv)",
        )  # fmt: skip
    return {
        "reasons": _reason_table(view, tables.metrics),
        "transforms": _transform_table(tables.transforms),
        "joint": _joint_table(_named(joint[tested], tables.metrics), view),
        "extents": data_table(
            _named(joint[~tested], tables.metrics)[["what", "code", "value"]], caption="The other rows of joint.csv"
        ),
        "separability": scores,
        "provenance": provenance_table(about),
    }


def added_tables(tables: AuditTables) -> list[tuple[str, Markup]]:
    """Title and table of each section that the page has not got: of latent maps, and what a measure brought along."""
    found = [*map_tables(tables.maps), *_region_table(tables)]
    elsewhere = _elsewhere(tables.metrics)
    for section, metrics in by_section(elsewhere.values()).items():
        rows = tables.joint[tables.joint["metric"].isin([metric.name for metric in metrics])]
        if len(rows):
            shown = _named(rows, tables.metrics)[["what", "code", "value"]]
            title = section_title(section)
            found.append((title, data_table(shown, caption=f"{title}: rows of joint.csv")))
    return found


def _region_table(tables: AuditTables) -> list[tuple[str, Markup]]:
    """Where z and N(0, I) differ most, if they do anywhere."""
    found = tables.judgement.regions
    shown = None if found is None else shown_rows(found)
    if shown is None or shown.empty:
        return []
    rows = shown.assign(**{name: shown[name].map(percent) for name in ("codes", "low", "high", "prior")})
    rows = rows.rename(columns={"codes": "share of z", "low": "at least", "high": "at most", "prior": "of N(0, I)"})
    caption = (
        "Where z and N(0, I) differ after Holm, the largest difference first (regions.csv). Found on one half of "
        "the codes and counted on the other; the ends are of simultaneous 95% intervals"
    )
    return [("Where they differ", data_table(rows, caption=caption))]


def _elsewhere(metrics: Mapping[str, Metric]) -> dict[str, Metric]:
    return {name: metric for name, metric in metrics.items() if metric.section not in ORDER}


def _named(table: pd.DataFrame, metrics: Mapping[str, Metric]) -> pd.DataFrame:
    """`table` with the metrics in words, by their sections and in the order in which they are described, mu above z."""
    ordered = sorted(metrics.values(), key=lambda metric: ORDER.get(metric.section, len(ORDER)))
    place = {metric.name: index for index, metric in enumerate(ordered)}
    order = table["metric"].map(place).fillna(len(place)).sort_values(kind="stable").index
    return table.assign(what=[phrase_of(str(metric), metrics) for metric in table["metric"]]).loc[order]


def _joint_table(rows: pd.DataFrame, view: View) -> Markup:
    chance = [f"{number(low)} to {number(high)}" for low, high in zip(rows["null_low"], rows["null_high"], strict=True)]
    found = ["outside chance" if outside(row) else "within chance" for row in rows.to_dict("records")]
    shown = rows.assign(chance=chance, found=found)[["what", "code", "value", "chance", "found", "p_value"]]
    counted = int(rows["n_p"].max())
    return data_table(
        shown,
        caption=f"joint.csv against chance: where 95% of as many true draws fall. p is of {number(counted)} codes"
        f"{'' if counted == view.about['n'] else ', a seeded part of all'}, each on its own: what is left of them "
        "together stands in reasons.csv",
        headings={"what": "statistic", "found": "it is", "p_value": "p"},
    )


def _reason_table(view: View, metrics: Mapping[str, Metric]) -> Markup:
    rows = view.verdict.reasons
    matters, differs = rows["matters"], rows["differs"]
    size = rows["effect"].notna()
    found = np.select(
        [matters, differs & size, differs], ["differs, and matters", "differs, too little to matter", "differs"], "-"
    )
    shown = rows.assign(what=[phrase_of(str(metric), metrics) for metric in rows["metric"]], found=found)
    return data_table(
        shown[["what", "where", "value", "effect", "margin", "p_holm", "found"]],
        caption="reasons.csv: every test of z as one family; p after Holm’s adjustment. An effect matters from its "
        "margin on; a test without one tells that there is a difference, not how large it is",
        headings={"what": "statistic", "where": "dimension", "p_holm": "p, Holm", "found": "it"},
    )


def _transform_table(transforms: pd.DataFrame) -> Markup:
    wide = transforms.pivot(index=["code", "transform"], columns="metric", values="value").reset_index()
    order = wide["transform"].map({name: place for place, name in enumerate(("raw", "standardised", "whitened"))})
    wide = wide.assign(order=order).sort_values(["code", "order"], kind="stable").drop(columns="order")
    return data_table(
        wide[["transform", "code", "ks_d_max", "w1_max"]],
        caption="A fair hearing: the worst dimension as it is, with mean and sd taken out, and with the covariance too",
        headings={"transform": "codes", "code": "of", "ks_d_max": "largest KS D", "w1_max": "largest W1"},
    )


def dimension_table(per_dim: pd.DataFrame) -> Markup:
    """The rows of per_dim.csv, mu and z, the furthest from N(0, 1) first, at most MOST_ROWS."""
    worst = per_dim.sort_values("ks_d", ascending=False, kind="stable").head(MOST_ROWS)
    named = ["name"] if "name" in worst else []
    named += [] if per_dim["ks_p"].notna().all() else ["kind", "distinct"]
    columns = [*PER_DIM[:2], *named, *PER_DIM[2:], *(name for name in ("kl_nats", "is_active") if name in worst)]
    left_out = len(per_dim) - len(worst)
    return data_table(
        worst[columns],
        caption="Each dimension, the furthest from N(0, 1) first"
        + (f"; {number(left_out)} more rows are in per_dim.csv" if left_out else ""),
        headings=HEADINGS,
        row_headers=2,
    )


def provenance_table(about: Mapping[str, Any]) -> Markup:
    """What went in and how it was measured."""
    rows: Sequence[tuple[str, str]] = [
        *((f"{role}: {file['name']}", file["sha256"]) for role, file in about.get("input", {}).items()),
        ("shape", f"{about['n']} × {about['latent_dim']} ({', '.join(about['arrays'])})"),
        *((f"columns of {role}", ", ".join(names)) for role, names in about.get("columns", {}).items()),
        ("seed", str(about["seed"])),
        *((name.replace("_", " "), str(value)) for name, value in about["settings"].items()),
        *about["versions"].items(),
    ]
    return data_table(pd.DataFrame(rows, columns=["what", "value"]), caption="Files (sha256), settings, versions")
