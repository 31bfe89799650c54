"""What an arm of params.yaml is to training, and what of it the stages after training read in arm.json."""

from dataclasses import asdict
from typing import Any

from latent_audit.base.errors import InputError
from latent_audit.data.prepared import Meta, labels_of
from latent_audit.models import registry
from latent_audit.models.autoencoder import ModelSpec
from latent_audit.models.image import ImageShape
from latent_audit.models.settings import KlWeight
from latent_audit.training.batch import Corruption, TrainingRun
from latent_audit.training.settings import ArmsRun


def kl_weight(arm: str, params: ArmsRun, n_pixels: int) -> KlWeight | None:
    """The weight of the arm's KL term on images of `n_pixels` = C*H*W; None where its family has no such term.

    Raises
    ------
    InputError : the arm gives a weight all the same.
    """
    chosen = params.arm(arm)
    if registry.family(chosen.family).has_kl:
        return params.weight(arm, n_pixels)
    if chosen.beta is not None or chosen.beta_kl is not None:
        raise InputError(
            f"arms.{arm}: the family {chosen.family!r} has no KL term to weigh; remove beta / beta_kl, or choose "
            "another family"
        )
    return None


def describe(arm: str, params: ArmsRun, meta: Meta) -> TrainingRun:
    """The arm's training run on images of this shape.

    Raises
    ------
    InputError : no such arm, family, architecture or setting; a network that cannot be built for these images.
    """
    image = ImageShape(meta.channels, meta.height, meta.width)
    network, schedule, weight = params.network(arm), params.schedule(arm), kl_weight(arm, params, image.n_pixels)
    chosen = registry.architecture(network.architecture)
    settings = registry.settings_of(chosen, network.settings(), image)
    if settings.get("norm") == "batch" and schedule.batch_size < 2:
        raise InputError(f"train.batch_size: {schedule.batch_size}; batch normalisation (arm {arm!r}) needs at least 2")
    corrupted, family = params.arm(arm).corruption, registry.family(params.arm(arm).family)
    own = registry.family_settings_of(family, params.arm(arm).family_settings)
    spec = ModelSpec(family.name, chosen.name, image, network.latent_dim, settings, len(meta.classes), own)
    return TrainingRun(
        arm=arm,
        model=spec,
        reconstruction=network.reconstruction,
        beta=None if weight is None else weight.beta,
        epochs=schedule.epochs,
        batch_size=schedule.batch_size,
        learning_rate=schedule.learning_rate,
        precision=schedule.precision,
        corruption=None if corrupted is None else Corruption(corrupted.kind, corrupted.level),
        classes=_classes(arm, params, meta),
    )


def _classes(arm: str, params: ArmsRun, meta: Meta) -> tuple[int, ...] | None:
    asked = params.arm(arm).classes
    return None if asked is None else labels_of(meta.classes, asked, f"arms.{arm}.classes")


def arm_json(run: TrainingRun, weight: KlWeight | None) -> dict[str, Any]:
    """What rebuilds the network (`models/store.py`), and what the report says of the arm."""
    family, model = registry.family(run.model.family), run.model
    beta, beta_kl = (None, None) if weight is None else weight
    return {
        "arm": run.arm, "family": family.name, "role": family.role, "code": family.code,
        "beta": beta, "beta_kl": beta_kl, "latent_dim": model.latent_dim, "architecture": model.architecture,
        "settings": model.settings, "n_classes": model.n_classes,
        "corruption": None if run.corruption is None else asdict(run.corruption),
        "reconstruction": run.reconstruction, "n_pixels": model.image.n_pixels, **model.image._asdict(),
        "epochs": run.epochs, "batch_size": run.batch_size, "learning_rate": run.learning_rate,
        "precision": run.precision, **({"family_settings": own} if (own := model.family_settings) else {}),
        **({} if run.classes is None else {"classes": list(run.classes)}),
    }  # fmt: skip
