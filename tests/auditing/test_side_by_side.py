"""`latent-audit audit A B ..`: an arm for each file, tables with a column `arm`, and nothing where one file is bad."""

import json
import re
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from browsers import assert_fit_to_be_seen
from latent_audit import cli
from latent_audit.auditing import side_by_side
from latent_audit.auditing.arm_names import arm_names
from latent_audit.diagnostics.audit import AuditSettings
from latent_audit.report.render import fits
from report.test_render import Page

FAST = AuditSettings(neighbours=5, grid=20, null_draws=19, null_rows=40)
Run = Callable[[str], int]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """run("audit a.npz b.npz --out result") in an empty folder; the exit code."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(side_by_side.run_side_by_side.__kwdefaults__, "settings", FAST)
    from latent_audit.auditing import command

    monkeypatch.setitem(command.run_audit.__kwdefaults__, "settings", FAST)

    def start(line: str) -> int:
        monkeypatch.setattr(sys, "argv", ["latent-audit", *shlex.split(line)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return int(ended.value.code or 0)

    return start


def save(name: str, *, scale: float = 1.0, latent_dim: int = 2, posterior: bool = False, n: int = 60) -> None:
    rng = np.random.default_rng(7)
    z = scale * rng.standard_normal((n, latent_dim))
    more = {"mu": 0.8 * z, "logvar": np.full_like(z, -1.0)} if posterior else {}
    path = Path(name)
    path.parent.mkdir(exist_ok=True, parents=True)
    np.savez(path, z=z, labels=np.arange(n) % 3, **more)


def test_two_files_are_two_arms_of_tables_page_and_json(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    save("wide.npz", scale=3, latent_dim=3)
    save("vae.npz", latent_dim=4, posterior=True)
    assert run("audit wide.npz vae.npz --out result") == 0
    said = capsys.readouterr().err
    assert "wide: wide.npz: 60 x 3 (z), 3 classes" in said and "vae: vae.npz: 60 x 4 (mu and logvar and z)" in said
    out = tmp_path / "result"
    tables = {path.stem: pd.read_csv(path) for path in out.glob("*.csv")}
    assert set(tables) == {"per_dim", "joint", "classes", "separability", "reasons", "regions", "transforms"}
    for table in tables.values():
        assert table.columns[:2].tolist() == ["arm", "code"] and table["arm"].unique().tolist() == ["wide", "vae"]
    assert tables["per_dim"].groupby("arm")["dim"].max().to_dict() == {"wide": 2, "vae": 3}
    described = json.loads((out / "audit.json").read_text(encoding="utf-8"))
    assert list(described["arms"]) == sorted(["wide", "vae"]) and described["made_by"] == "latent-audit audit"
    assert described["arms"]["wide"]["may_sample"] == "fitted" and described["arms"]["wide"]["n"] == 60
    assert sorted(described["files"]) == sorted(path.name for path in out.iterdir() if path.name != "audit.json")
    text = (out / "index.html").read_text(encoding="utf-8")
    page = Page(text)
    ids = [attributes["id"] for _, attributes in page.elements if attributes.get("id")]
    assert len(ids) == len(set(ids))
    assert "wide: Radius" in text and "vae: Radius" in text and '<th scope="row">wide</th><td>a fit</td>' in text
    assert text.count('class="headline"') == 2 and "2 sets of codes side by side" in text
    captions = re.findall(r"<figcaption>(.*?)</figcaption>", text, flags=re.DOTALL)
    assert sum("<b>wide:</b>" in one and "<b>vae:</b>" in one for one in captions) >= 4
    assert fits(text) and "nan" not in re.sub(r"<[^>]*>", " ", text).split()
    assert_fit_to_be_seen(tmp_path, text)


def test_an_audit_of_several_replaces_one_and_the_other_way_round(run: Run, tmp_path: Path):
    save("a.npz")
    save("b.npz", scale=2)
    assert run("audit a.npz --out result") == 0
    assert run("audit a.npz b.npz --out result") == 0
    first = {path.name: path.read_bytes() for path in (tmp_path / "result").iterdir()}
    assert run("audit a.npz b.npz --out result") == 0
    assert {path.name: path.read_bytes() for path in (tmp_path / "result").iterdir()} == first
    assert run("audit a.npz --out result") == 0
    assert "arms" not in json.loads((tmp_path / "result/audit.json").read_text())


@pytest.mark.parametrize("bad", ["absent", "NaN"])
def test_one_bad_file_is_exit_2_and_nothing_written(run: Run, tmp_path: Path, capsys, bad: str):
    save("a.npz")
    if bad == "NaN":
        np.savez("b.npz", z=np.full((60, 2), np.nan))
    before = sorted(tmp_path.rglob("*"))
    assert run("audit a.npz b.npz --out deep/result") == 2
    said = capsys.readouterr().err
    assert ("b.npz: there is no such file" if bad == "absent" else "NaN, infinite or beyond") in said
    assert sum(line.startswith("error: ") for line in said.splitlines()) == 1 and "Traceback" not in said
    assert "chance from" not in said  # nothing was measured before all were read
    assert sorted(tmp_path.rglob("*")) == before


def test_more_than_a_page_holds_is_refused(run: Run, capsys):
    assert run(f"audit {' '.join(f'{k}.npz' for k in range(9))} --out result") == 2
    assert "9 files: at most 8 stand on one page" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("files", "names"),
    [
        (["a.npz", "x/b.csv"], ["a", "b"]),
        (["codes.npz", "codes.csv"], ["codes.npz", "codes.csv"]),
        (["one/codes.npz", "two/codes.npz", "ae.npy"], ["one/codes.npz", "two/codes.npz", "ae"]),
        (["a.npz", "a.npz"], ["a.npz", "a.npz (2)"]),
        (["x/1/a.npz", "y/1/a.npz"], ["x/1/a.npz", "y/1/a.npz"]),
    ],
)
def test_arms_are_called_after_their_files(files: list[str], names: list[str]):
    assert arm_names([Path(name) for name in files]) == names
