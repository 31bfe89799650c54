"""index.html of an audit: what was found, in a few sentences and the tables, by the templates of the report."""

from collections.abc import Mapping
from importlib.resources import files
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from latent_audit.api import AuditTables
from latent_audit.report.images import contact_sheet, webp_uri
from latent_audit.report.render import content_policy, environment
from latent_audit.report.tables import data_table, number, percent

MOST_ROWS = 100  # of per_dim on the page, the furthest from N(0, 1) first; the file has all
PER_DIM = ["code", "dim", "mean", "std", "skew", "excess_kurtosis", "ks_d", "ks_p_holm", "w1", "shapiro_p_holm"]
TEMPLATE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{{ policy }}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Audit of {{ about.input.codes.name }} · latent-audit</title>
<link rel="icon" href="data:,">
<style>{{ style }}</style>
</head>
<body>
<main id="main">
<header class="hero">
<p class="eyebrow">latent-audit · {{ about.input.codes.name }}</p>
<h1>May you sample from N(0, I)?</h1>
{% for sentence in findings %}<p class="lede">{{ sentence }}</p>
{% endfor %}
{% for note in about.notes %}<p class="fine">{{ note }}</p>
{% endfor %}
</header>
{% for title, table in tables.items() %}
<section><h2>{{ title }}</h2><div class="wide">{{ table }}</div></section>
{% endfor %}
{% if sheets %}
<section><h2>Images</h2>
{% for title, uri in sheets.items() %}<p>The codes {{ title }}.</p>
<img class="sheet" src="{{ uri }}" alt="Images of the codes {{ title }}">
{% endfor %}</section>
{% endif %}
<section><h2>Provenance</h2><div class="wide">{{ provenance }}</div></section>
</main>
<script>{{ script }}</script>
</body>
</html>
"""


def audit_page(tables: AuditTables, about: Mapping[str, Any], samples: Mapping[str, np.ndarray]) -> str:
    """The page as one HTML document that loads nothing.

    Parameters
    ----------
    about : what goes into audit.json. samples : a title -> uint8 (sample, channel, height, width), shown as a strip.
    """
    script = _text("report.js")
    return (
        environment()
        .from_string(TEMPLATE)
        .render(
            about=about,
            findings=_findings(tables, about),
            tables=_html_tables(tables),
            sheets={title: webp_uri(contact_sheet(images[None], gap=1)) for title, images in samples.items()},
            provenance=_provenance(about),
            style=Markup(_text("style.css")),
            script=Markup(script),
            policy=content_policy(script),
        )
    )


def _findings(tables: AuditTables, about: Mapping[str, Any]) -> list[str]:
    """The few numbers that answer the question, each with what chance would give; of z."""
    per_dim = [row for row in tables.per_dim.to_dict("records") if row["code"] == "z"]
    worst = max(per_dim, key=lambda row: row["ks_d"])
    holes = _of_z(tables.joint)["hole_fraction"]
    sentences = [
        f"{number(about['n'])} codes z of {number(about['latent_dim'])} dimensions. A draw from N(0, I) lands where no "
        f"code is near in {percent(holes['value'])} of cases; true draws of N(0, I), as many, would leave "
        f"{percent(holes['null_low'])} to {percent(holes['null_high'])}.",
        f"The dimension furthest from N(0, 1) is at a KS distance of {number(worst['ks_d'])} (0 to 1), with mean "
        f"{number(worst['mean'])} and standard deviation {number(worst['std'])}.",
    ]
    if tables.separability is not None:
        scores = _of_z(tables.separability)
        sentences.append(
            f"Nearest neighbours read the class from z in {percent(scores['knn_accuracy']['value'])} of cases; always "
            f"naming the commonest class would be right in {percent(scores['majority_accuracy']['value'])}."
        )
    return sentences


def _of_z(table: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """metric -> its row, of code z."""
    return {row["metric"]: row for row in table.to_dict("records") if row["code"] == "z"}


def _html_tables(tables: AuditTables) -> dict[str, Markup]:
    worst = tables.per_dim.sort_values("ks_d", ascending=False, kind="stable").head(MOST_ROWS)
    columns = [*PER_DIM, *(name for name in ("kl_nats", "is_active") if name in worst)]
    left_out = len(tables.per_dim) - len(worst)
    more = f" {left_out} more are in per_dim.csv." if left_out else ""
    shown = {
        "All dimensions together": (tables.joint, "joint.csv: against N(0, I), and what chance gives", 2),
        "Each dimension": (worst[columns], f"per_dim.csv, the furthest from N(0, 1) first.{more}", 2),
        "Classes": (tables.classes, "classes.csv: share of the codes, and of the prior's mass", 3),
        "Telling classes apart": (tables.separability, "separability.csv", 2),
        "After standardising and whitening": (tables.transforms, "transforms.csv: worst dimension", 3),
    }
    return {
        title: data_table(table, caption=caption, row_headers=heads)
        for title, (table, caption, heads) in shown.items()
        if table is not None
    }


def _provenance(about: Mapping[str, Any]) -> Markup:
    rows = [(f"{role}: {file['name']}", file["sha256"]) for role, file in about["input"].items()]
    rows += [("seed", str(about["seed"])), *((name, str(value)) for name, value in about["settings"].items())]
    rows += list(about["versions"].items())
    return data_table(pd.DataFrame(rows, columns=["what", "value"]), caption="Files (sha256), settings, versions")


def _text(name: str) -> str:
    return files("latent_audit.report").joinpath(name).read_text(encoding="utf-8")
