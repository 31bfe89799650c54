"""latent_audit.models.architectures.grid: a code of places, and nothing that mixes them beyond a convolution."""

import numpy as np
import pytest
import torch

from latent_audit.base.errors import InputError
from latent_audit.models.autoencoder import ModelSpec, build
from latent_audit.models.image import ImageShape
from latent_audit.models.layers import exported
from latent_audit.models.registry import architecture, settings_of


def made(family: str = "ae", latent_dim: int = 48, **settings):
    return build(ModelSpec(family, "grid", ImageShape(1, 16, 16), latent_dim, settings), seed=0).eval()


def test_sizes_of_the_usual_network():
    """32 x 32, two stages, 16 numbers at 8 x 8 places: the code of Keras' example of as many places."""
    model = build(ModelSpec("ae", "grid", ImageShape(1, 32, 32), 1024), seed=0).eval()
    assert model.encoder.heads["mu"][1].weight.shape == (16, 64, 1, 1)
    assert model.encode(torch.zeros(2, 1, 32, 32))[0].shape == (2, 1024)
    assert model.decode(torch.zeros(2, 1024)).shape == (2, 1, 32, 32)


def test_a_place_of_the_code_sees_its_own_part_of_the_image():
    """Channel by channel: of 3 x 4 x 4 numbers those of place (0, 0) do not change with the opposite corner."""
    model, x = made(), torch.rand(1, 1, 16, 16, generator=torch.Generator().manual_seed(0))
    other = x.clone()
    other[..., 12:, 12:] = 0
    changed = (model.encode(x)[0] != model.encode(other)[0]).reshape(3, 4, 4)
    assert not changed[:, 0, 0].any()
    assert changed[:, 3, 3].any()


def test_a_vae_of_a_grid_has_both_heads():
    mu, logvar = made("vae").encode(torch.zeros(2, 1, 16, 16))
    assert logvar is not None
    assert mu.shape == logvar.shape == (2, 48)


def test_the_decoder_is_exported_for_the_page():
    layers = exported(made(norm="batch").decoder, (48,))
    assert layers[0].kind == "reshape"
    assert layers[0].settings["shape"] == [3, 4, 4]
    assert all(np.isfinite(array).all() for layer in layers for array in layer.weights.values())


def test_what_cannot_be_built_is_refused_in_words():
    with pytest.raises(InputError, match="50 numbers do not divide among the 4 x 4 places"):
        made(latent_dim=50)
    with pytest.raises(InputError, match="no place for a label"):
        build(ModelSpec("cvae", "grid", ImageShape(1, 16, 16), 48, {}, n_classes=5), seed=0)
    for settings, message in (({"widths": (8,) * 5}, "halve an image 5 times"), ({"widths": ()}, "at least one stage")):
        with pytest.raises(InputError, match=message):
            settings_of(architecture("grid"), settings, ImageShape(1, 16, 16))
