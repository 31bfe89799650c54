"""Run in a scratch copy of the package to which README's measure, and one of decoders, were added: they are everywhere.

`test_added_measure.py` copies this file beside the fixtures of a made-up study.
"""

import json
import sys

import numpy as np
import pandas as pd
import pytest
import torch

from latent_audit import cli
from latent_audit.base.measures import described, read_described, write_described
from latent_audit.claims.observations import intervals, summarise
from latent_audit.critic.network import build_critic
from latent_audit.decoding.diagnosis import every_registered
from latent_audit.decoding.replicate_tables import measure_decoder
from latent_audit.decoding.subject import DecoderSubject
from latent_audit.diagnostics.audit import AuditSettings, audit
from latent_audit.models.autoencoder import ModelSpec, build
from latent_audit.models.image import ImageShape
from latent_audit.report.render import render_study

FAST = AuditSettings(neighbours=5, grid=20, null_draws=19, null_rows=40)
WORDS = "widest gap between neighbouring codes, in code units"


def value_of(table: pd.DataFrame, metric: str) -> float:
    return table[(table["code"] == "z") & (table["metric"] == metric)]["value"].item()


def test_the_command_writes_it_and_shows_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    z = np.r_[np.random.default_rng(0).uniform(0, 1, 60), 9.0][:, None]
    np.save("codes.npy", z)
    monkeypatch.setattr(sys, "argv", ["latent-audit", "audit", "codes.npy", "--out", "result"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert not ended.value.code
    assert value_of(pd.read_csv("result/joint.csv"), "widest_gap") == pytest.approx(9 - z[:-1].max())
    page = (tmp_path / "result/index.html").read_text(encoding="utf-8")
    assert WORDS in page
    assert ">Gaps</h2>" in page
    assert ">Gaps</a>" in page


def replicate(seed: int) -> dict[str, pd.DataFrame]:
    z = np.random.default_rng(seed).standard_normal((60, 2))
    tables = audit(z, labels=np.arange(60) % 3, seed=seed, settings=FAST)
    named = {name: getattr(tables, name) for name in ("per_dim", "joint", "transforms", "separability")}
    return {name: table.assign(seed=seed) for name, table in named.items()}


def test_the_study_gives_it_an_interval_and_a_section(study, figures, explorer, tmp_path):
    replicates = [replicate(seed) for seed in range(3)]
    tables = {name: pd.concat([tables[name] for tables in replicates]) for name in replicates[0]}
    summary = summarise(tables, every_registered())
    write_described(tmp_path / "measures.json", described(every_registered()))
    known = read_described(tmp_path / "measures.json")
    metrics = intervals(pd.concat([summary.assign(arm=arm) for arm in ("ae", "vae")]), known, digits=6)
    assert json.loads(json.dumps(metrics))["vae"]["widest_gap"]["n_seeds"] == 3
    assert metrics["vae"]["widest_gap"]["low"] >= 0  # clipped to what it can be
    page = render_study(study._replace(metrics=metrics, measures=known), figures, explorer)
    assert ">Gaps</h2>" in page
    assert f"{WORDS}: the largest step between the sorted values of any dimension" in page
    assert "largest step" not in render_study(study, figures, explorer)


def test_a_measure_of_decoders_has_a_table_of_its_own():
    image = ImageShape(1, 16, 16)
    subject = DecoderSubject(
        {"z": np.zeros((4, 2)), "labels": np.arange(4)}, build(ModelSpec("ae", "conv", image, 2), seed=0).eval(),
        build_critic(image, 4, seed=0), {}, pd.DataFrame(), "bce", 0, torch.device("cpu"),
    )  # fmt: skip
    tables = measure_decoder(subject, lambda measure: measure.name == "contrast")
    assert list(tables) == ["contrast"]
    rows = tables["contrast"].assign(seed=0)
    per_dim = replicate(0)["per_dim"]
    summary = summarise({"per_dim": per_dim, "contrast": rows}, every_registered())
    assert value_of(summary, "contrast") == pytest.approx(0, abs=1e-6)  # four times the same code
