"""The `model` section of params.yaml, and the two conventions of a KL weight."""

from typing import Annotated, Literal, NamedTuple

from pydantic import Field

from latent_audit.base.limits import LARGEST_LATENT_DIM
from latent_audit.base.settings import Count, Frozen, Name

LatentDim = Annotated[int, Field(ge=1, le=LARGEST_LATENT_DIM, strict=True)]
Widths = Annotated[tuple[Annotated[int, Field(ge=1, le=65_536, strict=True)], ...], Field(max_length=8)]
Activation = Literal["none", "relu", "leaky_relu", "elu", "tanh", "sigmoid"]
Reconstruction = Literal["bce", "mse"]


class Network(Frozen):
    """Settings of an architecture; null is the architecture's own default, which is the book's where it has one."""

    widths: Widths | None = None
    kernel: Count | None = None
    norm: Literal["none", "batch"] | None = None
    activation: Activation | None = None
    hidden: Widths | None = None
    decoder_hidden: Widths | None = None
    code_activation: Activation | None = None


class Model(Network):
    """The network of every arm; an arm may set what it has otherwise."""

    architecture: Name
    latent_dim: LatentDim
    reconstruction: Reconstruction

    def settings(self) -> dict[str, object]:
        """What is given of the architecture's settings, for `models.registry.settings_of`."""
        return {name: value for name in Network.model_fields if (value := getattr(self, name)) is not None}


class ArmModel(Network):
    """What an arm has otherwise than the study's `model` section."""

    architecture: Name | None = None
    latent_dim: LatentDim | None = None
    reconstruction: Reconstruction | None = None


class KlWeight(NamedTuple):
    """One trade-off in two conventions: `beta` on the mean pixel loss (the book), `beta_kl` on the KL (Higgins)."""

    beta: float
    beta_kl: float


def pixels_per_unit_beta(n_pixels: int, reconstruction: str) -> float:
    """beta * beta_kl: n_pixels for `bce`; n_pixels / 2 for `mse`, whose unit-variance NLL is half the squared error."""
    return float(n_pixels) if reconstruction == "bce" else n_pixels / 2
