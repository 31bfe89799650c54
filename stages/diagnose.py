"""Stage `diagnose`: measure the codes of every replicate of one arm; tidy tables, and a summary of them."""

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
import typer

from latent_audit.base.atomic import atomic_path
from latent_audit.base.codes import read_codes
from latent_audit.base.errors import reported
from latent_audit.base.settings import load_sections
from latent_audit.base.stage_item import item_of_stage
from latent_audit.base.tables import read_json, read_table, write_table
from latent_audit.claims.observations import summarise
from latent_audit.compute.devices import resolve
from latent_audit.compute.workers import map_seeds
from latent_audit.data.prepared import load_meta, load_split, told_apart
from latent_audit.data.sizes import check_sizes
from latent_audit.decoding.generation import load_critic
from latent_audit.decoding.replicate_tables import agreement_table, measure_codes, measure_decoder, reconstruction_table
from latent_audit.diagnostics.audit import AuditSettings
from latent_audit.diagnostics.multiplicity import adjust
from latent_audit.diagnostics.settings import DiagnosticsRun
from latent_audit.models.image import ImageShape
from latent_audit.models.store import load_model


def measure_replicate(
    arm: str, params: DiagnosticsRun, *, seed: int, send: Callable[[Any], None]
) -> tuple[dict[str, pd.DataFrame], Any]:
    """All tables of replicate `seed`, and its class maps."""
    prepared, models, device = Path("data/prepared") / params.dataset, Path("models") / arm, resolve(params.device)
    meta, settings = load_meta(prepared), params.diagnostics
    image = ImageShape(meta.channels, meta.height, meta.width)
    model = load_model(models, seed, device=device)
    critic = load_critic(Path("critic"), image, device=device)
    codes = read_codes(Path("codes") / arm / f"seed-{seed}.npz")
    tables, maps = measure_codes(
        codes, model, critic, told_apart(prepared), seed=settings.seed, device=device,
        settings=AuditSettings(
            settings.neighbors, settings.grid, settings.null_draws, settings.null_rows, unit_counts=False
        ),
    )  # fmt: skip
    send(f"seed {seed}: audited")
    splits = {name: load_split(prepared, name) for name in ("train", "test")}
    reconstruction = read_json(models / "arm.json")["reconstruction"]
    tables |= measure_decoder(
        codes, model, critic, splits, reconstruction=reconstruction, seed=settings.seed, device=device
    )
    tables["reconstruction"] = reconstruction_table(codes, read_table(models / "history.csv"), seed)
    send(f"seed {seed}: decoder measured")
    return {name: table.assign(seed=seed) for name, table in tables.items()}, maps


def main(
    arm: Annotated[str | None, typer.Argument(help="a key of `arms` in params.yaml; that of DVC's stage")] = None,
) -> None:
    """Write diagnostics/ARM/."""
    params, arm = load_sections(Path("params.yaml"), DiagnosticsRun), item_of_stage(arm)
    params.arm(arm)
    check_sizes(
        load_meta(Path("data/prepared") / params.dataset),
        of_both={"diagnostics.neighbors": params.diagnostics.neighbors},
    )
    folder = Path("diagnostics") / arm
    shutil.rmtree(folder, ignore_errors=True)
    measured = map_seeds(
        partial(measure_replicate, arm, params), params.seeds, device=resolve(params.device),
        on_message=lambda line: print(f"{arm}: {line}", flush=True),
    )  # fmt: skip
    tables = {name: _stacked([tables[name] for tables, _ in measured]) for name in measured[0][0]}
    tables["per_dim"] = adjust(tables["per_dim"].filter(regex="^(?!.*_p_(holm|bh)$)"), by="code")  # over all seeds
    tables["summary"] = summarise(tables)
    means = {seed: read_codes(Path("codes") / arm / f"seed-{seed}.npz")["mu"] for seed in params.seeds}
    tables["agreement"] = agreement_table(means)
    for name, table in tables.items():
        write_table(folder / f"{name}.csv", table)
    if (maps := measured[0][1]) is not None:
        with atomic_path(folder / "class_map.npz") as temporary, temporary.open("wb") as file:
            np.savez(file, **maps._asdict())


def _stacked(tables: list[pd.DataFrame]) -> pd.DataFrame:
    table = pd.concat(tables, ignore_index=True)
    return table[["seed", *(column for column in table.columns if column != "seed")]]


if __name__ == "__main__":
    with reported():
        typer.run(main)
