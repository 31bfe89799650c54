"""What replicates share of the draws that measure them, and what they do not."""

from dataclasses import replace

import numpy as np
import pandas as pd
import torch

from latent_audit.base.randomness import replicate_seed
from latent_audit.critic.network import build_critic
from latent_audit.decoding import diagnosis
from latent_audit.decoding.diagnosis import Files, measure_replicate
from latent_audit.diagnostics.audit import AuditSettings, audit
from latent_audit.diagnostics.codes import Codes
from latent_audit.diagnostics.subject import Subject
from latent_audit.models.autoencoder import ModelSpec, build
from latent_audit.models.image import ImageShape

FAST = AuditSettings(neighbours=5, grid=20, null_draws=19, null_rows=40)
Z = np.random.default_rng(0).standard_normal((80, 2))


def joint(replicate: int | None, seed: int = 7) -> pd.DataFrame:
    return audit(Z, seed=seed, settings=replace(FAST, replicate=replicate)).joint.set_index("metric")


def test_replicates_draw_for_themselves_and_share_what_chance_gives():
    first, second = joint(0), joint(1)
    drawn = ["hole_fraction", "energy_d2", "sliced_w2"]
    assert (first.loc[drawn, "value"] != second.loc[drawn, "value"]).any()
    shared = first.index[first["null_low"].notna() & (first.index != "symmetry_energy")]  # whose null are its own signs
    pd.testing.assert_frame_equal(
        first.loc[shared, ["null_low", "null_high"]], second.loc[shared, ["null_low", "null_high"]]
    )
    pd.testing.assert_frame_equal(joint(1), second)


def test_an_audit_that_is_of_no_replicate_draws_as_before():
    subject = Subject(Codes(Z), FAST, (0, 1), 7)
    again = Subject(Codes(Z), replace(FAST, replicate=0), (0, 1), 7)
    assert subject.rng("joint").random() != again.rng("joint").random()
    assert subject.seed == again.seed  # of the null


def test_the_seed_of_a_replicate_depends_on_the_study_and_the_replicate_alone():
    seeds = {(seed, k): replicate_seed(seed, k) for seed in (0, 1, 20140) for k in range(20)}
    assert len(set(seeds.values())) == len(seeds)
    assert replicate_seed(20140, 3) == seeds[20140, 3]


def test_the_measures_of_decoders_get_the_replicates_draws_the_same_in_every_arm(tmp_path, monkeypatch):
    image, seen = ImageShape(1, 16, 16), []
    codes = {
        "z": Z,
        "mu": Z,
        "labels": np.arange(80) % 4,
        "train_z": Z,
        "train_mu": Z,
        "train_labels": np.arange(80) % 4,
    }
    monkeypatch.setattr(diagnosis, "load_meta", lambda folder: image)
    monkeypatch.setattr(
        diagnosis, "load_model", lambda *_, **__: build(ModelSpec("ae", "conv", image, 2), seed=0).eval()
    )
    monkeypatch.setattr(diagnosis, "load_critic", lambda *_, **__: build_critic(image, 4, seed=0).eval())
    monkeypatch.setattr(diagnosis, "load_split", lambda *_: type("Split", (), {"images": np.zeros((80, 1, 16, 16))}))
    monkeypatch.setattr(diagnosis, "told_apart", lambda *_: [])
    monkeypatch.setattr(diagnosis, "beside_of", lambda *_: {})
    monkeypatch.setattr(diagnosis, "attributes_of", lambda *_: None)
    monkeypatch.setattr(diagnosis, "read_table", lambda path: pd.DataFrame({"seed": [0, 1]}))
    monkeypatch.setattr(diagnosis, "read_json", lambda path: {"reconstruction": "bce"})
    monkeypatch.setattr(Files, "codes_of", lambda self, seed: codes)
    monkeypatch.setattr(diagnosis, "measure_codes", lambda *_, **more: (seen.append(more), ({}, None))[1])
    monkeypatch.setattr(diagnosis, "measure_decoder", lambda subject, applies: (seen.append(subject), {})[1])
    for arm in ("ae", "vae"):
        files = Files(tmp_path, tmp_path / arm, tmp_path, tmp_path, FAST, 20140, torch.device("cpu"))
        for seed in (0, 1):
            measure_replicate(files, seed=seed, send=lambda line: None)
    audits, decoders = seen[::2], seen[1::2]
    assert [(own["seed"], own["settings"].replicate) for own in audits] == [(20140, 0), (20140, 1)] * 2
    assert [own.seed for own in decoders] == [replicate_seed(20140, 0), replicate_seed(20140, 1)] * 2
