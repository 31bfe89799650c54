"""Pages in a real browser: where Chromium and playwright-core are, and what every page of ours must pass."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from import_graph import ROOT

NODE = shutil.which("node")
CHROMIUM = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None
)
FOLDERS = [os.environ.get("NODE_PATH", ""), str(ROOT / "node_modules")]


def node_module(name: str) -> str | None:
    """Where npm put `name`: NODE_PATH, or node_modules of the repository."""
    return next((str(path) for folder in FOLDERS if folder and (path := Path(folder) / name).exists()), None)


def in_browser(script: Path, folder: Path, **config: Any) -> Any:
    """What the node script prints for `config`; skips the test where there is no browser."""
    playwright = node_module("playwright-core")
    if NODE is None or CHROMIUM is None or playwright is None:
        pytest.skip(
            "needs node, a chromium on PATH and `npm install playwright-core` (NODE_PATH, or node_modules here)"
        )
    path = folder / "config.json"
    axe = node_module("axe-core/axe.min.js")
    path.write_text(json.dumps(config | {"playwright": playwright, "chromium": CHROMIUM, "axe": axe}))
    done = subprocess.run([NODE, str(script), str(path)], capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def assert_fit_to_be_seen(folder: Path, *pages: str) -> None:
    """Every page: no error, no request, nothing wider than the window, every picture named, nothing grave from axe."""
    paths = [folder / f"page-{number}.html" for number in range(len(pages))]
    for path, page in zip(paths, pages, strict=True):
        path.write_text(page, encoding="utf-8")
    urls = [path.as_uri() for path in paths]
    for view in in_browser(Path(__file__).with_name("look.js"), folder, urls=urls):
        assert view["errors"] == []
        assert view["requests"] == [view["url"]]
        assert view["scrollWidth"] == view["width"]
        assert view["unnamed"] == 0
        assert view["violations"] == []
