"""latent_audit.decoding.pictures: which dimensions are shown, and that each picture is of the code it is named for."""

import numpy as np
import pytest
import torch

from latent_audit.decoding.decode import decode, quantile_axis
from latent_audit.decoding.pictures import draw_pictures, shown_dimensions
from latent_audit.encoding.encode import encode_test_and_train
from latent_audit.models.autoencoder import ModelSpec, build
from latent_audit.models.image import ImageShape

CPU = torch.device("cpu")
NAMES = {
    "dims", "shown", "originals", "reconstructions", "lattice", "lattice_quantile",
    "samples_prior", "samples_box", "samples_gaussian", "samples_gmm",
}  # fmt: skip


def make(family: str, latent_dim: int):
    model = build(ModelSpec(family, "conv", ImageShape(1, 16, 16), latent_dim), seed=0).eval()
    with torch.no_grad():
        model.decoder[-1].weight.mul_(200)  # pictures that differ visibly
    return model


def encoded(model, splits) -> dict[str, np.ndarray]:
    """Codes as `read_codes` gives them: float64."""
    arrays = encode_test_and_train(model, splits, reconstruction="bce", seed=0, device=CPU)
    return {name: values.astype(np.float64) if values.dtype.kind == "f" else values for name, values in arrays.items()}


def test_the_dimensions_of_largest_kl_are_shown():
    # mean KL per dimension: mu^2 / 2 = 0.5, 0, 8, 2
    mu = np.tile([1.0, 0.0, -4.0, 2.0], (5, 1))
    assert shown_dimensions({"mu": mu, "logvar": np.zeros((5, 4))}).tolist() == [2, 3]


def test_kl_and_not_the_variance_of_mu_decides_for_a_vae():
    rng = np.random.default_rng(0)
    mu = rng.normal(0, [1.0, 0.9, 0.1], (500, 3))
    logvar = np.tile([0.0, 0.0, -9.0], (500, 1))  # the last hardly moves but is known to within 0.01
    assert shown_dimensions({"mu": mu, "logvar": logvar}).tolist() == [0, 2]


def test_the_dimensions_of_largest_variance_are_shown_for_an_autoencoder():
    mu = np.random.default_rng(0).normal(0, [1.0, 5.0, 0.1, 9.0], (200, 4)) + np.array([0, 0, 1000, 0])
    assert shown_dimensions({"mu": mu}).tolist() == [1, 3]


def test_ties_go_to_the_first_dimensions():
    assert shown_dimensions({"mu": np.zeros((5, 4)), "logvar": np.zeros((5, 4))}).tolist() == [0, 1]


def test_one_dimension_is_shown_twice():
    assert shown_dimensions({"mu": np.ones((5, 1))}).tolist() == [0, 0]


@pytest.mark.parametrize(("family", "latent_dim"), [("ae", 2), ("vae", 3), ("vae", 1)])
def test_draw_pictures(tiny_splits, family, latent_dim):
    model = make(family, latent_dim)
    codes = encoded(model, tiny_splits)
    images = tiny_splits["test"].images
    pictures = draw_pictures(model, codes, images, seed=0, device=CPU)
    assert set(pictures) == NAMES
    shapes = {name: values.shape for name, values in pictures.items()}
    assert shapes == {
        "dims": (2,), "shown": (16,), "originals": (16, 1, 16, 16), "reconstructions": (16, 1, 16, 16),
        "lattice": (21, 21, 1, 16, 16), "lattice_quantile": (21, 21, 1, 16, 16),
        **{f"samples_{sampler}": (24, 1, 16, 16) for sampler in ("prior", "box", "gaussian", "gmm")},
    }  # fmt: skip
    assert {values.dtype for name, values in pictures.items() if name not in ("dims", "shown")} == {np.dtype(np.uint8)}
    shown = pictures["shown"]
    assert np.array_equal(shown, np.unique(shown))
    assert np.array_equal(pictures["originals"], images[shown])
    assert np.array_equal(pictures["reconstructions"], decode(model, codes["z"][shown], device=CPU))


def test_lattices_lie_the_right_way_up(tiny_splits):
    model = make("ae", 2)
    codes = encoded(model, tiny_splits)
    pictures = draw_pictures(model, codes, tiny_splits["test"].images, seed=0, device=CPU)
    edge = quantile_axis(21)[-1]
    corners = np.array([[-3.0, 3], [3, 3], [-3, -3], [3, -3]])  # top left, top right, bottom left, bottom right
    for name, reach in (("lattice", 1.0), ("lattice_quantile", edge / 3)):
        lattice = pictures[name]
        found = np.stack([lattice[0, 0], lattice[0, -1], lattice[-1, 0], lattice[-1, -1]]).astype(int)
        expected = decode(model, corners * reach, device=CPU)
        assert np.abs(found - expected).max() <= 1  # rounding, in batches of another size
        assert np.abs(found[0] - found[3]).max() > 1  # or the corners could be anywhere


def test_a_seed_decides_and_arms_share_their_images(tiny_splits):
    made = {}
    for family in ("ae", "vae"):
        model = make(family, 2)
        codes = encoded(model, tiny_splits)
        made[family] = [
            draw_pictures(model, codes, tiny_splits["test"].images, seed=seed, device=CPU) for seed in (0, 0, 1)
        ]
    first, again, other = made["vae"]
    assert all(np.array_equal(first[name], again[name]) for name in NAMES)
    assert not np.array_equal(first["shown"], other["shown"])
    assert np.array_equal(first["originals"], made["ae"][0]["originals"])
