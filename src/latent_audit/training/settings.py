"""The `arms` and `train` sections of params.yaml, and what an arm has otherwise than the study."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from latent_audit.base.settings import Count, Frozen, Images, Name, Positive, Run
from latent_audit.models.settings import ArmModel, KlWeight, LatentDim, Model, pixels_per_unit_beta

BETA_PIXELS = 32 * 32  # of the images that params.yaml's `beta` was chosen on
Class = Annotated[str, Field(min_length=1)] | Annotated[int, Field(ge=0, strict=True)]  # its name, or its number


class Corruption(Frozen):
    """What the encoder is shown instead of the image, while the target stays clean: a denoising arm."""

    kind: Literal["gaussian", "masking"]
    level: Positive

    @model_validator(mode="after")
    def _a_share(self) -> "Corruption":
        if self.kind == "masking" and self.level >= 1:
            raise ValueError("the level of masking is the share of pixels set to 0: above 0 and below 1")
        return self


class Arm(Frozen):
    """One arm of the study. A VAE takes its weight from `beta`, from `beta_kl`, or else from the top-level `beta`.

    classes : names or numbers of the classes that the arm sees, in both splits; test images of the others are outsiders
    to it. None: all.
    """

    family: Name
    watch: str = Field(
        description="the parameter whose change retrains this arm, for dvc.yaml", pattern=r"^[a-z][a-z0-9_.]*$"
    )
    beta: Positive | None = None
    beta_kl: Positive | None = None
    epochs: Count | None = None
    learning_rate: Positive | None = None
    batch_size: Count | None = None
    latent_dim: LatentDim | None = None
    model: ArmModel | None = None
    corruption: Corruption | None = None
    family_settings: dict[Name, bool | int | float | str] | None = None
    classes: Annotated[tuple[Class, ...], Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _one_weight(self) -> "Arm":
        if self.beta is not None and self.beta_kl is not None:
            raise ValueError("give beta or beta_kl, not both")
        return self


class Train(Frozen):
    """Adam over `epochs` passes; an arm may have its own `epochs` and `learning_rate`.

    `precision` tf32 is of CUDA and is float32 elsewhere.
    """

    epochs: Count
    batch_size: Images
    learning_rate: Positive
    precision: Literal["float32", "tf32", "bfloat16"]


class ArmsRun(Run):
    """What the stage `train` reads."""

    beta: Positive
    arms: dict[str, Arm] = Field(min_length=1)
    model: Model
    train: Train

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

    def weight(self, name: str, n_pixels: int) -> KlWeight:
        """The KL weight that the arm called `name` is given, on images of `n_pixels` = C*H*W.

        Whether its family has a KL term to weigh is another question: `training.describe.kl_weight`.
        """
        arm = self.arm(name)
        scale = pixels_per_unit_beta(n_pixels, self.network(name).reconstruction)
        if arm.beta_kl is not None:
            return KlWeight(beta=scale / arm.beta_kl, beta_kl=arm.beta_kl)
        beta = self.beta if arm.beta is None else arm.beta
        return KlWeight(beta=beta, beta_kl=scale / beta)

    def weight_words(self, name: str, n_pixels: int) -> str:
        """What the arm's `beta` comes to on images of `n_pixels`, where that is not what it is on `BETA_PIXELS`.

        Empty where both agree, and for an arm with a `beta_kl`, which means the same on all images.
        """
        if self.arm(name).beta_kl is not None or n_pixels == BETA_PIXELS:
            return ""
        weight = self.weight(name, n_pixels)
        usual = pixels_per_unit_beta(BETA_PIXELS, self.network(name).reconstruction) / weight.beta
        return (
            f"beta {weight.beta:g} multiplies the mean pixel loss, so on these {n_pixels:,} pixels it is beta_kl "
            f"{weight.beta_kl:.4g} (on {BETA_PIXELS:,} pixels: {usual:.4g}); give beta_kl for a weight on the KL that "
            "does not depend on the images"
        )
