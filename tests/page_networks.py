"""Networks as layers, of random weights, for pages that are only tried."""

import numpy as np

from latent_audit.base.layers import Layer

UP = {"stride": [2, 2], "padding": [1, 1], "output_padding": [1, 1]}


def decoder_layers(seed: int) -> list[Layer]:
    """A decoder of the study, with weights large enough for images of full contrast."""
    rng = np.random.default_rng(seed)

    def weights(shape: tuple[int, ...], n_out: int, fan: float) -> dict[str, np.ndarray]:
        spread = (2 / fan) ** 0.5
        weight, bias = rng.standard_normal(shape) * spread, rng.standard_normal(n_out) * spread
        return {"weight": weight.astype(np.float32), "bias": bias.astype(np.float32)}

    layers = [Layer("linear", {}, weights((2048, 2), 2048, 1.0)), Layer("reshape", {"shape": [128, 4, 4]})]
    for n_in, n_out, fan in ((128, 128, 400.0), (128, 64, 400.0), (64, 32, 200.0)):
        layers.append(Layer("conv_transpose", UP, weights((n_in, n_out, 3, 3), n_out, fan)))
        layers.append(Layer("activation", {"function": "relu"}))
    layers.append(Layer("conv", {"stride": [1, 1], "padding": [1, 1]}, weights((1, 32, 3, 3), 1, 200.0)))
    return [*layers, Layer("activation", {"function": "sigmoid"})]


def encoder_layers(seed: int) -> list[Layer]:
    """An encoder of the study, narrower, whose codes of full images lie a few units from the middle."""
    rng = np.random.default_rng(seed)

    def weights(*shape: int) -> dict[str, np.ndarray]:
        return {"weight": (rng.standard_normal(shape) * (2 / np.prod(shape[1:])) ** 0.5).astype(np.float32)}

    layers = []
    for n_in, n_out in ((1, 8), (8, 8), (8, 16)):
        layers += [Layer("conv", {"stride": [2, 2], "padding": [1, 1]}, weights(n_out, n_in, 3, 3))]
        layers += [Layer("activation", {"function": "relu"})]
    return [*layers, Layer("reshape", {"shape": [256]}), Layer("linear", {}, weights(2, 256))]
