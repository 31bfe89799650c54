"""The frozen schema of params.yaml: every key that exists, its range, and an error in words for anything else."""

import math
import re
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails

from latent_audit.base.errors import InputError
from latent_audit.base.limits import LARGEST_LATENT_DIM
from latent_audit.base.plain_yaml import read_yaml

RESERVED = "critic"  # beside the arms in metrics.json
BETA_PIXELS = 32 * 32  # of the images that params.yaml's `beta` was chosen on
LARGEST_SEED = 2**63 - 1  # of the generators of NumPy and torch
MIN_LIMIT = 100  # one batch of the default size, and 15 neighbours for each of a handful of classes


def _no_switch(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("must be a number, not true or false")
    return value


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise ValueError("must be a finite number")
    return value


Positive = Annotated[float, BeforeValidator(_no_switch), Field(gt=0), AfterValidator(_finite)]
Count = Annotated[int, Field(ge=1, le=100_000, strict=True)]  # a number beyond it is a slip: nothing would ever end
Pixels = Annotated[int, Field(ge=1, le=1024, strict=True)]
Seed = Annotated[int, Field(ge=0, le=LARGEST_SEED, strict=True)]
Images = Annotated[int, Field(ge=1, strict=True)]  # held to the size of the data where that is known


LatentDim = Annotated[int, Field(ge=1, le=LARGEST_LATENT_DIM, strict=True)]
Widths = Annotated[tuple[Annotated[int, Field(ge=1, le=65_536, strict=True)], ...], Field(max_length=8)]
Activation = Literal["none", "relu", "leaky_relu", "elu", "tanh", "sigmoid"]
Reconstruction = Literal["bce", "mse"]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=True)


class Arm(_Frozen):
    """One arm of the study. A VAE takes its weight from `beta`, from `beta_kl`, or else from the top-level `beta`."""

    family: str
    watch: str = Field(
        description="the parameter whose change retrains this arm, for dvc.yaml", pattern=r"^[a-z][a-z0-9_.]*$"
    )
    beta: Positive | None = None
    beta_kl: Positive | None = None
    epochs: Count | None = None
    learning_rate: Positive | None = None
    batch_size: Count | None = None
    latent_dim: LatentDim | None = None
    model: "ArmModel | None" = None
    corruption: "Corruption | None" = None

    @model_validator(mode="after")
    def _one_weight(self) -> "Arm":
        if self.beta is not None and self.beta_kl is not None:
            raise ValueError("give beta or beta_kl, not both")
        if self.family == "ae" and (self.beta is not None or self.beta_kl is not None):
            raise ValueError("an autoencoder has no KL term: remove beta / beta_kl")
        return self


class Data(_Frozen):
    """What is prepared: at most `limit` images of each split, zero-padded to `pad_to` pixels a side.

    `fit` (None: the data set's own), `background` and `strict` are of pictures in files: how they become square, what
    shows through where they are transparent and fills the bars, and whether damaged ones are refused.
    """

    limit: Annotated[int, Field(strict=True)] | None
    path: Path | None
    label: str | None
    image_size: Pixels | None
    fit: Literal["pad", "crop", "stretch"] | None
    background: Annotated[str, Field(pattern=r"^(white|black|gr[ae]y|#[0-9a-fA-F]{6})$")]
    strict: Annotated[bool, Field(strict=True)]
    pad_to: Pixels

    @field_validator("limit")
    @classmethod
    def _enough(cls, value: int | None) -> int | None:
        if value is not None and value < MIN_LIMIT:
            raise ValueError(f"must be null or at least {MIN_LIMIT}: fewer images fill no batch and no k-NN map")
        return value


class Network(_Frozen):
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

    architecture: str
    latent_dim: LatentDim
    reconstruction: Reconstruction

    def settings(self) -> dict[str, object]:
        """What is given of the architecture's settings, for `models.registry.settings_of`."""
        return {name: value for name in Network.model_fields if (value := getattr(self, name)) is not None}


class ArmModel(Network):
    """What an arm has otherwise than the study's `model` section."""

    architecture: str | None = None
    latent_dim: LatentDim | None = None
    reconstruction: Reconstruction | None = None


class Corruption(_Frozen):
    """What the encoder is shown instead of the image, while the target stays clean: a denoising arm."""

    kind: Literal["gaussian", "masking"]
    level: Annotated[float, BeforeValidator(_no_switch), Field(gt=0), AfterValidator(_finite)]

    @model_validator(mode="after")
    def _a_share(self) -> "Corruption":
        if self.kind == "masking" and self.level >= 1:
            raise ValueError("the level of masking is the share of pixels set to 0: above 0 and below 1")
        return self


class Train(_Frozen):
    """Adam over `epochs` passes; an arm may have its own `epochs` and `learning_rate`.

    `precision` tf32 is of CUDA and is float32 elsewhere.
    """

    epochs: Count
    batch_size: Images
    learning_rate: Positive
    precision: Literal["float32", "tf32", "bfloat16"]


class Critic(_Frozen):
    """The small classifier whose features and labels judge decoded images."""

    epochs: Count
    batch_size: Images
    learning_rate: Positive


class Diagnostics(_Frozen):
    """How the codes are measured; `margins` are fixed before looking."""

    seed: Seed
    neighbors: Images
    grid: Annotated[int, Field(ge=10, le=2000, strict=True)]
    null_draws: Annotated[int, Field(ge=19, le=100_000, strict=True)]
    null_rows: Annotated[int, Field(ge=100, le=100_000, strict=True)]
    margins: dict[str, Annotated[float, BeforeValidator(_no_switch), AfterValidator(_finite)]]


class Params(_Frozen):
    """The whole of params.yaml."""

    dataset: Literal["digits", "fashion_mnist", "mnist", "kmnist", "celeba", "sprites", "folder"]
    beta: Positive
    device: Literal["auto", "cpu", "cuda", "mps"]
    seeds: Annotated[tuple[Seed, ...], Field(max_length=1000)]
    arms: dict[str, Arm] = Field(min_length=1)
    data: Data
    model: Model
    train: Train
    critic: Critic
    diagnostics: Diagnostics

    @field_validator("arms")
    @classmethod
    def _plain_names(cls, value: dict[str, Arm]) -> dict[str, Arm]:
        if odd := [name for name in value if not re.fullmatch(r"[a-z][a-z0-9_]{0,63}", name)]:
            raise ValueError(f"arm names {odd} become folders and stage names: lower-case letters, digits and _ only")
        if RESERVED in value:
            raise ValueError(f"an arm cannot be called {RESERVED!r}: that is the classifier which judges all arms")
        return value

    @model_validator(mode="after")
    def _folder_has_a_path(self) -> "Params":
        if self.dataset == "folder" and self.data.path is None:
            raise ValueError("dataset: folder needs data.path, the folder that holds your images")
        return self

    @field_validator("seeds")
    @classmethod
    def _distinct(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if not value:
            raise ValueError("give at least 1 seed")
        if repeated := sorted({seed for seed in value if value.count(seed) > 1}):
            raise ValueError(f"seeds {repeated} are repeated; each replicate needs a seed of its own")
        return value

    def arm(self, name: str) -> Arm:
        """The arm called `name`; InputError with the allowed names otherwise."""
        if name not in self.arms:
            raise InputError(f"unknown arm {name!r}; params.yaml has the arms {', '.join(self.arms)}")
        return self.arms[name]

    def schedule(self, name: str) -> Train:
        """`train` with the arm's own epochs and learning rate put in."""
        arm = self.arm(name)
        own = {
            key: value for key in ("epochs", "learning_rate", "batch_size") if (value := getattr(arm, key)) is not None
        }
        return self.train.model_copy(update=own)

    def network(self, name: str) -> Model:
        """`model` with what the arm called `name` has otherwise."""
        arm = self.arm(name)
        own = {} if arm.model is None else {key: v for key, v in dict(arm.model).items() if v is not None}
        if arm.latent_dim is not None:
            own["latent_dim"] = arm.latent_dim
        return self.model.model_copy(update=own)

    def weight(self, name: str, n_pixels: int) -> "KlWeight | None":
        """The KL weight of the arm called `name` on images of `n_pixels` = C*H*W; None for an autoencoder."""
        arm = self.arm(name)
        if arm.family == "ae":
            return None
        scale = pixels_per_unit_beta(n_pixels, self.network(name).reconstruction)
        if arm.beta_kl is not None:
            return KlWeight(beta=scale / arm.beta_kl, beta_kl=arm.beta_kl)
        beta = self.beta if arm.beta is None else arm.beta
        return KlWeight(beta=beta, beta_kl=scale / beta)

    def weight_words(self, name: str, n_pixels: int) -> str:
        """What the arm's `beta` comes to on images of `n_pixels`, where that is not what it is on `BETA_PIXELS`.

        Empty where both agree, for an autoencoder, and for an arm with a `beta_kl`, which means the same on all images.
        """
        weight = self.weight(name, n_pixels)
        if weight is None or self.arm(name).beta_kl is not None or n_pixels == BETA_PIXELS:
            return ""
        usual = pixels_per_unit_beta(BETA_PIXELS, self.model.reconstruction) / weight.beta
        return (
            f"beta {weight.beta:g} multiplies the mean pixel loss, so on these {n_pixels:,} pixels it is beta_kl "
            f"{weight.beta_kl:.4g} (on {BETA_PIXELS:,} pixels: {usual:.4g}); give beta_kl for a weight on the KL that "
            "does not depend on the images"
        )


class KlWeight(NamedTuple):
    """One trade-off in two conventions: `beta` on the mean pixel loss (the book), `beta_kl` on the KL (Higgins)."""

    beta: float
    beta_kl: float


def pixels_per_unit_beta(n_pixels: int, reconstruction: str) -> float:
    """beta * beta_kl: n_pixels for `bce`; n_pixels / 2 for `mse`, whose unit-variance NLL is half the squared error."""
    return float(n_pixels) if reconstruction == "bce" else n_pixels / 2


def load_params(path: Path) -> Params:
    """Read and check params.yaml (YAML 1.2, as DVC reads it).

    Raises
    ------
    InputError : the file is missing or not plain YAML, a key is unknown or absent, or a value is out of range.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise InputError(f"no {path} here; run from the project's root") from None
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror or error})") from None
    return check_params(read_yaml(content, str(path)), str(path))


def check_params(raw: object, source: str) -> Params:
    """Params from a plain mapping; InputError names every offending key, the value found and what is allowed."""
    if not isinstance(raw, dict):
        raise InputError(f"{source} must be a mapping of parameters, found {type(raw).__name__}")
    try:
        return Params.model_validate(raw)
    except ValidationError as error:
        lines = [_in_words(problem) for problem in error.errors()]
        raise InputError(f"{source} has {len(lines)} wrong value(s):\n  " + "\n  ".join(lines)) from None


def _in_words(problem: ErrorDetails) -> str:
    key = ".".join(_shortened(str(part)) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        return f"{key}: unknown key; see params.yaml in the repository for the keys that exist"
    if problem["type"] == "missing":
        return f"{key}: missing; every parameter is written out in params.yaml"
    message = problem["msg"].removeprefix("Value error, ")
    shown = "" if isinstance(problem["input"], dict) else f" (found {_shortened(repr(problem['input']))})"
    return f"{key}: {message}{shown}" if key else f"{message}{shown}"


def _shortened(written: str) -> str:
    return written if len(written) <= 80 else f"{written[:77]}..."
