"""An arm that sees some classes only: what its measures have, and the other classes as outsiders to it."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from latent_audit.critic.network import build_critic
from latent_audit.data.outsiders import load_outsiders
from latent_audit.data.prepared import load_split
from latent_audit.decoding.anomaly import MEASURE as ANOMALY
from latent_audit.decoding.asked_class import MEASURE as ASKED
from latent_audit.decoding.subject import DecoderSubject
from latent_audit.encoding.encode import encode_test_and_train
from latent_audit.models.autoencoder import ModelSpec, build
from latent_audit.models.image import ImageShape

CPU, IMAGE = torch.device("cpu"), ImageShape(1, 16, 16)


def subject_of(prepared, only) -> DecoderSubject:
    model = build(ModelSpec("ae", "dense", IMAGE, 2, {"widths": (8,)}, n_classes=5), seed=0).eval()
    splits = {name: load_split(prepared, name, only) for name in ("train", "test")}
    codes = encode_test_and_train(model, splits, reconstruction="bce", seed=0, device=CPU)
    images = {name: split.images for name, split in splits.items()}
    outsiders, critic = load_outsiders(prepared, only), build_critic(IMAGE, 5, seed=0)
    return DecoderSubject(codes, model, critic, images, pd.DataFrame(), "bce", 0, CPU, outsiders)


def test_the_other_classes_are_outsiders_to_it_in_every_score(prepared):
    subject = subject_of(prepared, [1])
    table = ANOMALY.rows(subject)
    assert set(table["metric"]) == {"auroc", "auprc", "fpr95"}
    assert {of.removesuffix("_other_classes") for of in table["of"]} >= {"reconstruction", "mahalanobis"}
    assert set(table["metric"] + "_" + table["of"]) <= {metric.name for metric in ANOMALY.metrics}
    assert table["value"].between(0, 1).all()
    loud = replace(subject, outsiders={"other_classes": np.full_like(subject.images["test"], 255)})
    found = ANOMALY.rows(loud).set_index(["metric", "of"])["value"]
    assert found["auroc", "mahalanobis_other_classes"] == pytest.approx(1)


@pytest.mark.parametrize(("only", "labels"), [([1], False), ([1, 2], True), (None, True)])
def test_one_class_has_no_labels_to_tell_apart(prepared, only, labels):
    there = subject_of(prepared, only).there
    assert ("labels" in there) is labels and "critic" in there
    assert ("outsider" in there) is (only is not None)
    assert (ASKED.needs <= there) is labels
