"""Encoder and decoder of any architecture, under any family: how they are built from a spec, and run."""

from dataclasses import dataclass, field
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from latent_audit.base.randomness import generator_for, stream_seed
from latent_audit.models import registry
from latent_audit.models.family import Batch, Family, Objective, Terms
from latent_audit.models.image import ImageShape


@dataclass(frozen=True)
class ModelSpec:
    """All that fixes a network: family and architecture with their settings, image, size of the code, classes."""

    family: str
    architecture: str
    image: ImageShape
    latent_dim: int
    settings: dict[str, Any] = field(default_factory=dict)
    n_classes: int = 0
    family_settings: dict[str, Any] = field(default_factory=dict)


class Autoencoder(nn.Module):
    """Encoder to the family's heads, decoder to pixel logits. It never samples by itself."""

    def __init__(self, spec: ModelSpec):
        super().__init__()
        self.spec = spec
        architecture = registry.architecture(spec.architecture)
        settings = registry.settings_of(architecture, spec.settings, spec.image)
        condition = self.family.condition(spec.n_classes)
        self.encoder = architecture.encoder(spec.image, self.family.heads(spec.latent_dim), condition, **settings)
        self.decoder = architecture.decoder(spec.image, spec.latent_dim + condition, **settings)
        self.own = nn.ModuleDict(dict(self.family.modules(spec)))

    @property
    def family(self) -> Family:
        """That of the spec, by its name: its functions go into no pickle."""
        return registry.family(self.spec.family)

    def forward(self, batch: Batch, draws: dict[str, Tensor], objective: Objective) -> Terms:
        """The family's loss: what training minimises, and the terms beside it."""
        return self.family.loss(self, batch, draws, objective)

    def heads(
        self, x: Float[Tensor, "batch channel height width"], condition: Tensor | None = None
    ) -> dict[str, Float[Tensor, "batch head"]]:
        """The encoder's heads by name, in float32 under autocast too (densities need it)."""
        return {name: _single(value) for name, value in self.encoder(x, condition).items()}

    def encode(
        self, x: Float[Tensor, "batch channel height width"], condition: Tensor | None = None
    ) -> tuple[Float[Tensor, "batch latent"], Float[Tensor, "batch latent"] | None]:
        """(mu, logvar) of q(z|x); logvar is None for a code that is its own mean."""
        heads = self.heads(x, condition)
        return next(iter(heads.values())), heads.get("logvar")

    def decode(
        self, code: Float[Tensor, "batch latent"], condition: Tensor | None = None
    ) -> Float[Tensor, "batch channel height width"]:
        """Pixel logits of p(x|z)."""
        return _single(self.decoder(code if condition is None else torch.cat((code, condition), dim=1)))


def _single(value: Tensor) -> Tensor:
    return value.float() if value.dtype in (torch.bfloat16, torch.float16) else value


def build(spec: ModelSpec, *, seed: int) -> Autoencoder:
    """A fresh network: Glorot-uniform weights, zero biases, norms that change nothing, as in Keras.

    Every tensor draws from the stream (seed, init, its name), so that a head more or less shifts no other's draws.

    References: Glorot & Bengio (2010), equation 16.
    """
    with torch.random.fork_rng(devices=[]):  # modules draw from the global stream when they are made
        torch.manual_seed(stream_seed(seed, "init"))
        model = Autoencoder(spec)
    with torch.no_grad():
        for name, module in model.named_modules():
            _initialise(module, name, seed)
    model.family.initialise(model, generator_for(seed, "init", "own"))
    return model.to(memory_format=torch.channels_last)


def _initialise(module: nn.Module, name: str, seed: int) -> None:
    """Set what torch's own layers hold; a module of another kind keeps what its constructor drew from (seed, init)."""
    if isinstance(module, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
        nn.init.xavier_uniform_(module.weight, generator=generator_for(seed, "init", f"{name}.weight"))
        if module.bias is not None:
            module.bias.zero_()
    elif isinstance(module, nn.modules.batchnorm._NormBase):
        module.reset_parameters()  # scale 1, shift 0, running mean 0 and variance 1


def one_hot(labels: Int[Tensor, " batch"], n_classes: int) -> Float[Tensor, "batch label"]:
    """Labels as float rows of one 1."""
    return nn.functional.one_hot(labels, n_classes).to(torch.float32)
