"""Everything -> one self-contained HTML page."""

import base64
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from typing import Any, NamedTuple

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from latent_audit.report import answer, verdicts
from latent_audit.report.captions import caption
from latent_audit.report.explorer import ExplorerData
from latent_audit.report.latent_captions import P_COLUMNS
from latent_audit.report.measure_tables import measure_tables, section_title
from latent_audit.report.study import Figure, Row, Study, beta_words
from latent_audit.report.summary import summary
from latent_audit.report.svg import hoist_styles
from latent_audit.report.tables import data_table, number, percent, plain, set_number

MAX_BYTES = 3_000_000
MIN_SEEDS = 3  # below this an interval over seeds means little, and the page says so
SCRIPTS = ("report.js", "decoder.js", "explorer.js")
SECTIONS = (  # id, title, the figures it holds (none: always there)
    ("verdicts", "Verdicts", ()),
    ("run", "What was run", ()),
    ("training", "Training", ("fig-training",)),
    ("reconstructions", "Reconstructions", ("fig-reconstructions",)),
    ("codes", "The codes", ("fig-codes", "fig-separability")),
    ("normality", "Normal, or not", ("fig-histograms", "fig-pvalues")),
    ("pspace", "The p-value square", ("fig-pspace", "fig-areas")),
    ("holes", "Holes", ("fig-holes",)),
    ("generation", "Generation", ("fig-lattice", "fig-samples", "fig-generation")),
    ("continuity", "Between two codes", ("fig-continuity",)),
    ("explorer", "Explore", ()),
    ("provenance", "Provenance", ()),
)
HEADINGS = {
    "arm": "arm",
    "code": "code",
    "dim": "dim",
    "mean": "mean",
    "std": "sd",
    "skew": "skew",
    "excess_kurtosis": "ex. kurtosis",
    "ks_d": "KS D",
    "w1": "W1",
    "ad_a2": "AD A²",
    "kl_nats": "KL, nats",
} | {f"{p}_holm": f"{p.removesuffix('_p').upper()} p, Holm" for p in P_COLUMNS}
KEYS = {
    "fig-histograms": "arms",
    "fig-areas": "arms",
    "fig-generation": "arms",
    "fig-codes": "classes",
    "fig-pspace": "classes",
}


class Section(NamedTuple):
    """A section's place in the page."""

    anchor: str
    title: str


def render_study(study: Study, figures: Mapping[str, Sequence[Row]], explorer: ExplorerData | None) -> str:
    """The report of a study as one HTML document that loads nothing.

    Parameters
    ----------
    figures : anchor (fig-training, fig-codes, ...) -> rows of panels already drawn; what is not there is left out.
    explorer : codes, sprite, and weights or lattices for the page's own script; None leaves the explorer out.

    Raises
    ------
    ValueError : a caption lacks its number, or a verdict is none that there are.
    jinja2.UndefinedError : the template asks for something that was not given.
    """
    numbered, figure_style = _numbered(study, figures)
    present = [
        Section(anchor, title)
        for anchor, title, held in SECTIONS
        if (not held or any(name in numbered for name in held)) and (anchor != "explorer" or explorer is not None)
    ]
    own_tables, more_tables = measure_tables(study, {section.anchor for section in present})
    titles = {anchor: title for anchor, title, _ in SECTIONS}
    more = [
        (Section(f"measures-{index}", titles.get(name) or section_title(name)), table)
        for index, (name, table) in enumerate(more_tables.items(), start=1)
    ]
    script = "\n".join(text_of(name) for name in SCRIPTS) if explorer else text_of(SCRIPTS[0])
    return (
        environment()
        .get_template("template.html")
        .render(
            study=study,
            figures=numbered,
            sections=_with(present, [section for section, _ in more]),
            measure_tables=own_tables,
            more_measures=more,
            anchors={section.anchor for section in present},
            claims=verdicts.claims(study),
            tally=verdicts.tally(study),
            glance=verdicts.at_a_glance(study),
            corrected=verdicts.corrected(study),
            not_compared=verdicts.not_compared(study),
            same_networks=verdicts.same_networks(study),
            answer=answer.answer(study),
            basis=answer.basis(study),
            reduced=reduced(study),
            summary=summary(study, reduced=bool(reduced(study))),
            keys=_keys(study),
            explorer=explorer,
            params=list(_flat(study.params)),
            style=Markup(text_of("style.css")) + figure_style,
            script=Markup(script),
            policy=content_policy(script),
            arm_table=_arm_table(study),
            targets=set(numbered) | {section.anchor for section in present},
        )
    )


def _with(sections: list[Section], more: list[Section]) -> list[Section]:
    """The sections, with those that measures brought along before what every page ends with."""
    last = next(index for index, section in enumerate(sections) if section.anchor in ("explorer", "provenance"))
    return [*sections[:last], *more, *sections[last:]]


def _numbered(study: Study, figures: Mapping[str, Sequence[Row]]) -> tuple[dict[str, Figure], Markup]:
    """The figures in the order of SECTIONS with number, caption and table, and the style sheet that they share."""
    anchors = [anchor for _, _, held in SECTIONS for anchor in held if anchor in figures]
    figures, style = shared_styles(figures)
    return {
        anchor: Figure(
            anchor, index, list(figures[anchor]), caption(anchor, study), _table(anchor, study), _key(anchor, study)
        )
        for index, anchor in enumerate(anchors, start=1)
    }, style


def _key(anchor: str, study: Study) -> str:
    """Whose colours the figure names; classes only where there are some."""
    key = KEYS.get(anchor, "")
    return key if key != "classes" or study.has_classes else ""


def fits(page: str) -> bool:
    """Whether the page keeps to `MAX_BYTES`."""
    return len(page.encode()) <= MAX_BYTES


def environment() -> Environment:
    """The template environment: autoescape on, a missing value is an error."""
    made = Environment(
        loader=PackageLoader("latent_audit.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"number": number, "percent": percent, "beta": beta_words}
    return made


def content_policy(script: str) -> str:
    """A Content-Security-Policy under which only this very script runs and nothing is fetched."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{digest}'; "
        "base-uri 'none'; form-action 'none'"
    )


def reduced(study: Study) -> list[str]:
    """Why the numbers are no evidence, in words; empty for a full study."""
    meta, reasons = study.meta, []
    if meta["limit"] is not None:
        reasons.append(
            f"only {number(meta['n_train'])} of {number(meta['available_train'])} training images and "
            f"{number(meta['n_test'])} of {number(meta['available_test'])} test images were used"
        )
    if meta["dataset"] == "digits":
        reasons.append("the digits are a small demonstration set of 8 by 8 pixels")
    if len(study.seeds) < MIN_SEEDS:
        reasons.append(f"{len(study.seeds)} seed(s) give no usable interval")
    return reasons


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", plain(value)


def _keys(study: Study) -> dict[str, list[tuple[str, str, str]]]:
    """What the keys above a figure name: colour, mark, words."""
    return {
        "arms": [(f"var({study.colours[arm]})", "", name) for arm, name in study.names.items()],
        "classes": [
            (colour, str(index), name)
            for index, (colour, name) in enumerate(zip(study.class_colours, study.meta["classes"], strict=True))
        ],
    }


def shared_styles(figures: Mapping[str, Sequence[Row]]) -> tuple[dict[str, list[Row]], Markup]:
    """The figures with their style attributes as classes that all share, and the style sheet of these classes."""
    bodies, style = hoist_styles([panel.body for rows in figures.values() for row in rows for panel in row.panels])
    remaining = iter(bodies)
    return {
        anchor: [row._replace(panels=[panel._replace(body=next(remaining)) for panel in row.panels]) for row in rows]
        for anchor, rows in figures.items()
    }, style


def _arm_table(study: Study) -> Markup:
    rows = [
        {
            "arm": study.names[arm],
            "family": info["family"].upper(),
            "β (on the mean pixel loss)": info["beta"],
            "β_KL (on the KL)": info["beta_kl"],
            "code dimensions": info["latent_dim"],
            "epochs": info["epochs"],
            "learning rate": info["learning_rate"],
            "batch": info["batch_size"],
            "precision": info["precision"],
        }
        for arm, info in study.arms.items()
    ]
    return data_table(
        pd.DataFrame(rows).astype(object), caption="The arms, with their weight in both conventions", form=set_number
    )


def _table(anchor: str, study: Study) -> Markup | None:
    if anchor != "fig-pvalues":
        return None
    columns = ["arm", "code", "dim", "mean", "std", "skew", "excess_kurtosis", "ks_d", "w1", "ad_a2"]
    columns += [f"{p}_holm" for p in P_COLUMNS]
    table = study.tables["per_dim"]
    columns += [column for column in ("kl_nats",) if column in table]
    medians = table.groupby(["arm", "code", "dim"], sort=False, as_index=False)[columns[3:]].median()
    medians["arm"] = medians["arm"].map(dict(study.names))
    return data_table(
        medians[columns],
        caption="Every dimension of mu and of z: effects and adjusted p-values, medians over seeds",
        headings=HEADINGS,
        row_headers=3,
    )


def text_of(name: str) -> str:
    """A file beside the templates."""
    return files("latent_audit.report").joinpath(name).read_text(encoding="utf-8")
