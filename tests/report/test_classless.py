"""The page of data without classes: no word of them but the sentence that says so; and where the critic is poor."""

import re

import pytest

from latent_audit.report.render import render_study

OF_CLASSES = ("fig-areas", "fig-separability")


@pytest.fixture
def classless(study):
    tables = {name: table for name, table in study.tables.items() if name not in ("classes", "separability")}
    generation = tables["generation"]
    tables["generation"] = generation.assign(metric=generation["metric"].replace("fd_clf", "fd_random"))
    first = generation[["arm", "seed"]].drop_duplicates()
    tables["continuity"] = first.assign(metric="path_ratio_features", value=1.2)
    critic = {"accuracy": None, "majority_accuracy": None, "poor": False, "sha256": "cd" * 32}
    claims = study.claims.iloc[:1]
    return study._replace(
        meta=dict(study.meta) | {"classes": [], "notes": []}, class_colours=[], tables=tables, claims=claims,
        critic=critic, params=dict(study.params) | {"data": {"path": None}},
    )  # fmt: skip


def words(page: str) -> str:
    """What a reader sees or hears."""
    body = re.sub(r"<(script|style).*?</\1>", "", page, flags=re.S)
    named = re.findall(r'(?:alt|aria-label)="([^"]*)"', body)
    return " ".join([re.sub(r"<[^>]+>", " ", body), *named])


def test_no_sentence_is_about_classes_but_the_one_that_says_why(classless, figures):
    kept = {anchor: rows for anchor, rows in figures.items() if anchor not in OF_CLASSES}
    kept["fig-continuity"] = figures["fig-codes"]
    text = words(render_study(classless, kept, None))
    said = re.findall(r"[^.]*\b[Cc]lass(?:es|ifier)?\b[^.]*\.", text)
    assert len(said) == 1
    assert "These images have no classes that could be told apart, so what needs classes is absent" in said[0]
    assert "FD-clf" not in text and "critic" not in text
    assert text.count("FD of random features") >= 5  # table of arms, captions, answer


def test_one_class_counts_as_none(classless, study):
    assert not classless._replace(meta=dict(classless.meta) | {"classes": ["all"]}).has_classes
    assert study.has_classes


def test_a_poor_critic_is_said_and_a_good_one_is_not(study):
    poor = {"accuracy": 0.4, "majority_accuracy": 0.5, "poor": True, "sha256": "ab" * 32}
    page = render_study(study._replace(critic=poor), {}, None)
    assert "The critic is poor:" in page and "is right on 40% of the test images" in page
    assert "The critic is poor" not in render_study(study, {}, None)
