"""`latent-audit audit` on latent maps and on very many dimensions: the files, the page and what is said."""

import json
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from latent_audit import AuditSettings, audit, cli
from latent_audit.auditing.command import run_audit

FAST = AuditSettings(neighbours=5, grid=20, null_draws=19, null_rows=40)
MAPS = np.kron(np.random.default_rng(2).standard_normal((80, 3, 2, 2)), np.ones((2, 2))).astype(np.float16)
Run = Callable[..., int]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """run("audit codes.npz --out result") in an empty folder, with a small calibration; the exit code."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(run_audit, "__kwdefaults__", (run_audit.__kwdefaults__ or {}) | {"settings": FAST})

    def start(line: str) -> int:
        monkeypatch.setattr(sys, "argv", ["latent-audit", *shlex.split(line)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return int(ended.value.code or 0)

    return start


def test_maps_with_labels_and_images(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    np.savez("codes.npz", latents=MAPS, kind=np.arange(80) % 2)
    images = np.arange(80, dtype=np.uint8)[:, None, None] * np.ones((1, 4, 4), np.uint8)
    np.save("images.npy", images)
    assert run("audit codes.npz --array latents --labels kind --images images.npy --out result") == 0
    said = capsys.readouterr().err
    assert "codes.npz: 80 x 3 x 4 x 4 (z), 2 classes, images of" in said
    assert "one of each, because what stands beside is of a whole one" in said
    described = json.loads((tmp_path / "result/audit.json").read_text())
    assert (described["array"], described["shape"], described["n"]) == ("latents", [80, 3, 4, 4], 80)
    assert described["may_sample"] == "no" and described["verdict"] in said
    assert {"scaling.csv", "spatial.csv", "positions.csv"} <= set(described["files"])
    tables = audit(MAPS, labels=np.arange(80) % 2, settings=FAST)
    for name in ("scaling", "spatial", "positions"):
        written = pd.read_csv(tmp_path / f"result/{name}.csv", dtype={"scope": str, "correlated_with": str})
        expected = getattr(tables.maps, name)
        assert written.columns.tolist() == expected.columns.tolist()
        pd.testing.assert_frame_equal(written, expected, check_dtype=False, rtol=1e-9, atol=1e-12)
    page = (tmp_path / "result/index.html").read_text(encoding="utf-8")
    assert "Unit scaling" in page and "Between positions" in page and "Single positions" in page
    assert "neighbouring positions of a map correlate" in page


def test_many_dimensions_are_named_everywhere(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    np.save("codes.npy", np.random.default_rng(0).standard_normal((60, 2100)).astype(np.float32))
    assert run("audit codes.npy --out result") == 0  # fewer than 80 codes: random directions
    said = capsys.readouterr().err
    assert "codes.npy: 60 x 2,100 (z)" in said
    assert "reduced to 15 random directions of 2,100 dimensions" in said
    described = json.loads((tmp_path / "result/audit.json").read_text())
    assert (described["reduce"], described["shape"], described["latent_dim"]) == ("random:15", [60, 2100], 15)
    assert "In 15 random directions of 2,100 dimensions" in described["verdict"]
    assert "In 15 random directions of 2,100 dimensions" in (tmp_path / "result/index.html").read_text(encoding="utf-8")
    assert "left_out_mean_square" in pd.read_csv(tmp_path / "result/reasons.csv")["metric"].tolist()


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("--reduce lda:3", "reduce 'lda:3' must be none, pca:K or random:K"),
        ("--reduce pca:90", "asks for 90 dimensions, the codes have 3"),
        ("--array z", "--array 'z' is of .npz, .safetensors, .h5ad; it holds one array"),
        ("--columns 7", "--columns '7' is no column of it"),
    ],
)
def test_impossible_options_are_one_sentence_and_no_folder(run: Run, tmp_path: Path, capsys, option: str, message: str):
    np.save("codes.npy", MAPS)
    assert run(f"audit codes.npy {option} --out result") == 2
    said = capsys.readouterr().err
    assert message in said and "Traceback" not in said
    assert [path.name for path in tmp_path.iterdir()] == ["codes.npy"]
