"""The page's tables of what stands beside codes, and the whole page of a discrete code."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from markupsafe import Markup

from latent_audit.auditing.page_tables import provenance_table
from latent_audit.base.measures import Metric, phrase_of
from latent_audit.diagnostics.audit import AuditTables
from latent_audit.diagnostics.ground_truth import NO_NORMALITY
from latent_audit.report.render import Section, content_policy, environment, text_of
from latent_audit.report.tables import data_table

OF_DIRECTIONS = [
    "direction",
    "n_with",
    "n_without",
    "length",
    "effect_size",
    "auc",
    "probe_auc",
    "probe_cosine",
    "cosine_max",
]
HEADINGS = {
    "direction": "attribute", "n_with": "codes with", "n_without": "without", "effect_size": "effect, sd",
    "auc": "AUC along it", "probe_auc": "AUC, probe", "probe_cosine": "cosine to the probe",
    "cosine_max": "largest cosine to another",
}  # fmt: skip


def beside_tables_of(tables: AuditTables) -> list[tuple[str, Markup]]:
    """Title and table of each section that factors, attributes or indices bring along."""
    found = []
    if (scores := tables.disentanglement) is not None:
        caption = (
            "disentanglement.csv: how dimensions and factors belong together. Chance: the same with the factors "
            "dealt out anew among the samples"
        )
        shown = _in_words(scores, tables.metrics)[["what", "code", "value", "chance"]]
        found.append(("Factors", data_table(shown, caption=caption)))
    if (directions := tables.directions) is not None:
        caption = (
            "directions.csv: from the codes without an attribute to those with it. Effect and AUC are of samples that "
            "the direction was not made of; the file has every direction and every cosine"
        )
        found.append(("Attributes", data_table(directions[OF_DIRECTIONS], caption=caption, headings=HEADINGS)))
    if (codebook := tables.codebook) is not None:
        shown = _in_words(codebook, tables.metrics)[["what", "value"]]
        found.append(("Codebook", data_table(shown, caption="codebook.csv: how many entries are used, and how evenly")))
    return found


def codebook_page(tables: AuditTables, about: Mapping[str, Any]) -> str:
    """The page of a discrete code as one HTML document that loads nothing."""
    script = text_of("report.js")
    return environment().get_template("codebook.html").render(
        about=about,
        headline=tables.verdict,
        advice=tables.judgement.advice,
        no_normality=NO_NORMALITY,
        tables=[table for _, table in beside_tables_of(tables)],
        provenance=provenance_table(about),
        sections=[Section("codebook", "The codebook"), Section("provenance", "Provenance")],
        style=Markup(text_of("style.css")),
        script=Markup(script),
        policy=content_policy(script),
    )  # fmt: skip


def _in_words(rows: pd.DataFrame, metrics: Mapping[str, Metric]) -> pd.DataFrame:
    return rows.assign(what=[phrase_of(str(metric), metrics) for metric in rows["metric"]])
