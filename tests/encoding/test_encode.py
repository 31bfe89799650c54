"""latent_audit.encoding.encode: one seeded draw per image, in the order of the split."""

import math

import numpy as np
import pytest
import torch
from torch.distributions import Normal

from latent_audit.base.codes import read_codes
from latent_audit.base.randomness import generator_for
from latent_audit.base.tables import write_json
from latent_audit.base.tensors import write_tensors
from latent_audit.data.prepared import LoadedSplit, load_split
from latent_audit.encoding.encode import encode_split, encode_test_and_train
from latent_audit.encoding.encode_arm import encode_replicate
from latent_audit.models.autoencoder import ModelSpec, build
from latent_audit.models.image import ImageShape, to_unit_interval
from latent_audit.models.store import weights_path

CPU = torch.device("cpu")


def make(family: str, latent_dim: int = 2):
    model = build(ModelSpec(family, "conv", ImageShape(1, 16, 16), latent_dim), seed=0)
    if family == "vae":
        with torch.no_grad():
            model.encoder.heads["logvar"].bias.fill_(math.log(0.25))  # posteriors that are not the prior
    return model.eval()


def encode(model, split, *, reconstruction: str | None = "bce", seed: int = 0):
    return encode_split(model, split, reconstruction=reconstruction, device=CPU, generator=generator_for(seed, "codes"))


def test_what_an_autoencoder_gives(tiny_splits):
    arrays = encode(make("ae"), tiny_splits["test"])
    assert set(arrays) == {"mu", "z", "recon_nll", "bce", "mse", "labels"}
    assert np.array_equal(arrays["z"], arrays["mu"])
    assert np.array_equal(arrays["labels"], tiny_splits["test"].labels)
    assert {name: values.dtype.name for name, values in arrays.items()} == {
        "mu": "float32", "z": "float32", "recon_nll": "float32", "bce": "float32", "mse": "float32", "labels": "int64",
    }  # fmt: skip
    assert arrays["mu"].shape == (40, 2)
    assert arrays["recon_nll"].shape == arrays["mse"].shape == (40,)


def test_what_a_vae_gives(tiny_splits):
    model = make("vae", latent_dim=3)
    arrays = encode(model, tiny_splits["test"], seed=5)
    assert set(arrays) == {"mu", "logvar", "z", "recon_nll", "bce", "mse", "labels"}
    eps = torch.randn(40, 3, generator=generator_for(5, "codes"))
    with torch.no_grad():
        mu, logvar = model.encode(to_unit_interval(torch.from_numpy(tiny_splits["test"].images)))
    np.testing.assert_allclose(arrays["mu"], mu.numpy(), atol=1e-6)
    np.testing.assert_allclose(arrays["z"], (mu + (0.5 * logvar).exp() * eps).numpy(), atol=1e-6)


@pytest.mark.parametrize("reconstruction", ["bce", "mse"])
@pytest.mark.parametrize("family", ["ae", "vae"])
def test_scores_are_of_the_drawn_z(tiny_splits, family, reconstruction):
    model = make(family)
    arrays = encode(model, tiny_splits["test"], reconstruction=reconstruction)
    x = tiny_splits["test"].images / 255.0
    with torch.no_grad():
        p = model.decode(torch.from_numpy(arrays["z"])).double().sigmoid().numpy()
    bce = -(x * np.log(p) + (1 - x) * np.log(1 - p))
    np.testing.assert_allclose(arrays["bce"], bce.mean(axis=(1, 2, 3)), rtol=1e-4)
    np.testing.assert_allclose(arrays["mse"], ((p - x) ** 2).mean(axis=(1, 2, 3)), rtol=1e-4)
    gaussian = -Normal(torch.from_numpy(p), 1.0).log_prob(torch.from_numpy(x)).numpy()
    nll = (bce if reconstruction == "bce" else gaussian).sum(axis=(1, 2, 3))
    np.testing.assert_allclose(arrays["recon_nll"], nll, rtol=1e-4)


def test_without_a_reconstruction_there_are_codes_only(tiny_splits):
    arrays = encode(make("vae"), tiny_splits["test"], reconstruction=None)
    assert set(arrays) == {"mu", "logvar", "z", "labels"}


def test_a_seed_decides_z_and_nothing_else(tiny_splits):
    model = make("vae")
    first, again, other = (encode(model, tiny_splits["test"], seed=seed) for seed in (1, 1, 2))
    assert all(np.array_equal(first[name], again[name]) for name in first)
    assert np.array_equal(first["mu"], other["mu"])
    assert not np.any(first["z"] == other["z"])


def test_more_images_than_a_batch(tiny_splits):
    images = np.tile(tiny_splits["test"].images, (26, 1, 1, 1))[:1037]
    labels = np.tile(tiny_splits["test"].labels, 26)[:1037]
    arrays = encode(make("vae"), LoadedSplit(images, labels))
    assert {len(values) for values in arrays.values()} == {1037}
    np.testing.assert_allclose(arrays["mu"][1000:1037], arrays["mu"][:37], atol=1e-6)  # 1000 = 25 * 40: the same images
    eps = (arrays["z"] - arrays["mu"]) / np.exp(0.5 * arrays["logvar"])
    assert abs(eps.mean()) < 5 / np.sqrt(eps.size)
    assert abs(eps.var() - 1) < 5 * np.sqrt(2 / eps.size)
    assert len(np.unique(eps.round(5), axis=0)) == 1037  # every image has a draw of its own


def test_encoding_does_not_depend_on_training_mode(tiny_splits):
    model = make("vae")
    first, second = encode(model.train(), tiny_splits["test"]), encode(model.eval(), tiny_splits["test"])
    assert all(np.array_equal(first[name], second[name]) for name in first)


def test_encode_test_and_train(tiny_splits):
    model = make("vae")
    arrays = encode_test_and_train(model, tiny_splits, reconstruction="bce", seed=3, device=CPU)
    assert set(arrays) == {
        "mu", "logvar", "z", "recon_nll", "bce", "mse", "labels", "train_mu", "train_logvar", "train_z", "train_labels",
    }  # fmt: skip
    assert len(arrays["mu"]) == 40
    assert len(arrays["train_mu"]) == 60
    assert np.array_equal(arrays["train_labels"], tiny_splits["train"].labels)
    test_eps, train_eps = (
        (arrays[f"{prefix}z"] - arrays[f"{prefix}mu"]) / np.exp(0.5 * arrays[f"{prefix}logvar"])
        for prefix in ("", "train_")
    )
    assert not np.allclose(test_eps, train_eps[:40], atol=1e-3)  # streams of their own


def test_training_images_do_not_shift_the_test_draws(tiny_splits):
    model = make("vae")
    whole = encode_test_and_train(model, tiny_splits, reconstruction="bce", seed=3, device=CPU)
    fewer = {**tiny_splits, "train": LoadedSplit(*(part[:7] for part in tiny_splits["train"]))}
    assert np.array_equal(
        encode_test_and_train(model, fewer, reconstruction="bce", seed=3, device=CPU)["z"], whole["z"]
    )


@pytest.mark.parametrize(("classes", "seen"), [(None, {0, 1, 2, 3, 4}), ([1, 3], {1, 3})])
def test_an_arm_encodes_the_images_of_its_classes_alone(prepared, tmp_path, classes, seen):
    model = make("ae")
    write_tensors(weights_path(tmp_path, 0), {name: tensor.contiguous() for name, tensor in model.state_dict().items()})
    arm = {"family": "ae", "architecture": "conv", "latent_dim": 2, "settings": model.spec.settings, "n_classes": 0}
    arm |= {"channels": 1, "height": 16, "width": 16, "reconstruction": "bce"} | (
        {"classes": classes} if classes else {}
    )
    write_json(tmp_path / "arm.json", arm)
    encode_replicate(tmp_path, prepared, tmp_path / "codes", CPU, seed=0, send=lambda line: None)
    codes = read_codes(tmp_path / "codes/seed-0.npz")
    assert set(codes["labels"]) == set(codes["train_labels"]) == seen
    whole = encode(model, load_split(prepared, "test"))
    np.testing.assert_allclose(codes["mu"], whole["mu"][np.isin(whole["labels"], list(seen))], atol=1e-6)
