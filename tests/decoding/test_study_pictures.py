"""Which codes single studies decode for their pictures."""

import numpy as np
import torch

from latent_audit.decoding.study_pictures import along, between, by_information, class_means, passing, study_pictures
from latent_audit.models.autoencoder import ModelSpec, build
from latent_audit.models.image import ImageShape


def test_interpolations_run_from_mean_to_mean_between_the_classes_that_are_there():
    means = class_means(np.array([[0.0, 0.0], [2.0, 0.0], [4.0, 4.0], [8.0, 8.0]]), np.array([0, 0, 1, 2]))
    pairs, lines = between(means)
    assert pairs.tolist() == [[0, 1]] and lines.shape == (1, 12, 2)
    np.testing.assert_allclose(lines[0, [0, -1]], [[1.0, 0.0], [4.0, 4.0]])
    np.testing.assert_allclose(np.diff(lines[0], axis=0), np.full((11, 2), [3 / 11, 4 / 11]))


def test_no_pair_of_classes_no_line():
    pairs, lines = between({0: np.zeros(2)})
    assert pairs.shape == (0, 2) and len(lines) == 0


def test_dimensions_are_ordered_by_kl_or_else_by_variance():
    mu = np.array([[1.0, 0.0, 3.0], [-1.0, 0.0, -3.0]])
    assert by_information({"mu": mu}).tolist() == [2, 0, 1]
    logvar = np.array([[0.0, -9.0, 0.0], [0.0, -9.0, 0.0]])  # a narrow posterior at 0 costs nats, too
    assert by_information({"mu": mu, "logvar": logvar}).tolist() == [2, 1, 0]


def test_a_traversal_keeps_the_code_but_for_its_dimension():
    codes = along(np.array([7.0, 8.0, 9.0]), np.array([2, 0]))
    assert codes.shape == (2, 11, 3)
    np.testing.assert_allclose(codes[0, :, 2], np.linspace(-3, 3, 11))
    assert (codes[0, :, 0] == 7).all() and (codes[1, :, 2] == 9).all()


def test_outsiders_that_pass_are_those_of_the_lowest_score():
    assert passing(np.array([5.0, 1.0, 3.0])).tolist() == [1, 2, 0]


def test_a_study_has_the_pictures_that_it_is_about_and_no_others():
    image = ImageShape(1, 8, 8)
    model = build(ModelSpec("vae", "dense", image, 3, {"widths": (8,)}), seed=0).eval()
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (20, *image), dtype=np.uint8)
    codes = {"mu": rng.standard_normal((20, 3)), "logvar": np.zeros((20, 3)), "labels": np.arange(20) % 2}
    codes["recon_nll"] = np.ones(20)
    settings = {"reconstruction": "bce", "seed": 0, "device": torch.device("cpu")}

    plain = study_pictures(model, codes, images, has_classes=False, outsiders={}, denoises=False, **settings)
    assert set(plain) == {"traversed", "traversals"} and plain["traversals"].shape == (3, 11, *image)

    full = study_pictures(
        model, codes, images, has_classes=True, outsiders={"digits": images[::-1]}, denoises=True, **settings
    )
    assert set(full) - set(plain) == {
        "interpolated", "interpolations", "noisy", "denoised", "clean", "passing_digits", "passing_digits_decoded",
        "scores_reconstruction", "scores_reconstruction_digits", "scores_elbo", "scores_elbo_digits",
        "scores_kl", "scores_kl_digits",
    }  # fmt: skip
    numbers = ("interpolated", "traversed", "scores")
    assert all(value.dtype == np.uint8 for name, value in full.items() if not name.startswith(numbers))
    np.testing.assert_array_equal(full["clean"], images[:8])
    assert full["passing_digits"].shape == (8, *image)
