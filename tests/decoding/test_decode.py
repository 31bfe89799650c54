"""latent_audit.decoding.decode: pixels, and which way up a lattice lies."""

import numpy as np
import pytest
import torch
from scipy.stats import norm

from latent_audit.decoding.decode import decode, even_axis, plane, quantile_axis
from latent_audit.models.autoencoder import ModelSpec, build
from latent_audit.models.image import ImageShape

CPU = torch.device("cpu")


def make(latent_dim: int, image: tuple[int, int, int] = (1, 16, 16)):
    return build(ModelSpec("ae", "conv", ImageShape(*image), latent_dim), seed=0).eval()


@pytest.mark.parametrize("latent_dim", [1, 2, 3])
@pytest.mark.parametrize("image", [(1, 16, 16), (3, 8, 16)])
def test_images_are_uint8_of_the_models_shape(latent_dim, image):
    z = np.random.default_rng(0).normal(size=(4, latent_dim))
    images = decode(make(latent_dim, image), z, device=CPU)
    assert images.shape == (4, *image)
    assert images.dtype == np.uint8
    assert images.flags.c_contiguous


def test_pixels_are_the_rounded_mean():
    model, z = make(2), np.random.default_rng(1).normal(size=(5, 2))
    with torch.no_grad():
        model.decoder[-1].weight.mul_(200)  # from black to white
        mean = model.decode(torch.from_numpy(z).float()).double().sigmoid().numpy()
    images = decode(model, z, device=CPU)
    assert np.ptp(images) > 100
    assert np.abs(images - 255 * mean).max() <= 0.5 + 1e-3


@pytest.mark.parametrize(("logit", "pixel"), [(-100.0, 0), (0.0, 128), (100.0, 255)])
def test_black_grey_and_white(logit, pixel):
    model = make(2)
    with torch.no_grad():
        model.decoder[-1].weight.zero_()
        model.decoder[-1].bias.fill_(logit)
    assert (decode(model, np.zeros((2, 2)), device=CPU) == pixel).all()  # 255 / 2 = 127.5 rounds to the even 128


def test_more_codes_than_a_batch_keep_their_order():
    model, z = make(2), 3 * np.random.default_rng(2).normal(size=(503, 2))
    images = decode(model, z, device=CPU)
    assert len(images) == 503
    for index in (0, 499, 500, 502):
        alone = decode(model, z[index : index + 1], device=CPU)[0]
        assert np.abs(images[index].astype(int) - alone).max() <= 1  # a rounding at .5 may fall either way


def test_codes_in_any_memory_order():
    model, z = make(3), np.random.default_rng(3).normal(size=(3, 6))
    assert np.array_equal(decode(model, z.T, device=CPU), decode(model, np.ascontiguousarray(z.T), device=CPU))


def test_the_top_row_of_a_plane_has_the_largest_second_coordinate():
    codes = plane(np.array([1.0, 2.0, 3.0]), np.array([10.0, 20.0]), np.array([0, 1]), 2)
    assert codes.tolist() == [
        [[1, 20], [2, 20], [3, 20]],  # row 0, the top
        [[1, 10], [2, 10], [3, 10]],
    ]


def test_other_dimensions_of_a_plane_are_zero():
    codes = plane(np.array([1.0, 2.0]), np.array([10.0, 20.0]), np.array([1, 3]), 5)
    assert codes.shape == (2, 2, 5)
    assert codes[0, 1].tolist() == [0, 2, 0, 20, 0]
    assert codes[1, 0].tolist() == [0, 1, 0, 10, 0]


def test_a_plane_of_one_dimension_repeats_its_row():
    codes = plane(np.array([1.0, 2.0]), np.array([10.0, 20.0]), np.array([0, 0]), 1)
    assert codes[..., 0].tolist() == [[1, 2], [1, 2]]


def test_even_axis():
    assert even_axis(5).tolist() == [-3, -1.5, 0, 1.5, 3]
    assert even_axis(3, reach=2.0).tolist() == [-2, 0, 2]


@pytest.mark.parametrize("n", [1, 4, 21])
def test_quantile_axis_is_symmetric_with_equal_mass_between_cells(n):
    axis = quantile_axis(n)
    np.testing.assert_allclose(axis, -axis[::-1], atol=1e-12)
    np.testing.assert_allclose(norm.cdf(axis), (np.arange(n) + 0.5) / n)
    assert np.isfinite(axis).all()


def test_quantile_axis_by_table():
    # the quartiles' centres: Phi^-1(1/8) = -1.15035, Phi^-1(3/8) = -0.31864 (any table of the normal)
    np.testing.assert_allclose(quantile_axis(4), [-1.15035, -0.31864, 0.31864, 1.15035], atol=5e-6)
