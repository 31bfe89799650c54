"""Every table of one replicate: the audit of its codes, and what its decoder makes of them."""

import itertools
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch

from latent_audit.base.randomness import generator_for, rng_for
from latent_audit.critic.network import Critic
from latent_audit.data.prepared import LoadedSplit
from latent_audit.decoding.continuity import continuity_scores
from latent_audit.decoding.decode import decode, plane, quantile_axis
from latent_audit.decoding.generation import generation_scores, judge, judge_reference
from latent_audit.decoding.likelihood import likelihood_scores
from latent_audit.decoding.pictures import shown_dimensions
from latent_audit.diagnostics.audit import AuditSettings, audit
from latent_audit.diagnostics.separability import linear_cka, procrustes_distance
from latent_audit.models.autoencoder import Autoencoder

CRITIC_GRID = 50
LAST_EPOCH = {"recon_nll": "recon_nll", "kl_test": "kl", "elbo": "elbo", "objective": "objective"}


class ClassMaps(NamedTuple):
    """Labels over the unit square, row 0 at the bottom: by the nearest codes, and by the critic on decoded images."""

    label_map: np.ndarray
    critic_map: np.ndarray


def measure_codes(
    codes: dict[str, np.ndarray],
    model: Autoencoder,
    critic: Critic,
    classes: list[str],
    *,
    seed: int,
    settings: AuditSettings,
    device: torch.device,
) -> tuple[dict[str, pd.DataFrame], ClassMaps | None]:
    """The audit's tables of one replicate, with the area each class owns by the critic's word beside it.

    Without classes there is no map, and neither the table `classes` nor `separability`.

    Parameters
    ----------
    codes : arrays of codes/<arm>/seed-<k>.npz. classes : their names, or none (then the critic has none either).
    seed : of the audit, the same in every arm.
    """
    dims = shown_dimensions(codes)
    latent_dim = codes["z"].shape[1]
    tables = audit(
        codes["z"], mu=codes["mu"], logvar=codes.get("logvar"),
        labels=codes["labels"] if classes else None,
        train={name: codes[f"train_{name}"] for name in ("mu", "z", "labels")},
        dims=(int(dims[0]), int(dims[1])), seed=seed, settings=settings,
    )  # fmt: skip
    made = {"per_dim": tables.per_dim, "joint": tables.joint, "transforms": tables.transforms}
    if not classes:
        return made, None
    assert tables.classes is not None and tables.separability is not None  # there are labels
    axis = quantile_axis(CRITIC_GRID)
    lattice = plane(axis, axis, dims, latent_dim)[::-1].reshape(-1, latent_dim)  # row 0 at the bottom
    probabilities = judge(critic, decode(model, lattice, device=device), device=device).probabilities
    assert probabilities is not None  # a critic of these classes
    critic_map = probabilities.argmax(axis=1).reshape(CRITIC_GRID, CRITIC_GRID)
    owned = np.bincount(critic_map.ravel(), minlength=len(classes)) / critic_map.size
    named = tables.classes.assign(
        class_name=[classes[label] for label in tables.classes["label"]],
        critic_area=owned[tables.classes["label"]],
    )
    present = np.unique(codes["labels"])
    maps = ClassMaps(present[tables.class_map], critic_map)
    return made | {"classes": named, "separability": tables.separability}, maps


def measure_decoder(
    codes: dict[str, np.ndarray],
    model: Autoencoder,
    critic: Critic,
    splits: dict[str, LoadedSplit],
    *,
    reconstruction: str,
    seed: int,
    device: torch.device,
) -> dict[str, pd.DataFrame]:
    """What the decoder makes of codes: `generation` (every sampler against the real test images, with the floor),
    `continuity`, and for a VAE `likelihood`. `seed` names the draws and is the same in every arm."""
    images = {name: np.asarray(split.images) for name, split in splits.items()}
    reference = judge_reference(
        critic, images["test"], images["train"], rng=rng_for(seed, "generation", "floor"), device=device
    )
    likelihood = likelihood_scores(
        model, images["test"], reconstruction=reconstruction, device=device,
        generator=generator_for(seed, "likelihood"),
    )  # fmt: skip
    return {
        "generation": generation_scores(
            model, critic, codes, reference, rng=rng_for(seed, "generation", "draws"), device=device
        ),
        "continuity": continuity_scores(
            model, critic, codes["mu"], reference.test.features, rng=rng_for(seed, "continuity"), device=device
        ),
        "likelihood": likelihood,
    }


def agreement_table(codes: dict[int, np.ndarray]) -> pd.DataFrame:
    """How alike the codes of two replicates are: a row per pair of seeds and metric (linear_cka, procrustes_distance).

    Parameters
    ----------
    codes : seed -> (sample, latent) codes of the same samples in the same order.

    References
    ----------
    Kornblith et al. (2019), arXiv:1905.00414, section 2.3.
    """
    measures = {"linear_cka": linear_cka, "procrustes_distance": procrustes_distance}
    rows = [
        (first, second, metric, measure(codes[first], codes[second]))
        for first, second in itertools.combinations(codes, 2)
        for metric, measure in measures.items()
    ]
    return pd.DataFrame(rows, columns=["seed", "other_seed", "metric", "value"])


def reconstruction_table(codes: dict[str, np.ndarray], history: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Rows metric, value of the test split in nats per image: recon_nll, kl_test, elbo, objective; bce, mse per pixel.

    The first four are those of the last epoch's evaluation, as far as the family has such terms; bce and mse are those
    of the stored z.
    """
    last = history[(history["seed"] == seed) & (history["split"] == "test")].sort_values("epoch").iloc[-1]
    rows = [(name, float(last[column])) for name, column in LAST_EPOCH.items() if column in last]
    rows += [(name, float(codes[name].mean())) for name in ("bce", "mse")]
    return pd.DataFrame(rows, columns=["metric", "value"])
