"""Every table of one replicate: the audit of its codes, and what its decoder makes of them."""

import itertools
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch

from latent_audit.base.atomic import atomic_path
from latent_audit.base.measures import Applies, applicable, every_measure
from latent_audit.critic.network import Critic
from latent_audit.decoding.attribute_directions import MEASURE as ATTRIBUTES
from latent_audit.decoding.beside import beside_tables_of, without_rows
from latent_audit.decoding.conditioned import is_conditional, is_discrete
from latent_audit.decoding.decode import decode, plane, quantile_axis
from latent_audit.decoding.generation import judge
from latent_audit.decoding.pictures import shown_dimensions
from latent_audit.decoding.subject import DecoderSubject, registered
from latent_audit.diagnostics.audit import AuditSettings, audit
from latent_audit.diagnostics.audit_tables import AuditTables
from latent_audit.diagnostics.separability import linear_cka, procrustes_distance
from latent_audit.diagnostics.spectrum import kl_spectrum
from latent_audit.diagnostics.verdict_tables import verdict_table
from latent_audit.models.autoencoder import Autoencoder

CRITIC_GRID = 50
NOTHING: Mapping[str, Any] = MappingProxyType({})


class ClassMaps(NamedTuple):
    """Labels over the unit square, row 0 at the bottom: by the nearest codes, and by the critic on decoded images."""

    label_map: np.ndarray
    critic_map: np.ndarray


def write_maps(path: Path, maps: ClassMaps) -> None:
    """Write the maps, atomically."""
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        np.savez(file, **maps._asdict())


def measure_codes(
    codes: dict[str, np.ndarray],
    model: Autoencoder,
    critic: Critic,
    classes: list[str],
    *,
    seed: int,
    settings: AuditSettings,
    device: torch.device,
    applies: Applies = every_measure,
    beside: Mapping[str, Any] = NOTHING,
) -> tuple[dict[str, pd.DataFrame], ClassMaps | None]:
    """The audit's tables of one replicate and its answer, with the area each class owns by the critic's word.

    Without classes there is no map, and neither the table `classes` nor `separability`. Indices of a codebook have no
    size: their tables are without rows.

    Parameters
    ----------
    codes : arrays of codes/<arm>/seed-<k>.npz. classes : their names, or none (then the critic has none either).
    seed : of the audit, the same in every arm; `settings.replicate` makes the draws this replicate's own.
    beside : factors and attributes of the same images, for tables of their own.
    """
    if is_discrete(model):
        return _no_rows(settings), None
    dims = shown_dimensions(codes)
    latent_dim = codes["z"].shape[1]
    tables = audit(
        codes["z"], mu=codes["mu"], logvar=codes.get("logvar"),
        labels=codes["labels"] if classes else None,
        train={name: codes[f"train_{name}"] for name in ("mu", "z", "labels")},
        dims=(int(dims[0]), int(dims[1])), seed=seed, settings=settings,
        applies=applies, **beside,
    )  # fmt: skip
    made = {"per_dim": tables.per_dim, "joint": tables.joint, "transforms": tables.transforms}
    made |= of_judgement(tables, latent_dim) | beside_tables_of(tables)
    if not classes:
        return made, None
    assert tables.classes is not None and tables.separability is not None  # there are labels
    critic_map, owned = _critics_map(model, critic, dims, len(classes), device)
    named = tables.classes.assign(
        class_name=[classes[label] for label in tables.classes["label"]],
        critic_area=owned[tables.classes["label"]],
    )
    present = np.unique(codes["labels"])
    maps = ClassMaps(present[tables.class_map], critic_map)
    return made | {"classes": named, "separability": tables.separability}, maps


def _critics_map(
    model: Autoencoder, critic: Critic, dims: np.ndarray, n_classes: int, device: torch.device
) -> tuple[np.ndarray, np.ndarray]:
    """The class of each place of the lattice by the critic's word, and the share of each class.

    A decoder that is told the class says nothing of it: the map is of -1, the shares are NaN.
    """
    if is_conditional(model):
        return np.full((CRITIC_GRID, CRITIC_GRID), -1), np.full(n_classes, np.nan)
    axis, latent_dim = quantile_axis(CRITIC_GRID), model.spec.latent_dim
    lattice = plane(axis, axis, dims, latent_dim)[::-1].reshape(-1, latent_dim)  # row 0 at the bottom
    probabilities = judge(critic, decode(model, lattice, device=device), device=device).probabilities
    assert probabilities is not None  # a critic of these classes
    critic_map = probabilities.argmax(axis=1).reshape(CRITIC_GRID, CRITIC_GRID)
    return critic_map, np.bincount(critic_map.ravel(), minlength=n_classes) / critic_map.size


def _no_rows(settings: AuditSettings) -> dict[str, pd.DataFrame]:
    """The columns of an audit's tables, and no row."""
    any_codes = np.random.default_rng(0).standard_normal((40, 1))
    tables = audit(any_codes, settings=replace(settings, null_draws=19, null_rows=40))
    return without_rows({"per_dim": tables.per_dim, "joint": tables.joint, "transforms": tables.transforms})


def of_judgement(tables: AuditTables, latent_dim: int) -> dict[str, pd.DataFrame]:
    """The audit's answer on z: `verdict` (a row), `reasons` (a row per test), `regions` (where codes and prior differ
    most); with a posterior `spectrum`, the KL of the dimensions in order.
    """
    judgement, of_z = tables.judgement, tables.per_dim[tables.per_dim["code"] == "z"]
    made = {"verdict": verdict_table(judgement, latent_dim), "reasons": judgement.reasons}
    if judgement.regions is not None:
        made["regions"] = judgement.regions
    spectrum = kl_spectrum(of_z)
    return made if spectrum is None else made | {"spectrum": spectrum}


def measure_decoder(subject: DecoderSubject, applies: Applies = every_measure) -> dict[str, pd.DataFrame]:
    """What the decoder makes of codes, a table for each measure that applies: `reconstruction`, `generation` (every
    sampler against the real test images, with the floor), `continuity`, for a VAE `likelihood`, and whatever was added;
    where there are attributes `attribute_effects`, what each direction does to each attribute, too.
    """
    made = {m.table: m.of(subject) for m in applicable(registered(), subject.there, applies)}
    if made.get(ATTRIBUTES.table) is not None and subject.attribute_study is not None:
        made["attribute_effects"] = subject.attribute_study.effects
    return {name: table for name, table in made.items() if table is not None}


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
