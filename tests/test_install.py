"""The package as it is installed: the audit alone, without torch and DVC, from a wheel that holds its templates."""

import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import numpy as np
import pytest

from import_graph import ROOT

SLOW = "LATENT_AUDIT_SLOW"  # set it to install into an empty environment, which takes minutes
STUDY = ("torch", "torchvision", "dvc", "tqdm", "psutil", "pyarrow")
WITHOUT = f"""
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {STUDY!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Absent())
"""
MAIN = "from latent_audit.cli import main\nsys.argv = 'latent-audit {}'.split()\nmain()"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder, source = tmp_path_factory.mktemp("wheel"), tmp_path_factory.mktemp("source")  # setuptools builds in place
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    shutil.copytree(ROOT / "src", source / "src", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, "--wheel-dir", folder, source], check=True)
    (path,) = folder.glob("latent_audit-*.whl")
    return path


def python(code: str, folder: Path, site: Path) -> subprocess.CompletedProcess[str]:
    """Run `code` where the wheel, unpacked at `site`, comes before the project's own source."""
    command = [sys.executable, "-c", WITHOUT + code]
    environment = {**os.environ, "PYTHONPATH": str(site)}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def site(wheel, tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    zipfile.ZipFile(wheel).extractall(folder)
    return folder


def test_the_wheel_holds_every_template_script_and_style(wheel):
    held = set(zipfile.ZipFile(wheel).namelist())
    source = ROOT / "src"
    kinds = (".html", ".css", ".js", ".csv", ".npz")
    files = [path for path in (source / "latent_audit").rglob("*") if path.suffix in (*kinds, ".py")]
    assert {path.relative_to(source).as_posix() for path in files} - held == set()


def test_the_audit_needs_neither_torch_nor_dvc(site, tmp_path):
    np.save(tmp_path / "codes.npy", np.random.default_rng(0).standard_normal((60, 2)))
    code = MAIN.format("audit codes.npy --out out")
    ran = python(code, tmp_path, site)
    assert ran.returncode == 0, ran.stderr
    assert (tmp_path / "out" / "index.html").stat().st_size > 10_000
    of_wheel = python("import latent_audit\nprint(latent_audit.__file__)", tmp_path, site)
    assert str(site) in of_wheel.stdout


def test_the_audit_in_python_and_kl_weight_need_neither(site, tmp_path):
    code = "import numpy as np\nfrom latent_audit import audit\n"
    code += "print(audit(np.random.default_rng(0).standard_normal((100, 2))).may_sample)"
    assert python(code, tmp_path, site).stdout.strip() in ("prior", "undecided")
    code = MAIN.format("kl-weight --image 28x28 --loss bce --recon-reduction mean")
    ran = python(code, tmp_path, site)
    assert ran.returncode == 0 and "784" in ran.stdout, ran.stderr


def test_a_parquet_file_without_pyarrow_says_what_to_install(site, tmp_path):
    (tmp_path / "codes.parquet").write_bytes(b"PAR1")
    ran = python(MAIN.format("audit codes.parquet --out out"), tmp_path, site)
    assert ran.returncode == 2 and "pip install 'latent-audit[parquet]'" in ran.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("command", ["study demo", "compare-runs HEAD", "recover"])
def test_a_command_of_the_study_says_what_to_install(command, site, tmp_path):
    (tmp_path / ".dvc").mkdir()
    (tmp_path / "params").mkdir()
    (tmp_path / "params" / "demo.yaml").write_text("dataset: digits\n")
    ran = python(MAIN.format(command), tmp_path, site)
    assert ran.returncode == 2, ran.stderr
    assert "pip install 'latent-audit[study]'" in ran.stderr and "Traceback" not in ran.stderr


def test_importing_the_package_imports_no_torch():
    code = "import sys\nfrom latent_audit import audit\nprint(sorted({'torch', 'dvc'} & set(sys.modules)))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


def test_the_extras_name_what_each_part_needs():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    core = " ".join(project["dependencies"])
    assert not any(name in core for name in ("torch", "dvc", "pyarrow"))
    assert {"torch>=2.11", "dvc>=3.60"} <= set(project["optional-dependencies"]["study"])


@pytest.mark.skipif(SLOW not in os.environ, reason=f"minutes and some hundred MB of downloads: set {SLOW}")
def test_an_empty_environment_holds_the_audit_in_400_mb(wheel, tmp_path):
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    bin_ = tmp_path / "venv" / "bin"
    before = _size(tmp_path / "venv")
    subprocess.run([bin_ / "pip", "install", "--quiet", "--no-compile", wheel], check=True)
    assert _size(tmp_path / "venv") - before < 400e6
    np.save(tmp_path / "codes.npy", np.random.default_rng(0).standard_normal((60, 2)))
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [bin_ / "latent-audit", "audit", "codes.npy", "--out", "out"]
    subprocess.run(command, cwd=tmp_path, env=environment, check=True)
    assert (tmp_path / "out" / "index.html").exists()


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
