"""The page in a real browser, network off: no errors, no requests, an explorer that answers, nothing inaccessible."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from latent_audit.report.render import render_study

HERE = Path(__file__).resolve().parent
NODE = shutil.which("node")
CHROMIUM = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None
)
FOLDERS = [os.environ.get("NODE_PATH", ""), str(HERE.parents[1] / "node_modules")]


def node_module(name: str) -> str | None:
    """Where npm put `name`: NODE_PATH, or node_modules of the repository."""
    return next((str(path) for folder in FOLDERS if folder and (path := Path(folder) / name).exists()), None)


PLAYWRIGHT = node_module("playwright-core")


@pytest.fixture
def seen(study, figures, explorer, tmp_path):
    if NODE is None or CHROMIUM is None or PLAYWRIGHT is None:
        pytest.skip(
            "needs node, a chromium on PATH and `npm install playwright-core` (NODE_PATH, or node_modules here)"
        )
    page = tmp_path / "report.html"
    page.write_text(render_study(study, figures, explorer), encoding="utf-8")
    config = tmp_path / "config.json"
    axe = node_module("axe-core/axe.min.js")
    config.write_text(json.dumps({"url": page.as_uri(), "playwright": PLAYWRIGHT, "chromium": CHROMIUM, "axe": axe}))
    done = subprocess.run(
        [NODE, str(HERE / "browser.js"), str(config)], capture_output=True, text=True, timeout=180, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout) | {"url": page.as_uri()}


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
