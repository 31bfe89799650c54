"""latent_audit.decoding.decoder: the layers of a trained model's decoder, or why there are none."""

import numpy as np
import torch
from torch import nn

from latent_audit.base.layers import n_weights, read_decoder
from latent_audit.decoding.decoder import write_decoder
from latent_audit.models.autoencoder import ModelSpec, build
from latent_audit.models.image import ImageShape


def test_a_models_decoder_is_written_with_its_sigmoid(tmp_path):
    model = build(ModelSpec("vae", "conv", ImageShape(1, 16, 16), 3), seed=0)
    write_decoder(tmp_path, model.decoder, latent_dim=3)
    layers, refusal = read_decoder(tmp_path)
    assert refusal == ""
    assert layers is not None
    assert layers[-1].settings == {"function": "sigmoid"}
    assert n_weights(layers) == sum(values.numel() for values in model.decoder.parameters())


def test_a_decoder_that_no_page_can_run_says_why(tmp_path):
    with torch.random.fork_rng(devices=[]):
        fine, other = nn.Sequential(nn.Linear(2, 4)), nn.Sequential(nn.Linear(2, 4), nn.GELU())
    write_decoder(tmp_path, fine, latent_dim=2)
    write_decoder(tmp_path, other, latent_dim=2)
    layers, refusal = read_decoder(tmp_path)
    assert layers is None
    assert refusal.startswith("its decoder cannot be run in a page: GELU (1) has no counterpart")
    write_decoder(tmp_path, fine, latent_dim=2)
    layers, refusal = read_decoder(tmp_path)
    assert layers is not None
    assert np.shape(layers[0].weights["weight"]) == (4, 2)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["decoder.safetensors"]
