"""The page in a real browser, network off: no errors, no requests, an explorer that answers, nothing inaccessible."""

from pathlib import Path

import pytest

from browsers import in_browser
from latent_audit.report.render import render_study


@pytest.fixture
def seen(study, figures, explorer, tmp_path):
    page = tmp_path / "report.html"
    page.write_text(render_study(study, figures, explorer), encoding="utf-8")
    found = in_browser(Path(__file__).with_name("browser.js"), tmp_path, url=page.as_uri())
    return found | {"url": page.as_uri()}


def test_the_page_works_offline(seen):
    assert seen["errors"] == []
    assert set(seen["requests"]) == {seen["url"]}
    hovered, picked, moved = seen["explorer"]["steps"][1:]
    assert hovered.startswith("Test image")
    assert picked.startswith("Test image") and picked != hovered
    assert moved.startswith("A free point")
    assert seen["explorer"]["readings"][0] == seen["explorer"]["readings"][1]  # both arms at the same z
    assert min(seen["explorer"]["drawn"]) > 10  # grey levels: something was decoded
    verdicts = seen["sorted"]
    assert verdicts["up"][0] == "contradicted"
    assert verdicts["down"][0] == "supported"
    assert seen["widths"] == {"1280": 1280, "390": 390}
    assert seen["print"] == {"app": "none", "stand": "block"}
    assert seen["still"]
    assert seen["axe"] in ({}, {"light": [], "dark": []})
