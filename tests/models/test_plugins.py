"""A family and an architecture of one file each, added to a scratch copy: they train, encode and decode untouched."""

import json
import re
import shutil
import sys

import pytest

from import_graph import ROOT
from workspaces import run

SPARSE = '''
"""Autoencoder with a penalty on the code's absolute values."""

from latent_audit.models.elbo import PIXEL_LOSS, recon_nll
from latent_audit.models.family import Encoded, Family


def loss(model, batch, draws, objective):
    mu, n_pixels = model.heads(batch.inputs)["mu"], model.spec.image.n_pixels
    pixel_loss = PIXEL_LOSS[objective.reconstruction](model.decode(mu), batch.x)
    penalty = mu.abs().sum(dim=1)
    nll = recon_nll(pixel_loss, objective.reconstruction, n_pixels)
    return {"objective": pixel_loss / n_pixels + 0.01 * penalty, "recon_nll": nll, "penalty": penalty}


def encode(model, batch, draws):
    mu = model.heads(batch.inputs)["mu"]
    return Encoded(mu, {"mu": mu})


FAMILY = Family(
    name="tiny", terms=("objective", "recon_nll", "penalty"), heads=lambda latent_dim: {"mu": latent_dim},
    draws=lambda latent_dim: {}, loss=loss, encode=encode, code="deterministic", role="other", has_kl=False,
)
'''

CONDITIONAL = '''
"""Conditional VAE: encoder and decoder are told the label, and a table of its own gives each label a prior mean."""

from torch import nn

from latent_audit.models.autoencoder import one_hot
from latent_audit.models.elbo import PIXEL_LOSS, elbo_terms, objective_of, reparameterise
from latent_audit.models.family import Encoded, Family


def label_of(model, batch):
    return one_hot(batch.labels, model.spec.n_classes).to(batch.x.device)


def loss(model, batch, draws, objective):
    label, n_pixels = label_of(model, batch), model.spec.image.n_pixels
    heads = model.heads(batch.inputs, label)
    code = reparameterise(heads["mu"], heads["logvar"], draws["eps"])
    pixel_loss = PIXEL_LOSS[objective.reconstruction](model.decode(code, label), batch.x)
    centred = heads["mu"] - label @ model.own["centre"].weight
    terms = elbo_terms(
        pixel_loss, centred, heads["logvar"], reconstruction=objective.reconstruction, n_pixels=n_pixels
    )
    minimised = objective_of(pixel_loss, terms.kl, beta=objective.beta, n_pixels=n_pixels)
    return {"objective": minimised, "recon_nll": terms.recon_nll, "kl": terms.kl, "elbo": terms.elbo()}


def encode(model, batch, draws):
    heads = model.heads(batch.inputs, label_of(model, batch))
    return Encoded(reparameterise(heads["mu"], heads["logvar"], draws["eps"]), dict(heads))


def initialise(model, generator):
    nn.init.normal_(model.own["centre"].weight, generator=generator)


FAMILY = Family(
    name="tiny", terms=("objective", "recon_nll", "kl", "elbo"),
    heads=lambda latent_dim: {"mu": latent_dim, "logvar": latent_dim}, draws=lambda latent_dim: {"eps": (latent_dim,)},
    loss=loss, encode=encode,
    decode=lambda model, code, labels: model.decode(code, one_hot(labels, model.spec.n_classes)),
    condition=lambda n_classes: n_classes,
    modules=lambda spec: {"centre": nn.Embedding(spec.n_classes, spec.latent_dim)},
    initialise=initialise, code="gaussian", role="vae", has_kl=True,
)
'''

# What a reader of the study's code would do with a family and an architecture, in a process of its own.
USE = """
import json
import sys
from functools import partial

import numpy as np
import torch

sys.path[:0] = ["src", "tests"]
from splits import make_splits
from latent_audit.base.randomness import generator_for
from latent_audit.decoding.decode import decode
from latent_audit.encoding.encode import encode_split
from latent_audit.models.autoencoder import ModelSpec, build
from latent_audit.models.image import ImageShape
from latent_audit.training import helper_process
from latent_audit.training.batch import TrainingRun
from latent_audit.training.fit import fit
from latent_audit.training.fit_stacked import fit_stacked


def main(family, architecture):
    torch.set_num_threads(1)
    splits, cpu, helpers = make_splits(), torch.device("cpu"), []
    spec = ModelSpec(family, architecture, ImageShape(1, 16, 16), 2, {}, n_classes=5)
    run = TrainingRun("x", spec, "bce", 64.0, 1, 25, 1e-3, "float32")
    trained = fit(splits, run, seed=0, device=cpu)
    (stacked,) = fit_stacked(splits, run, seeds=(0,), device=cpu)
    helper_process.WORTH = 0

    def open_helper(model):
        helpers.append(helper_process.HelperProcess(model, run, partial(dict, splits)))
        assert helpers[0].ready(60)
        return helpers[0]

    helped = fit(splits, run, seed=0, device=cpu, open_helper=open_helper)
    assert all(torch.equal(value, trained.weights[name]) for name, value in helped.weights.items())
    for row, other in zip(stacked.history, trained.history, strict=True):
        assert abs(row["objective"] / other["objective"] - 1) < 1e-4
    model = build(spec, seed=0)
    model.load_state_dict(trained.weights)
    codes = encode_split(
        model.eval(), splits["test"], reconstruction="bce", device=cpu, generator=generator_for(0, "codes")
    )
    images = decode(model, codes["z"], device=cpu, labels=splits["test"].labels)
    shown = {
        "history": list(trained.history[0]), "codes": sorted(codes), "images": [str(images.dtype), *images.shape],
        "own": [name for name in trained.weights if name.startswith("own.")],
        "drawn": float(np.abs(codes["z"] - codes["mu"]).max()),
    }
    if spec.family == "tiny" and model.family.condition(5):
        other = decode(model, codes["z"], device=cpu, labels=(splits["test"].labels + 1) % 5)
        assert (other != images).any(), "the decoder does not feel the label"
        try:
            decode(model, codes["z"], device=cpu)
        except ValueError as error:
            shown["refused"] = str(error)
    print(json.dumps(shown))


if __name__ == "__main__":
    main(*sys.argv[1:])
"""


@pytest.fixture
def scratch(tmp_path):
    """A copy of src that a test may add a file to."""
    ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=ignored)
    (tmp_path / "tests").mkdir()
    shutil.copy(ROOT / "tests/splits.py", tmp_path / "tests/splits.py")
    (tmp_path / "use.py").write_text(USE, encoding="utf-8")
    return tmp_path


def used(scratch, family: str, architecture: str) -> dict:
    return json.loads(run(scratch, sys.executable, "use.py", family, architecture).splitlines()[-1])


def test_a_family_of_one_file(scratch):
    (scratch / "src/latent_audit/models/families/tiny.py").write_text(SPARSE, encoding="utf-8")
    shown = used(scratch, "tiny", "dense")
    assert shown["history"] == ["seed", "epoch", "split", "objective", "recon_nll", "penalty"]
    assert shown["codes"] == ["bce", "labels", "mse", "mu", "recon_nll", "z"]
    assert shown["images"] == ["uint8", 40, 1, 16, 16]
    assert shown["drawn"] == 0


@pytest.mark.parametrize("architecture", ["conv", "dense"])
def test_a_family_that_is_told_the_label_and_has_a_table_of_its_own(scratch, architecture):
    (scratch / "src/latent_audit/models/families/tiny.py").write_text(CONDITIONAL, encoding="utf-8")
    shown = used(scratch, "tiny", architecture)
    assert shown["codes"] == ["bce", "labels", "logvar", "mse", "mu", "recon_nll", "z"]
    assert shown["own"] == ["own.centre.weight"]
    assert shown["images"] == ["uint8", 40, 1, 16, 16]
    assert shown["drawn"] > 0
    assert shown["refused"] == "decode: the family 'tiny' decodes a code under a label; give one per code."


def test_the_architecture_of_contributing(scratch):
    """The file that CONTRIBUTING.md shows is one: added as it stands, both families train on it."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    ((name, source),) = re.findall(r"`models/architectures/(\w+)\.py`.*?```python\n(.*?)```", text, re.DOTALL)
    (scratch / f"src/latent_audit/models/architectures/{name}.py").write_text(source, encoding="utf-8")
    for family in ("ae", "vae"):
        assert used(scratch, family, name)["images"] == ["uint8", 40, 1, 16, 16]
    refused = run(scratch, sys.executable, "use.py", "ae", "nowhere", expect=1)
    assert f"there is no 'nowhere'; there are conv, dense, grid, {name}" in refused
