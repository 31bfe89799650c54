"""One epoch of the book's conv AE or VAE (32x32 grey, batch 100, Adam 5e-4, d = 2) by each contender.

`python benchmarks/contenders.py NAME IMAGES` prints `{"rate": images per second}`, start-up and warm-up left out.
"""

import json
import logging
import os
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from network import BATCH, FLOP_PER_IMAGE, LATENT, RATE, SIDE, WARM, WIDTHS, images


def timed(epoch: Callable[[int], Any], n: int) -> float:
    """Images per second of `epoch(n)` after a short one."""
    epoch(WARM)
    start = time.perf_counter()
    epoch(n)
    return n / (time.perf_counter() - start)


def keras(family: str, n: int) -> float:
    """As the book writes it, on tensorflow-cpu."""
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import keras as k
    from keras import layers, ops

    class Sampling(layers.Layer):
        def call(self, inputs):
            mean, logvar = inputs
            self.add_loss(ops.mean(ops.sum(-0.5 * (1 + logvar - ops.square(mean) - ops.exp(logvar)), axis=1)))
            return mean + ops.exp(0.5 * logvar) * k.random.normal(ops.shape(mean))

    x = inputs = k.Input((SIDE, SIDE, 1))
    for width in WIDTHS:
        x = layers.Conv2D(width, 3, strides=2, activation="relu", padding="same")(x)
    x = layers.Flatten()(x)
    z = layers.Dense(LATENT)(x)
    if family == "vae":
        z = Sampling()([z, layers.Dense(LATENT)(x)])
    x = layers.Reshape((4, 4, WIDTHS[-1]))(layers.Dense(16 * WIDTHS[-1])(z))
    for width in reversed(WIDTHS):
        x = layers.Conv2DTranspose(width, 3, strides=2, activation="relu", padding="same")(x)
    model = k.Model(inputs, layers.Conv2D(1, 3, activation="sigmoid", padding="same")(x))
    weight = 500.0 if family == "vae" else 1.0
    model.compile(optimizer=k.optimizers.Adam(RATE), loss=lambda x, p: weight * k.losses.binary_crossentropy(x, p))
    data = images(n).transpose(0, 2, 3, 1).astype("float32") / 255
    return timed(lambda m: model.fit(data[:m], data[:m], batch_size=BATCH, epochs=1, shuffle=True, verbose=0), n)


def torch_parts() -> tuple[Any, Any, Any, Any]:
    """down, mu, logvar and up in stock modules: the same network."""
    from torch import nn

    down, up, channels = [], [nn.Linear(LATENT, 16 * WIDTHS[-1]), nn.Unflatten(1, (WIDTHS[-1], 4, 4))], 1
    for width in WIDTHS:
        down += [nn.Conv2d(channels, width, 3, 2, 1), nn.ReLU()]
        channels = width
    for width in reversed(WIDTHS):
        up += [nn.ConvTranspose2d(channels, width, 3, 2, 1, 1), nn.ReLU()]
        channels = width
    up += [nn.Conv2d(channels, 1, 3, padding=1), nn.Sigmoid()]
    heads = (nn.Linear(16 * WIDTHS[-1], LATENT) for _ in range(2))
    return nn.Sequential(*down, nn.Flatten()), *heads, nn.Sequential(*up)


def plain(family: str, n: int) -> float:
    """PyTorch as a tutorial writes it: DataLoader, stock modules, sigmoid and BCE, Adam."""
    import torch
    from torch.nn.functional import binary_cross_entropy
    from torch.utils.data import DataLoader, TensorDataset

    net = torch.nn.ModuleList(torch_parts())
    down, mu_head, logvar_head, up = net
    optimizer = torch.optim.Adam(net.parameters(), lr=RATE)
    data = torch.from_numpy(images(n)).float() / 255

    def epoch(m: int) -> None:
        for (x,) in DataLoader(TensorDataset(data[:m]), batch_size=BATCH, shuffle=True):
            features = down(x)
            z, kl = mu_head(features), 0
            if family == "vae":
                mu, logvar = z, logvar_head(features)
                z = mu + torch.exp(0.5 * logvar) * torch.randn_like(mu)
                kl = -0.5 * (1 + logvar - mu.pow(2) - logvar.exp()).sum(dim=1).mean()
            loss = (500 if family == "vae" else 1) * binary_cross_entropy(up(z), x) + kl
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

    return timed(epoch, n)


def pythae(family: str, n: int) -> float:
    """pythae's BaseTrainer on the same network, VAE only."""
    logging.disable(logging.CRITICAL)
    import torch
    from pythae.data.datasets import BaseDataset
    from pythae.models import VAE, VAEConfig
    from pythae.models.base.base_utils import ModelOutput
    from pythae.models.nn import BaseDecoder, BaseEncoder
    from pythae.trainers import BaseTrainer, BaseTrainerConfig

    parts = torch_parts()

    class Encoder(BaseEncoder):
        def __init__(self):
            super().__init__()
            self.down, self.mu, self.logvar = parts[:3]

        def forward(self, x):
            features = self.down(x)
            return ModelOutput(embedding=self.mu(features), log_covariance=self.logvar(features))

    class Decoder(BaseDecoder):
        def __init__(self):
            super().__init__()
            self.up = parts[3]

        def forward(self, z):
            return ModelOutput(reconstruction=self.up(z))

    assert family == "vae"
    config = VAEConfig(input_dim=(1, SIDE, SIDE), latent_dim=LATENT, reconstruction_loss="bce")
    model = VAE(config, encoder=Encoder(), decoder=Decoder())
    data = torch.from_numpy(images(n)).float() / 255

    def epoch(m: int) -> None:
        with tempfile.TemporaryDirectory() as folder:
            settings = BaseTrainerConfig(
                output_dir=folder, num_epochs=1, learning_rate=RATE, per_device_train_batch_size=BATCH, no_cuda=True
            )
            BaseTrainer(model, BaseDataset(data[:m], torch.zeros(m)), training_config=settings).train()

    return timed(epoch, n)


def ours(family: str, precision: str, seeds: int, n: int) -> float:
    """Our training as the stage runs it: replicates in worker processes; images of all seeds over the wall time."""
    import our_training

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "images.npy"
        np.save(path, images(n))
        run = our_training.training_run(family, precision)
        return our_training.rate(run, partial(our_training.mapped, path, BATCH), seeds, n)


def gemm(precision: str, n: int) -> float:
    """The ceiling: images per second if every multiply-add of the network ran at the rate of a large matrix product."""
    import torch

    dtype = {"float32": torch.float32, "bfloat16": torch.bfloat16}[precision]
    side = 2048
    a, b = (torch.randn(side, side).to(dtype) for _ in range(2))
    a @ b
    start, products = time.perf_counter(), 0
    while time.perf_counter() - start < 2:
        a @ b
        products += 1
    return 2 * side**3 * products / (time.perf_counter() - start) / FLOP_PER_IMAGE


CONTENDERS: dict[str, Callable[[int], float]] = {
    **{f"keras {family}": partial(keras, family) for family in ("ae", "vae")},
    **{f"plain {family}": partial(plain, family) for family in ("ae", "vae")},
    "pythae vae": partial(pythae, "vae"),
    **{
        f"ours {family} {precision} {seeds} seed{'s' * (seeds > 1)}": partial(ours, family, precision, seeds)
        for seeds in (1, 5)
        for precision in ("float32", "bfloat16")
        for family in ("ae", "vae")
    },
    **{f"gemm {precision}": partial(gemm, precision) for precision in ("float32", "bfloat16")},
}

if __name__ == "__main__":
    print(json.dumps({"rate": CONTENDERS[sys.argv[1]](int(sys.argv[2]))}))
