"""latent_audit.decoding.decoder: the layers of a trained model's networks, or why there are none."""

import numpy as np
import pytest
import torch
from torch import nn

from latent_audit.base.layers import ENCODER, n_weights, read_decoder, read_layers
from latent_audit.decoding.decoder import write_decoder, write_encoder_of
from latent_audit.models.autoencoder import ModelSpec, build
from latent_audit.models.image import ImageShape

IMAGES = np.random.default_rng(0).random((4, 1, 16, 16), dtype=np.float32)


def test_a_models_decoder_is_written_with_its_sigmoid(tmp_path):
    model = build(ModelSpec("vae", "conv", ImageShape(1, 16, 16), 3), seed=0)
    write_decoder(tmp_path, model.decoder, codes=np.eye(3))
    layers, refusal = read_decoder(tmp_path)
    assert refusal == ""
    assert layers is not None
    assert layers[-1].settings == {"function": "sigmoid"}
    assert n_weights(layers) == sum(values.numel() for values in model.decoder.parameters())


def test_a_decoder_that_no_page_can_run_says_why(tmp_path):
    with torch.random.fork_rng(devices=[]):
        fine, other = nn.Sequential(nn.Linear(2, 4)), nn.Sequential(nn.Linear(2, 4), nn.GELU())
    write_decoder(tmp_path, fine, codes=np.eye(2))
    write_decoder(tmp_path, other, codes=np.eye(2))
    layers, refusal = read_decoder(tmp_path)
    assert layers is None
    assert refusal.startswith("its decoder cannot be run in a page: GELU (1) has no counterpart")
    write_decoder(tmp_path, fine, codes=np.eye(2))
    layers, refusal = read_decoder(tmp_path)
    assert layers is not None
    assert np.shape(layers[0].weights["weight"]) == (4, 2)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["decoder.safetensors"]


@pytest.mark.parametrize(("family", "architecture"), [("ae", "dense"), ("vae", "conv")])
def test_the_encoder_goes_from_pixels_to_the_first_head(tmp_path, family, architecture):
    model = build(ModelSpec(family, architecture, ImageShape(1, 16, 16), 3), seed=0)
    write_encoder_of(tmp_path, model, IMAGES)
    layers = read_layers(tmp_path / ENCODER)
    others = [head for name, head in model.encoder.heads.items() if name != "mu"]
    counts = [sum(values.numel() for values in part.parameters()) for part in (model.encoder, *others)]
    assert n_weights(layers) == counts[0] - sum(counts[1:])
    assert layers[-1].weights["weight"].shape[0] == 3


def test_an_encoder_of_labels_or_of_another_make_is_not_written(tmp_path):
    conditional = build(ModelSpec("cvae", "conv", ImageShape(1, 16, 16), 3, n_classes=4), seed=0)
    maps = build(ModelSpec("ae", "grid", ImageShape(1, 16, 16), 64), seed=0)
    plain = build(ModelSpec("ae", "dense", ImageShape(1, 16, 16), 3), seed=0)
    for model in (conditional, maps):
        write_encoder_of(tmp_path, plain, IMAGES)
        assert (tmp_path / ENCODER).exists()
        write_encoder_of(tmp_path, model, IMAGES)
        assert not (tmp_path / ENCODER).exists()
