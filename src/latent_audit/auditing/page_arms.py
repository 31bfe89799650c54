"""The figures and tables of one audit, or of several with a row for each: what the page puts below one another."""

from collections.abc import Mapping, Sequence

import pandas as pd
from markupsafe import Markup

from latent_audit.auditing.page_figures import COLOURED, class_names, few_classes
from latent_audit.auditing.page_tables import dimension_table
from latent_audit.figures.canvas import Band
from latent_audit.figures.style import class_colours
from latent_audit.report.audit_captions import caption
from latent_audit.report.audit_words import View
from latent_audit.report.page_panels import page_rows
from latent_audit.report.sections import Section, shared_styles
from latent_audit.report.study import Figure, Panel, Row

ORDER = (
    "fig-lead", "fig-codes", "fig-histograms", "fig-profile", "fig-pvalues", "fig-kl", "fig-pspace", "fig-areas",
)  # fmt: skip
Bands = Mapping[str, Mapping[str, Sequence[Band]]]  # arm -> anchor -> drawn panels


def figures_of(
    views: Mapping[str, View], bands: Bands, per_dim: Mapping[str, pd.DataFrame]
) -> tuple[dict[str, Figure], Markup]:
    """The numbered figures that any of the arms has, and the style sheet that they share."""
    present = [anchor for anchor in ORDER if any(anchor in own for own in bands.values())]
    rows, style = shared_styles({anchor: _rows(anchor, bands) for anchor in present})
    made = {}
    for index, anchor in enumerate(rows, start=1):
        owners = [arm for arm, own in bands.items() if anchor in own]
        table = None
        if anchor == "fig-pvalues":
            table = _below({arm: dimension_table(per_dim[arm]) for arm in owners})
        words = _captions(anchor, {arm: views[arm] for arm in owners})
        made[anchor] = Figure(anchor, index, rows[anchor], words, table, _key(anchor, views))
    return made, style


def class_key(views: Mapping[str, View]) -> list[tuple[str, str, str]]:
    """Colour, mark and name of each class, where all arms have the same."""
    if not _same_classes(views):
        return []
    names = class_names(next(iter(views.values())))
    marks = ["" if name == str(k) else str(k) for k, name in enumerate(names)]  # a number is its own mark
    return list(zip(class_colours(len(names)), marks, names, strict=True))


def tables_of(arms: Mapping[str, Mapping[str, Markup | None]]) -> dict[str, Markup | None]:
    """name -> the table of every arm that has it, below one another."""
    names = next(iter(arms.values())).keys()
    return {name: _below({arm: own[name] for arm, own in arms.items() if own[name] is not None}) for name in names}


def added_tables(arms: Mapping[str, Sequence[tuple[str, Markup]]]) -> list[tuple[Section, Markup]]:
    """The sections that measures brought along, each with the tables of the arms that have it."""
    titles = list(dict.fromkeys(title for own in arms.values() for title, _ in own))
    found = []
    for k, title in enumerate(titles, start=1):
        table = _below({arm: dict(own)[title] for arm, own in arms.items() if title in dict(own)})
        found.append((Section(f"measures-{k}", title), table or Markup()))
    return found


def _rows(anchor: str, bands: Bands) -> list[Row]:
    if len(bands) == 1:
        return page_rows(anchor, next(iter(bands.values()))[anchor])
    drawn = {
        arm: page_rows(f"{anchor}-{k}", own[anchor]) for k, (arm, own) in enumerate(bands.items()) if anchor in own
    }
    if anchor == "fig-lead":
        return _abreast(drawn)
    return [
        row._replace(label=f"{arm} · {row.label}" if row.label else arm) for arm, rows in drawn.items() for row in rows
    ]


def _abreast(drawn: Mapping[str, Sequence[Row]]) -> list[Row]:
    """The panels of one place of every arm side by side, a row for each place."""
    panels = {arm: [panel for row in rows for panel in row.panels] for arm, rows in drawn.items()}
    kind = "pair" if len(panels) == 2 else "arms"
    places = range(max(len(own) for own in panels.values()))
    return [Row([_named(arm, own[place]) for arm, own in panels.items() if place < len(own)], kind) for place in places]


def _named(arm: str, panel: Panel) -> Panel:
    return panel._replace(title=f"{arm}: {panel.title}")


def _captions(anchor: str, views: Mapping[str, View]) -> Markup:
    if list(views) == [""]:
        return caption(anchor, views[""])
    return Markup(" ").join(Markup("<b>{}:</b> {}").format(arm, caption(anchor, view)) for arm, view in views.items())


def _below(tables: Mapping[str, Markup | None]) -> Markup | None:
    """The tables below one another, each under the name of its arm; None where there is none."""
    if not tables:
        return None
    label = Markup('<p class="row-label">{}</p>')
    return Markup().join((label.format(arm) if arm else Markup()) + (table or "") for arm, table in tables.items())


def _key(anchor: str, views: Mapping[str, View]) -> str:
    if anchor == "fig-areas":
        return "areas"
    coloured = anchor in COLOURED and _same_classes(views) and few_classes(next(iter(views.values())))
    return "classes" if coloured else ""


def _same_classes(views: Mapping[str, View]) -> bool:
    return len({tuple(class_names(view)) for view in views.values()}) == 1
