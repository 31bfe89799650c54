"""What a family is to this package: what it draws, what it minimises, what its code is, and where that may be sampled.

A new one is a file in `families/` that defines FAMILY.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from latent_audit.models.autoencoder import Autoencoder, ModelSpec

Terms = dict[str, Tensor]  # by name, each (batch,), in nats per image; `objective` is minimised


class Batch(NamedTuple):
    """Images x (batch, channel, height, width) in [0, 1], what the encoder is shown (x, or x corrupted), labels."""

    x: Tensor
    inputs: Tensor
    labels: Tensor


@dataclass(frozen=True)
class Objective:
    """What is minimised: the pixel loss, `bce` or `mse`, and beta, the weight on its mean (None: no KL term)."""

    reconstruction: str
    beta: float | None


class Encoded(NamedTuple):
    """What an image is encoded to.

    code : (batch, latent), what the decoder takes: a draw from q(z|x), or the code itself where there is none to draw.
    arrays : what is stored of it beside the code, by name: `mu`, `logvar`, or a family's own.
    """

    code: Tensor
    arrays: dict[str, Tensor]


@dataclass(frozen=True, kw_only=True)
class Family:
    """One entry of the registry.

    heads : size of the code -> size of each head of the encoder; the first is the code or its mean.
    draws : size of the code -> shape of one image's standard normal draws, by name.
    loss : (model, batch, draws, objective) -> Terms, those that `terms` names.
    encode : (model, batch, draws) -> Encoded. decode : (model, code, labels or None) -> pixel logits.
    code : what the code is; `role` : the arm's part in the ledger's claims; `has_kl` : beta weighs something.
    condition : number of classes -> further inputs of encoder and decoder (a one-hot label).
    modules : spec -> modules of its own (a codebook), under `model.own`; `initialise` : (model, generator) sets them.
    priors : what may be drawn and decoded, of `decoding/sampling.py`; `left_out` : measures that do not apply.
    per_image : an image's terms do not depend on the images beside it, so that a batch may be computed in parts.
    """

    name: str
    terms: tuple[str, ...]
    heads: Callable[[int], Mapping[str, int]]
    draws: Callable[[int], Mapping[str, tuple[int, ...]]]
    loss: Callable[["Autoencoder", Batch, Mapping[str, Tensor], Objective], Terms]
    encode: Callable[["Autoencoder", Batch, Mapping[str, Tensor]], Encoded]
    decode: Callable[["Autoencoder", Tensor, Tensor | None], Tensor] = lambda model, code, labels: model.decode(code)
    code: Literal["gaussian", "deterministic", "discrete"]
    role: Literal["autoencoder", "vae", "other"]
    has_kl: bool
    condition: Callable[[int], int] = lambda n_classes: 0
    modules: Callable[["ModelSpec"], Mapping[str, nn.Module]] = lambda spec: {}
    initialise: Callable[["Autoencoder", torch.Generator], None] = lambda model, generator: None
    priors: tuple[str, ...] = ("prior", "box", "gaussian", "gmm")
    left_out: frozenset[str] = field(default_factory=frozenset)
    per_image: bool = True
    settings: Mapping[str, Any] = field(default_factory=dict)
