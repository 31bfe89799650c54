"""The critic's opinion of images, and how each sampler's decoded draws compare with real images in it."""

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float

from latent_audit.base.errors import InputError
from latent_audit.base.measures import Measure
from latent_audit.base.tables import read_json
from latent_audit.critic.network import Critic, build_critic
from latent_audit.decoding.conditioned import is_conditional, labels_like, own_labels
from latent_audit.decoding.decode import decode
from latent_audit.decoding.sampling import SAMPLERS, draw_codes
from latent_audit.diagnostics.generation import DESCRIBED, score
from latent_audit.models.autoencoder import Autoencoder
from latent_audit.models.image import ImageShape, to_unit_interval
from latent_audit.models.store import read_weights

if TYPE_CHECKING:
    from latent_audit.decoding.subject import DecoderSubject

BATCH = 500
SETS = {  # of images that are scored: how they follow a metric's words, and its title
    "prior": (" of draws from N(0, I)", "prior"),
    "box": (" of draws from the bounding box", "box"),
    "gaussian": (" of draws from a fitted Gaussian", "fitted Gaussian"),
    "gmm": (" of draws from a fitted mixture of ten Gaussians", "fitted mixture"),
    "reconstruction": (" of the arm’s own reconstructions", "own reconstructions"),
    "test_floor": (" of real images", "real images"),
}


class Judged(NamedTuple):
    """What the critic makes of images, float64: features (feature units) and class probabilities (None: no classes)."""

    features: Float[np.ndarray, "sample feature"]
    probabilities: Float[np.ndarray, "sample label"] | None


class Reference(NamedTuple):
    """The real side of every comparison: the judged test split, and the rows of `test_floor`."""

    test: Judged
    floor: pd.DataFrame


def load_critic(folder: Path, image: ImageShape, *, device: torch.device) -> Critic:
    """The trained critic of `folder` (critic.safetensors, critic.json) on `device`, in evaluation mode.

    Raises
    ------
    InputError : a file is missing or damaged, or the critic was trained on images of another shape.
    """
    n_classes = len(read_json(folder / "critic.json")["classes"])
    critic = build_critic(image, n_classes, seed=0)
    try:
        critic.load_state_dict(read_weights(folder / "critic.safetensors"))
    except RuntimeError:
        raise InputError(
            f"{folder}: this critic is not for {n_classes} classes of images {tuple(image)}; run `dvc repro critic`."
        ) from None
    return critic.to(device).eval()


@torch.no_grad()
def judge(critic: Critic, images: np.ndarray, *, device: torch.device) -> Judged:
    """Features and class probabilities of uint8 images (sample, channel, height, width), in batches.

    A critic without classes gives features alone.

    Raises
    ------
    InputError : images are not uint8 (sample, channel, height, width), or there is none.
    """
    if images.dtype != np.uint8 or images.ndim != 4 or len(images) == 0:
        raise InputError(
            f"judge: images must be uint8 (sample, channel, height, width), got {images.dtype} {images.shape}."
        )
    features, probabilities, classify = [], [], critic.classify
    for start in range(0, len(images), BATCH):
        x = torch.from_numpy(np.array(images[start : start + BATCH])).to(device)
        feature = critic.features(to_unit_interval(x))
        features.append(feature.double().cpu().numpy())
        if classify is not None:
            probabilities.append(classify(feature).double().softmax(dim=1).cpu().numpy())
    return Judged(np.concatenate(features), np.concatenate(probabilities) if probabilities else None)


def judge_reference(
    critic: Critic, test_images: np.ndarray, train_images: np.ndarray, *, rng: np.random.Generator, device: torch.device
) -> Reference:
    """Judge the real images once, for every replicate and arm.

    The floor scores as many real training images as there are test images (all of them where there are fewer), a
    seeded choice, against the test images: what a perfect generator of the same n would score.
    """
    pick, scoring = rng.spawn(2)
    test = judge(critic, test_images, device=device)
    rows = np.sort(pick.permutation(len(train_images))[: len(test_images)])
    floor = score(*judge(critic, train_images[rows], device=device), *test, rng=scoring)
    return Reference(test, _named(floor, "test_floor"))


def generation_scores(
    model: Autoencoder,
    critic: Critic,
    codes: dict[str, np.ndarray],
    reference: Reference,
    *,
    rng: np.random.Generator,
    device: torch.device,
    samplers: tuple[str, ...] = SAMPLERS,
) -> pd.DataFrame:
    """Rows `sampler metric value`: decoded draws, reconstructions and the floor, against the test images.

    Every set has n = number of test images. Densities are fitted to the training z (an autoencoder's z is mu);
    `reconstruction` decodes the test z; `test_floor` is the reference's. The metrics are those of
    `diagnostics.generation.score`.

    Parameters
    ----------
    codes : one replicate's arrays as `read_codes` gives them; `z` and `train_z` are used, and the labels of both where
        the decoder takes one: draws have those of the training images, dealt out anew.
    reference : of `judge_reference`, with the same critic.
    rng : each sampler draws from its own child stream, so that equal seeds give all arms the same prior draws.
    """
    n, train_z = len(reference.test.features), codes["train_z"].astype(np.float64)
    names = (*samplers, "reconstruction")
    tables = []
    for name, stream in zip(names, rng.spawn(len(names)), strict=True):
        drawing, scoring = stream.spawn(2)
        if name == "reconstruction":
            z, labels = codes["z"], own_labels(model, codes["labels"]) if is_conditional(model) else None
        else:
            z = draw_codes(name, train_z, n, rng=drawing)
            labels = labels_like(model, codes["train_labels"], n, rng=drawing) if is_conditional(model) else None
        judged = judge(critic, decode(model, z, device=device, labels=labels), device=device)
        tables.append(_named(score(*judged, *reference.test, rng=scoring), name))
    return pd.concat([*tables, reference.floor], ignore_index=True)


def _named(table: pd.DataFrame, sampler: str) -> pd.DataFrame:
    return table.assign(sampler=sampler).reindex(columns=["sampler", "metric", "value"])


def _rows(subject: "DecoderSubject") -> pd.DataFrame:
    return generation_scores(
        subject.model, subject.critic, dict(subject.codes), subject.reference, rng=subject.rng("generation", "draws"),
        device=subject.device,
    )  # fmt: skip


MEASURE = Measure(
    "generation",
    needs=frozenset({"decoder", "train"}),
    metrics=(*DESCRIBED, *(metric.of(name, *words) for name, words in SETS.items() for metric in DESCRIBED)),
    rows=_rows,
    table="generation",
    qualifier="sampler",
    order=80,
)
