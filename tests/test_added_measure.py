"""One file more, and a measure is in every table, interval and page: README's example in a copy of the package."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

OF_DECODERS = '''"""How much decoded images differ from their mean."""

from latent_audit.base.measures import Measure, Metric
from latent_audit.decoding.decode import decode


def _rows(subject):
    images = decode(subject.model, subject.codes["z"], device=subject.device).astype(float)
    return {"contrast": float((images - images.mean(axis=0)).std())}


MEASURE = Measure(
    "contrast",
    needs=frozenset({"decoder"}),
    metrics=(Metric("contrast", "contrast of decoded images", low=0.0, section="generation"),),
    rows=_rows,
    table="contrast",
)
'''


def readme_measure(root: Path) -> tuple[str, str]:
    """The path that README names for its example, and the example."""
    section = (root / "README.md").read_text(encoding="utf-8").split("## Add your own measure")[1]
    path, code = re.search(r"`(src/\S+\.py)`", section), re.search(r"```python\n(.*?)```", section, re.DOTALL)
    assert path and code
    return path[1], code[1]


def test_one_file_adds_a_measure(root: Path, tmp_path: Path):
    shutil.copytree(root / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    path, code = readme_measure(root)
    assert not (root / path).exists()
    (tmp_path / path).write_text(code, encoding="utf-8")
    (tmp_path / "src/latent_audit/decoding/contrast.py").write_text(OF_DECODERS, encoding="utf-8")
    tests = tmp_path / "tests"
    tests.mkdir()
    for needed in ("report/conftest.py", "page_networks.py"):
        shutil.copy(root / "tests" / needed, tests)
    shutil.copy(root / "tests/added/check_added.py", tests / "test_added.py")
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path / "src"), str(tests)])}
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--import-mode=importlib", str(tests)],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout[-4000:] + ran.stderr
    assert "3 passed" in ran.stdout
