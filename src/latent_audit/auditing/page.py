"""index.html of an audit: the answer, the figures and the tables, by the templates of the study's report.

Several audits side by side are the same page with an arm for each: its answer, and its rows in every figure and table.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from markupsafe import Markup

from latent_audit.auditing import page_arms as side_by_side
from latent_audit.auditing.beside_page import beside_tables_of
from latent_audit.auditing.decoded import Decoded
from latent_audit.auditing.page_figures import bands_of
from latent_audit.auditing.page_pictures import decoded_words, sheets
from latent_audit.auditing.page_tables import added_tables, html_tables
from latent_audit.auditing.view import has_mu, view_of, without_twins
from latent_audit.diagnostics.audit import AuditTables
from latent_audit.figures import audit as drawn
from latent_audit.figures.style import CSS_VARIABLES
from latent_audit.report.audit_lead import compared, six, tiles
from latent_audit.report.audit_words import HOLES_MATTER, KS_MATTERS, View, answer
from latent_audit.report.render import content_policy, environment, text_of
from latent_audit.report.sections import Section
from latent_audit.report.tables import data_table, number, set_number

SECTIONS = (  # id, title, the figures one of which it needs (none: always there)
    ("codes", "The codes", ("fig-codes",)),
    ("decoded", "Decoded", ("decoded",)),
    ("normality", "Each dimension", ()),
    ("joint", "All together", ()),
    ("posterior", "The posterior’s KL", ("fig-kl",)),
    ("pspace", "The p-value square", ("fig-pspace", "fig-areas")),
    ("images", "Images", ("images",)),
    ("provenance", "Provenance", ()),
)


class Arm(NamedTuple):
    """One audit of a page.

    name : "" where it is the only one. about : what stands in audit.json. samples : a title -> uint8 (sample, channel,
    height, width), shown as a sheet. decoded : what a decoder made, None without one.
    """

    name: str
    tables: AuditTables
    about: Mapping[str, Any]
    samples: Mapping[str, np.ndarray]
    decoded: Decoded | None = None


def audit_page(
    tables: AuditTables,
    about: Mapping[str, Any],
    samples: Mapping[str, np.ndarray],
    decoded: Decoded | None = None,
) -> str:
    """The page of one audit as an HTML document that loads nothing; what does not apply to its codes is absent."""
    return arms_page([Arm("", tables, about, samples, decoded)])


def arms_page(arms: Sequence[Arm]) -> str:
    """The page of one audit, or of several with different names."""
    arms = [arm._replace(tables=without_twins(arm.tables)) for arm in arms]
    views = {arm.name: view_of(arm.tables, arm.about) for arm in arms}
    bands = {arm.name: bands_of(views[arm.name], arm.tables) for arm in arms}
    per_dim = {arm.name: arm.tables.per_dim for arm in arms}
    figures, style = side_by_side.figures_of(views, bands, per_dim)
    decoded = [(arm.name, sheets(arm.decoded.pictures), decoded_words(arm.decoded)) for arm in arms if arm.decoded]
    pictures = [(arm.name, sheets(arm.samples)) for arm in arms if arm.samples]
    present = {*figures, *(["images"] if pictures else []), *(["decoded"] if decoded else [])}
    sections = [Section(id_, title) for id_, title, needs in SECTIONS if not needs or present & {*needs}]
    added = side_by_side.added_tables(
        {arm.name: [*added_tables(arm.tables), *beside_tables_of(arm.tables)] for arm in arms}
    )
    sections[-1:-1] = [section for section, _ in added]
    templates = environment()
    templates.filters["chosen"] = set_number
    return templates.get_template("audit.html").render(
        title=_title(arms),
        several=len(arms) > 1,
        heads=[_head(arm, views[arm.name]) for arm in arms],
        comparison=_comparison(views) if len(arms) > 1 else None,
        figures=figures,
        keys={
            "classes": side_by_side.class_key(views),
            "areas": [(f"var({CSS_VARIABLES[colour]})", "", name) for name, colour in drawn.AREA_COLOURS.items()],
        },
        sections=sections,
        anchors={section.anchor for section in sections},
        tables=side_by_side.tables_of(
            {arm.name: html_tables(arm.tables, views[arm.name], arm.about) for arm in arms}
        ),
        added=added,
        decoded=decoded,
        pictures=pictures,
        ks_matters=KS_MATTERS,
        holes_matter=HOLES_MATTER,
        style=Markup(text_of("style.css") + text_of("audit.css")) + style,
        script=Markup(text_of("report.js")),
        policy=content_policy(text_of("report.js")),
        **_given(arms, views),
    )  # fmt: skip


def _given(arms: Sequence[Arm], views: Mapping[str, View]) -> dict[str, Any]:
    """What the arms are of, which decides on the words of the page."""
    return {
        "mu_given": any("mu" in arm.about["arrays"] for arm in arms),
        "mu_words": " ".join(filter(None, (_mu_words(arm) for arm in arms))),
        "plane": any(len(view.per_dim) > 1 for view in views.values()),
        "labelled": any(view.classes is not None for view in views.values()),
    }


def name_of(about: Mapping[str, Any]) -> str:
    """The name of the file of codes; of arrays there is none."""
    return about.get("input", {}).get("codes", {}).get("name", "codes")


def _title(arms: Sequence[Arm]) -> str:
    return " and ".join(arm.name or name_of(arm.about) for arm in arms)


def _head(arm: Arm, view: View) -> dict[str, Any]:
    """What the page says of an arm before its figures."""
    about, latent_dim = arm.about, len(view.per_dim)
    parts = [f"{number(about['n'])} codes", f"{number(latent_dim)} dimension{'s' * (latent_dim > 1)}"]
    parts += [f"{number(about['classes'])} classes"] if about["classes"] else []
    parts = [name_of(about), *parts] if about.get("input") else parts
    return {
        "name": arm.name,
        "line": " · ".join(parts),
        "answer": answer(view),
        "numbers": tiles(six(view)),
        "advice": view.verdict.advice,
        "notes": about["notes"],
    }


def _comparison(views: Mapping[str, View]) -> Markup:
    caption = "Side by side: what may be sampled, and the numbers that matter, of z"
    return data_table(compared(views), caption=caption, headings={"arm": "codes of", "codes": "codes × dimensions"})


def _mu_words(arm: Arm) -> str:
    if "mu" not in arm.about["arrays"] or has_mu(arm.tables):
        return ""
    return f"{arm.name + ': ' if arm.name else ''}mu and z are the same codes here."
