"""index.html of an audit: the answer, the figures and the tables, by the templates of the study's report."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup
from scipy.stats import kstwobign

from latent_audit.auditing.beside_page import beside_tables_of
from latent_audit.auditing.files import ForeignCodes
from latent_audit.auditing.page_tables import added_tables, dimension_table, html_tables
from latent_audit.diagnostics.audit import AuditTables
from latent_audit.figures import audit as drawn
from latent_audit.figures.canvas import Band
from latent_audit.figures.compose import WINDOW
from latent_audit.figures.dimensions import dimension_label, names_of
from latent_audit.figures.p_value_panels import TESTS, p_value_maps
from latent_audit.figures.style import CSS_VARIABLES, class_colours
from latent_audit.report.audit_captions import caption
from latent_audit.report.audit_words import HOLES_MATTER, KS_MATTERS, View, answer
from latent_audit.report.data_uri import contact_sheet, webp_uri
from latent_audit.report.page_panels import hole_map, page_rows
from latent_audit.report.render import content_policy, environment, text_of
from latent_audit.report.sections import Section, shared_styles
from latent_audit.report.study import Figure
from latent_audit.report.tables import set_number

ABREAST = 8  # images side by side
SECTIONS = (  # id, title, the figures one of which it needs (none: always there)
    ("codes", "The codes", ("fig-codes",)),
    ("normality", "Each dimension", ()),
    ("joint", "All together", ()),
    ("posterior", "The posterior’s KL", ("fig-kl",)),
    ("pspace", "The p-value square", ("fig-pspace", "fig-areas")),
    ("images", "Images", ("images",)),
    ("provenance", "Provenance", ()),
)
BESIDE = ("disentanglement", "directions", "codebook")  # tables of one code
COLOURED = {"fig-codes", "fig-pspace"}


def audit_page(
    tables: AuditTables, about: Mapping[str, Any], codes: ForeignCodes, samples: Mapping[str, np.ndarray]
) -> str:
    """The page as one HTML document that loads nothing; what does not apply to these codes is absent from it.

    Parameters
    ----------
    about : what goes into audit.json. codes : z (sample, latent) and labels, in the order of the tables.
    samples : a title -> uint8 (sample, channel, height, width), shown as a sheet.
    """
    tables = _without_twins(tables)
    view = _view(tables, about)
    figures, style = _figures(view, tables, codes)
    present = {*figures, *(["images"] if samples else [])}
    sections = [Section(id_, title) for id_, title, needs in SECTIONS if not needs or present & {*needs}]
    more = [*added_tables(tables), *beside_tables_of(tables)]
    added = [(Section(f"measures-{k}", title), table) for k, (title, table) in enumerate(more, start=1)]
    sections[-1:-1] = [section for section, _ in added]
    script = text_of("report.js")
    templates = environment()
    templates.filters["chosen"] = set_number
    return templates.get_template("audit.html").render(
        about=about,
        answer=answer(view),
        advice=tables.judgement.advice,
        figures=figures,
        keys={
            "classes": _class_key(view),
            "areas": [(f"var({CSS_VARIABLES[colour]})", "", name) for name, colour in drawn.AREA_COLOURS.items()],
        },
        sections=sections,
        anchors={section.anchor for section in sections},
        tables=html_tables(tables, view, about),
        added=added,
        sheets=[_sheet(title, images) for title, images in samples.items()],
        mu_words="mu and z are the same codes here." if "mu" in about["arrays"] and not _has_mu(tables) else "",
        ks_matters=KS_MATTERS,
        holes_matter=HOLES_MATTER,
        style=Markup(text_of("style.css")) + style,
        script=Markup(script),
        policy=content_policy(script),
    )


def _view(tables: AuditTables, about: Mapping[str, Any]) -> View:
    per_dim = _of_z(tables.per_dim)
    latent_dim = len(per_dim)
    return View(
        about=about,
        per_dim=per_dim,
        joint={row["metric"]: row for row in _of_z(tables.joint).to_dict("records")},
        transforms=_of_z(tables.transforms),
        classes=None if tables.classes is None else _of_z(tables.classes),
        separability=None
        if tables.separability is None
        else _of_z(tables.separability).set_index("metric")["value"].to_dict(),
        ks_chance=float(kstwobign.ppf(0.975 ** (1 / latent_dim)) / np.sqrt(about["n"])),
        drawn=drawn.drawn_dims(per_dim),
        tests=list(TESTS),
        verdict=tables.judgement,
    )


def _has_mu(tables: AuditTables) -> bool:
    return bool((tables.per_dim["code"] == "mu").any())


def _of_z(table: pd.DataFrame) -> pd.DataFrame:
    return table[table["code"] == "z"].drop(columns="code").reset_index(drop=True)


def _figures(view: View, tables: AuditTables, codes: ForeignCodes) -> tuple[dict[str, Figure], Markup]:
    """The numbered figures that these codes have, and the style sheet that they share."""
    bands = _bands(view, tables, codes)
    rows, style = shared_styles({anchor: page_rows(anchor, parts) for anchor, parts in bands.items()})
    few = view.classes is not None and len(view.classes) <= drawn.MOST_CLASSES
    return {
        anchor: Figure(
            anchor,
            index,
            rows[anchor],
            caption(anchor, view),
            dimension_table(tables.per_dim) if anchor == "fig-pvalues" else None,
            "areas" if anchor == "fig-areas" else "classes" if few and anchor in COLOURED else "",
        )
        for index, anchor in enumerate(rows, start=1)
    }, style


def _bands(view: View, tables: AuditTables, codes: ForeignCodes) -> dict[str, list[Band]]:
    latent_dim, dims, z = view.about["latent_dim"], list(tables.dims), codes.z
    n_classes = 0 if view.classes is None else len(view.classes)
    axes = [dimension_label(dim, names_of(view.per_dim)) for dim in dims]
    labels = None if codes.labels is None else np.unique(codes.labels, return_inverse=True)[1]
    bands: dict[str, list[Band]] = {}
    if latent_dim > 1:
        hole = hole_map(z, view.about["seed"], window=WINDOW) if latent_dim == 2 else None
        bands["fig-codes"] = drawn.code_plane(z[:, dims], labels, n_classes, axes=axes, hole=hole)
    bands["fig-histograms"] = drawn.histograms(z, view.per_dim)
    if len(view.drawn) < latent_dim:
        low, high = kstwobign.ppf([0.025, 0.975]) / np.sqrt(len(z))
        bands["fig-profile"] = drawn.profile(view.per_dim, null=(float(low), float(high)), margin=KS_MATTERS)
    as_arm = view.per_dim.assign(arm="z", code="z")
    bands["fig-pvalues"] = p_value_maps(as_arm, family=len(TESTS) * latent_dim)
    if "index_code_mi" in view.joint:
        values = {metric: float(row["value"]) for metric, row in view.joint.items()}
        bands["fig-kl"] = drawn.kl_parts(values, view.per_dim)
    if latent_dim > 1:
        bands["fig-pspace"] = drawn.unit_square(z[:, dims], labels, n_classes, tables.class_map, axes=axes)
    if view.classes is not None and view.classes["area"].notna().all():
        bands["fig-areas"] = drawn.areas(view.classes)
    return bands


def _class_key(view: View) -> list[tuple[str, str, str]]:
    if view.classes is None:
        return []
    names = view.classes["class_name"].astype(str)
    marks = ["" if name == str(k) else str(k) for k, name in enumerate(names)]  # a number is its own mark
    return list(zip(class_colours(len(names)), marks, names, strict=True))


def _without_twins(tables: AuditTables) -> AuditTables:
    """The tables without the rows of mu where they only repeat those of z."""
    rows = {code: part.drop(columns="code") for code, part in tables.per_dim.groupby("code", sort=False)}
    if "mu" not in rows or not rows["mu"].reset_index(drop=True).equals(rows["z"].reset_index(drop=True)):
        return tables
    kept = {
        name: table[table["code"] == "z"].reset_index(drop=True)
        for name, table in tables._asdict().items()
        if isinstance(table, pd.DataFrame) and name not in BESIDE
    }
    return tables._replace(**kept)


def _sheet(title: str, images: np.ndarray) -> tuple[str, str, int, int]:
    """Images in rows of ABREAST as one picture: title, data URI, width, height. A last row is filled up with black."""
    rows = -(-len(images) // ABREAST)
    tiles = np.zeros((rows * ABREAST, *images.shape[1:]), dtype=np.uint8)
    tiles[: len(images)] = images
    sheet = contact_sheet(tiles.reshape(rows, ABREAST, *images.shape[1:]), gap=1)
    return title, webp_uri(sheet), sheet.width, sheet.height
