"""The diagnosis of an arm: every replicate measured from its files, and their tables put together."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from latent_audit.base.codes import read_codes
from latent_audit.base.measures import Applies, Measure, Metric, described, every_measure
from latent_audit.base.randomness import replicate_seed
from latent_audit.base.tables import read_json, read_table
from latent_audit.data.outsiders import load_outsiders
from latent_audit.data.prepared import load_meta, load_split, told_apart
from latent_audit.decoding.beside import applies_to, attributes_of, beside_of
from latent_audit.decoding.generation import load_critic
from latent_audit.decoding.replicate_tables import ClassMaps, agreement_table, measure_codes, measure_decoder
from latent_audit.decoding.subject import DecoderSubject, registered
from latent_audit.diagnostics import tables_of_code
from latent_audit.diagnostics.audit import AuditSettings
from latent_audit.diagnostics.directions import of_attributes
from latent_audit.diagnostics.multiplicity import adjust
from latent_audit.models.image import ImageShape
from latent_audit.models.store import load_model

Measured = tuple[dict[str, pd.DataFrame], ClassMaps | None]


@dataclass(frozen=True)
class Files:
    """Where an arm's files lie, and how it is measured.

    seed : of the draws: replicates have draws of their own (`replicate_seed`), so that their chance is in the interval
    over replicates, while equal replicates of two arms have the same.
    """

    prepared: Path
    models: Path
    codes: Path
    critic: Path
    settings: AuditSettings
    seed: int
    device: torch.device
    denoises: bool = False
    applies: Applies = every_measure

    def codes_of(self, seed: int) -> dict[str, np.ndarray]:
        """The codes of one replicate."""
        return read_codes(self.codes / f"seed-{seed}.npz")


def measure_replicate(files: Files, *, seed: int, send: Callable[[Any], None]) -> Measured:
    """All tables of replicate `seed`, and its class maps (None without classes); `send` is told what is done."""
    meta, device = load_meta(files.prepared), files.device
    model = load_model(files.models, seed, device=device)
    critic = load_critic(files.critic, ImageShape(meta.channels, meta.height, meta.width), device=device)
    applies = applies_to(model.family, files.applies)
    codes, history = files.codes_of(seed), read_table(files.models / "history.csv")
    arm = read_json(files.models / "arm.json")
    only = arm.get("classes")
    tables, maps = measure_codes(
        codes, model, critic, told_apart(files.prepared, only), seed=files.seed, device=device,
        settings=replace(files.settings, replicate=seed), applies=applies, beside=beside_of(files.prepared, only),
    )  # fmt: skip
    send(f"seed {seed}: audited")
    images = {name: np.asarray(load_split(files.prepared, name, only).images) for name in ("train", "test")}
    own, draws = history[history["seed"] == seed], replicate_seed(files.seed, seed)
    subject = DecoderSubject(
        codes, model, critic, images, own, arm["reconstruction"], draws, device, load_outsiders(files.prepared, only),
        files.denoises, attributes_of(files.prepared, only),
    )  # fmt: skip
    tables |= measure_decoder(subject, applies)
    send(f"seed {seed}: decoder measured")
    return {name: table.assign(seed=seed) for name, table in tables.items()}, maps


def tables_of_arm(measured: Sequence[Measured], means: dict[int, np.ndarray]) -> dict[str, pd.DataFrame]:
    """The tables of all replicates below one another, `seed` first, and `agreement` between their codes.

    p-values are adjusted anew, over all seeds. means : seed -> mu.
    """
    names = dict.fromkeys(name for tables, _ in measured for name in tables)
    tables = {name: _stacked([tables[name] for tables, _ in measured if name in tables]) for name in names}
    tables["per_dim"] = adjust(tables["per_dim"].filter(regex="^(?!.*_p_(holm|bh)$)"), by="code")
    compared = means if len(tables["per_dim"]) else {}  # indices of two codebooks have nothing in common
    return tables | {"agreement": agreement_table(compared)}


def every_registered() -> list[Measure]:
    """The measures of codes and those of decoders, in the order of their rows."""
    return sorted((*tables_of_code.registered(), *registered()), key=lambda measure: measure.order)


def described_in(tables: Mapping[str, pd.DataFrame], derived: Iterable[Metric]) -> dict[str, Metric]:
    """What is known of every metric that stands in the tables: by the measures, of `derived` ones, of attributes."""
    made = {name for table in tables.values() if "metric" in table for name in table["metric"]}
    known = described(every_registered()) | {metric.name: metric for metric in derived}
    if "directions" in tables:
        known |= {metric.name: metric for metric in of_attributes(tables["directions"]["direction"])}
    return {name: metric for name, metric in known.items() if name in made}


def _stacked(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    table = pd.concat(tables, ignore_index=True)
    return table[["seed", *(column for column in table.columns if column != "seed")]]
