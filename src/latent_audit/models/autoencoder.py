"""Autoencoder and variational autoencoder over one encoder-decoder pair, and how they are built from a spec."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from latent_audit.base.randomness import generator_for
from latent_audit.models.architectures.conv import ConvDecoder, ConvEncoder
from latent_audit.models.image import ImageShape

HEADS = {"ae": ("mu",), "vae": ("mu", "logvar")}
ARCHITECTURES = {"conv": (ConvEncoder, ConvDecoder)}


@dataclass(frozen=True)
class ModelSpec:
    """All that fixes a network's shape: family (`ae` or `vae`), architecture, image and code size."""

    family: str
    architecture: str
    image: ImageShape
    latent_dim: int


class Autoencoder(nn.Module):
    """Encoder to a code (or to mu and logvar of q(z|x)), decoder to pixel logits. It never samples by itself."""

    def __init__(self, spec: ModelSpec):
        super().__init__()
        encoder, decoder = ARCHITECTURES[spec.architecture]
        self.spec = spec
        self.encoder = encoder(spec.image, spec.latent_dim, HEADS[spec.family])
        self.decoder = decoder(spec.image, spec.latent_dim)

    def forward(
        self, x: Float[Tensor, "batch channel height width"], eps: Float[Tensor, "batch latent"]
    ) -> tuple[
        Float[Tensor, "batch latent"],
        Float[Tensor, "batch latent"] | None,
        Float[Tensor, "batch channel height width"],
    ]:
        """mu, logvar (None for an autoencoder) and the pixel logits of z = mu + sigma * eps (z = mu without logvar)."""
        mu, logvar = self.encode(x)
        mu, logvar = mu.float(), None if logvar is None else logvar.float()  # densities stay float32 under autocast
        return mu, logvar, self.decode(mu if logvar is None else reparameterise(mu, logvar, eps)).float()

    def encode(
        self, x: Float[Tensor, "batch channel height width"]
    ) -> tuple[Float[Tensor, "batch latent"], Float[Tensor, "batch latent"] | None]:
        """(mu, logvar) of q(z|x); logvar is None for an autoencoder, whose code is mu itself."""
        values = self.encoder(x)
        return values[0], values[1] if len(values) > 1 else None

    def decode(self, z: Float[Tensor, "batch latent"]) -> Float[Tensor, "batch channel height width"]:
        """Pixel logits of p(x|z)."""
        return self.decoder(z)


def build(spec: ModelSpec, *, seed: int) -> Autoencoder:
    """A fresh network with Glorot-uniform weights and zero biases, as in Keras; draws from the stream (seed, init).

    References: Glorot & Bengio (2010), equation 16.
    """
    with torch.random.fork_rng(devices=[]):  # nn.Linear draws from the global stream when it is made
        model = Autoencoder(spec)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.ndim > 1:  # a stream per tensor: a head more or less shifts no other tensor's draws
                nn.init.xavier_uniform_(parameter, generator=generator_for(seed, "init", name))
            else:
                parameter.zero_()
    return model.to(memory_format=torch.channels_last)


def reparameterise(
    mu: Float[Tensor, "batch latent"], logvar: Float[Tensor, "batch latent"], eps: Float[Tensor, "batch latent"]
) -> Float[Tensor, "batch latent"]:
    """One sample z = mu + sigma * eps of q(z|x). Kingma & Welling (2014), section 2.4."""
    return mu + (0.5 * logvar).exp() * eps
