"""What stands where: the sections of the page in their order, and its figures with number, caption, key and table."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from markupsafe import Markup

from latent_audit.report.captions import caption
from latent_audit.report.study import Figure, Row, Study
from latent_audit.report.study_tables import dimension_table
from latent_audit.report.svg import hoist_styles

ALWAYS = {"todo"}  # sections that stand without their figures, too
SECTIONS = (  # id, title, the figures it holds (none: always there)
    ("answer", "The answer", ()),
    ("explorer", "Explore", ()),
    ("holes", "Holes", ("fig-holes",)),
    ("generation", "New images", ("fig-generation", "fig-samples", "fig-lattice")),
    ("normality", "Normal, or not", ("fig-histograms", "fig-joint", "fig-pvalues")),
    ("codes", "The codes", ("fig-codes", "fig-separability")),
    ("pspace", "The unit square", ("fig-pspace", "fig-areas")),
    ("continuity", "Between two codes", ("fig-interpolations", "fig-continuity")),
    ("traversals", "What each dimension changes", ("fig-traversals",)),
    ("attributes", "Attribute vectors", ("fig-attributes", "fig-vectors")),
    ("asked", "What was asked for", ("fig-asked",)),
    ("denoising", "Denoising", ("fig-denoised", "fig-noise")),
    ("anomalies", "Outsiders", ("fig-passing", "fig-detection")),
    ("reconstructions", "Reconstructions", ("fig-reconstructions",)),
    ("verdicts", "Claim by claim", ()),
    ("todo", "What to do", ("fig-kl-weight",)),
    ("run", "What was run", ()),
    ("training", "Training", ("fig-training",)),
    ("provenance", "Provenance", ()),
)
TITLES = {anchor: title for anchor, title, _ in SECTIONS}
KEYS = {
    "fig-histograms": "arms",
    "fig-areas": "arms",
    "fig-joint": "arms",
    "fig-generation": "arms",
    "fig-noise": "arms",
    "fig-attributes": "arms",
    "fig-detection": "arms",
    "fig-codes": "classes",
    "fig-pspace": "classes",
}


class Section(NamedTuple):
    """A section's place in the page."""

    anchor: str
    title: str


def present(figures: Iterable[str], *, explorer: bool) -> list[Section]:
    """The sections that have something to show: `figures` are the anchors that there are."""
    there = set(figures)
    return [
        Section(anchor, title)
        for anchor, title, held in SECTIONS
        if (not held or anchor in ALWAYS or there & {*held}) and (anchor != "explorer" or explorer)
    ]


def with_added(sections: list[Section], more: list[Section]) -> list[Section]:
    """Sections in the order of the page, what measures brought along before what every page ends with."""
    last = next(index for index, section in enumerate(sections) if section.anchor in ("verdicts", "provenance"))
    return [*sections[:last], *more, *sections[last:]]


def numbered(study: Study, figures: Mapping[str, Sequence[Row]]) -> tuple[dict[str, Figure], Markup]:
    """The figures in the order of SECTIONS with number, caption and table, and the style sheet that they share."""
    anchors = [anchor for _, _, held in SECTIONS for anchor in held if anchor in figures]
    figures, style = shared_styles(figures)
    return {
        anchor: Figure(
            anchor,
            index,
            list(figures[anchor]),
            caption(anchor, study.shown),
            _table(anchor, study.shown),
            _key(anchor, study),
        )
        for index, anchor in enumerate(anchors, start=1)
    }, style


def _table(anchor: str, study: Study) -> Markup | None:
    return dimension_table(study) if anchor == "fig-pvalues" else None


def _key(anchor: str, study: Study) -> str:
    """Whose colours the figure names; classes only where there are some."""
    key = KEYS.get(anchor, "")
    return key if key != "classes" or study.has_classes else ""


def keys(study: Study) -> dict[str, list[tuple[str, str, str]]]:
    """What the keys above a figure name: colour, mark, words."""
    return {
        "arms": [(f"var({study.colours[arm]})", "", study.names[arm]) for arm in study.drawn],
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
