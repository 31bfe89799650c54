"""Everything -> one self-contained HTML page."""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from functools import partial
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from latent_audit.claims.judgements import poor_critic
from latent_audit.report import answer, opening, verdicts
from latent_audit.report.advice import advice
from latent_audit.report.arm_answers import arm_answers, spectrum_table
from latent_audit.report.explorer import ExplorerData
from latent_audit.report.findings import headings
from latent_audit.report.glossary import definitions, marked
from latent_audit.report.measure_tables import WORDS, measure_tables, section_title
from latent_audit.report.one_class import one_class_table
from latent_audit.report.pictures import Pictures, sheet_of_draws
from latent_audit.report.sections import TITLES, Section, keys, numbered, present, with_added
from latent_audit.report.study import Figure, Row, Study, beta_words
from latent_audit.report.study_tables import arm_table, parameters
from latent_audit.report.summary import summary
from latent_audit.report.tables import number, percent

MAX_BYTES, OVERLAY_BYTES = 3_000_000, 1_500_000  # of a page; of that of a study which an overlay of params/ makes
MIN_SEEDS = 3  # below this an interval over seeds means little, and the page says so
SCRIPTS = (
    "report.js", "packed.js", "decoder.js", "explorer_math.js", "plane.js", "explorer_arm.js", "explorer_work.js",
    "explorer.js", "explorer_own.js", "explorer_tools.js",
)  # fmt: skip


def render_study(
    study: Study, figures: Mapping[str, Sequence[Row]], explorer: ExplorerData | None, pictures: Pictures | None = None
) -> str:
    """The report of a study as one HTML document that loads nothing.

    Parameters
    ----------
    figures : anchor (fig-training, fig-codes, ...) -> rows of panels already drawn; what is not there is left out.
    explorer : codes, sprite, and weights or lattices for the page's own script; None leaves the explorer out.
    pictures : arm -> arrays of pictures.npz, for the answer in pictures; None leaves it out.

    Raises
    ------
    ValueError : a caption lacks its number, or a verdict is none that there are.
    jinja2.UndefinedError : the template asks for something that was not given.
    """
    drawn, figure_style = numbered(study, figures)
    script = "\n".join(text_of(name) for name in SCRIPTS) if explorer else text_of(SCRIPTS[0])
    templates = environment()
    templates.filters["terms"] = partial(marked, defined=definitions(study.measures, classes=study.has_classes))
    return templates.get_template("template.html").render(
        study=study,
        figures=drawn,
        keys=keys(study),
        explorer=explorer,
        opening=opening.columns(study, pictures, judged=not reduced(study)) if pictures else [],
        style=Markup(text_of("style.css")) + figure_style,
        script=Markup(script),
        policy=content_policy(script),
        **_places(study, drawn, explorer is not None),
        **_verdicts(study),
        **_run(study, pictures),
    )


def _places(study: Study, drawn: Mapping[str, Figure], explorer: bool) -> dict[str, Any]:
    """The sections, and the tables of what was measured, by section."""
    shown = present(drawn, explorer=explorer)
    own_tables, more_tables = measure_tables(study, {section.anchor for section in shown})
    more = [
        (Section(f"measures-{index}", TITLES.get(name) or section_title(name)), table)
        for index, (name, table) in enumerate(more_tables.items(), start=1)
    ]
    anchors = {section.anchor for section in shown}
    return {
        "sections": with_added(shown, [section for section, _ in more]),
        "measure_tables": own_tables,
        "more_measures": more,
        "section_words": {f"measures-{n}": WORDS[name] for n, name in enumerate(more_tables, start=1) if name in WORDS},
        "anchors": anchors,
        "targets": set(drawn) | anchors,
        "titles": headings(study, TITLES, reduced=bool(reduced(study))),
    }


def _verdicts(study: Study) -> dict[str, Any]:
    """The answer, and the claims that it is read off."""
    claims = verdicts.claims(study)
    return {
        "headline": answer.headline(study),
        "beside": answer.beside(study),
        "answer": answer.answer(study),
        "limits": answer.limit_words(study),
        "rows": {case.row for claim in claims for case in claim.cases},
        "advice": advice(study, reduced=bool(reduced(study))),
        "claims": claims,
        "tally": verdicts.tally(study),
        "glance": verdicts.at_a_glance(study),
        "arm_answers": arm_answers(study),
        "corrected": verdicts.corrected(study),
    }


def _run(study: Study, pictures: Pictures | None) -> dict[str, Any]:
    """What was run, and on how much."""
    return {
        "reduced": reduced(study),
        "summary": summary(study, reduced=bool(reduced(study)), picture=sheet_of_draws(pictures or {})),
        "not_compared": verdicts.not_compared(study),
        "same_networks": verdicts.same_networks(study),
        "params": list(parameters(study.params)),
        "arm_table": arm_table(study),
        "spectrum_table": spectrum_table(study),
        "one_class_table": one_class_table(study),
        "poor_critic": poor_critic(study.critic or {}),
        "latent_dim": max(own["latent_dim"] for own in study.arms.values()),
        "glossary": definitions(study.measures, classes=study.has_classes),
    }


def fits(page: str, most: int = MAX_BYTES) -> bool:
    """Whether the page keeps to `most` bytes."""
    return len(page.encode()) <= most


def environment() -> Environment:
    """The template environment: autoescape on, a missing value is an error."""
    made = Environment(
        loader=PackageLoader("latent_audit.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"number": number, "percent": percent, "beta": beta_words, "terms": escape}
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


def text_of(name: str) -> str:
    """A file beside the templates."""
    return files("latent_audit.report").joinpath(name).read_text(encoding="utf-8")
