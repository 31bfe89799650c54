"""Stage `train`: fit every seed of one arm and write the weights, the loss history and the arm's description."""

import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import pandas as pd
import psutil
import typer

from latent_audit.base.errors import reported
from latent_audit.base.lock import exclusive
from latent_audit.base.settings import load_sections
from latent_audit.base.stage_arm import arm_of_stage
from latent_audit.base.tables import write_json, write_table
from latent_audit.base.tensors import write_tensors
from latent_audit.compute.devices import device_class, emulates_bfloat16, resolve
from latent_audit.console.progress import TrainingProgress
from latent_audit.data.prepared import Meta, load_meta
from latent_audit.data.sizes import check_sizes
from latent_audit.models import registry
from latent_audit.models.autoencoder import ModelSpec
from latent_audit.models.image import ImageShape
from latent_audit.models.store import weights_path
from latent_audit.training.batch import Corruption, TrainingRun
from latent_audit.training.fit import Replicate
from latent_audit.training.fit_arm import checkpoint_folder, train_replicates
from latent_audit.training.settings import ArmsRun

CHECKPOINTS = Path(".checkpoints")
LAUNCHERS = 2  # processes above this one: the shell that DVC starts a stage with, and DVC


def describe(arm: str, params: ArmsRun, meta: Meta) -> TrainingRun:
    """The arm's training run on images of this shape."""
    image = ImageShape(meta.channels, meta.height, meta.width)
    network, schedule, weight = params.network(arm), params.schedule(arm), params.weight(arm, image.n_pixels)
    chosen = registry.architecture(network.architecture)
    settings = registry.settings_of(chosen, network.settings(), image)
    corrupted = params.arm(arm).corruption
    return TrainingRun(
        arm=arm,
        model=ModelSpec(params.arm(arm).family, chosen.name, image, network.latent_dim, settings, len(meta.classes)),
        reconstruction=network.reconstruction,
        beta=None if weight is None else weight.beta,
        epochs=schedule.epochs,
        batch_size=schedule.batch_size,
        learning_rate=schedule.learning_rate,
        precision=schedule.precision,
        corruption=None if corrupted is None else Corruption(corrupted.kind, corrupted.level),
    )


def write(folder: Path, replicates: dict[int, Replicate], description: dict) -> None:
    """Write exactly what dvc.yaml declares: a weight file per seed, history.csv and arm.json."""
    shutil.rmtree(folder, ignore_errors=True)  # an orphan of a killed run may have left other seeds here
    for seed, replicate in replicates.items():
        write_tensors(weights_path(folder, seed), replicate.weights)
    history = [row for replicate in replicates.values() for row in replicate.history]
    write_table(folder / "history.csv", pd.DataFrame(history))
    write_json(folder / "arm.json", description)


def main(
    arm: Annotated[str | None, typer.Argument(help="a key of `arms` in params.yaml; that of DVC's stage")] = None,
) -> None:
    """Train all replicates of ARM and write models/ARM/."""
    launchers = psutil.Process().parents()[:LAUNCHERS]
    params, arm = load_sections(Path("params.yaml"), ArmsRun), arm_of_stage(arm)
    params.arm(arm)
    prepared = Path("data/prepared") / params.dataset
    meta = load_meta(prepared)
    check_sizes(meta, of_train={"train.batch_size": params.schedule(arm).batch_size})
    run = describe(arm, params, meta)
    device = resolve(params.device, run.precision)
    weight = params.weight(arm, run.model.image.n_pixels)
    family = registry.family(run.model.family)
    beta, beta_kl = (None, None) if weight is None else weight
    print(f"{arm}: {run.model.family}, beta {beta}, beta_kl {beta_kl}, {run.epochs} epochs, {len(params.seeds)} seeds")
    if words := params.weight_words(arm, run.model.image.n_pixels):
        print(f"{arm}: {words}")
    if run.precision == "bfloat16" and emulates_bfloat16(device):
        print("this CPU has no instructions for bfloat16: train.precision: float32 would be many times faster here")
    progress = TrainingProgress(arm, len(params.seeds))
    with exclusive(CHECKPOINTS / f"train-{arm}.lock"):
        checkpoints = checkpoint_folder(CHECKPOINTS, prepared, run, device_class(device))
        replicates = train_replicates(prepared, run, checkpoints, seeds=params.seeds, device=device, on_tick=progress)
        progress.close()
        description = {
            "arm": arm, "family": run.model.family, "beta": beta, "beta_kl": beta_kl,
            "latent_dim": run.model.latent_dim, "architecture": run.model.architecture, "settings": run.model.settings,
            "n_classes": run.model.n_classes, "corruption": None if run.corruption is None else asdict(run.corruption),
            "role": family.role, "code": family.code,
            "reconstruction": run.reconstruction, "n_pixels": run.model.image.n_pixels, **run.model.image._asdict(),
            "epochs": run.epochs, "batch_size": run.batch_size, "learning_rate": run.learning_rate,
            "precision": run.precision,
        }  # fmt: skip
        write(Path("models") / arm, dict(zip(params.seeds, replicates, strict=True)), description)
        if launchers == psutil.Process().parents()[:LAUNCHERS]:
            shutil.rmtree(checkpoints, ignore_errors=True)  # an orphan keeps them: its killed DVC will ask again


if __name__ == "__main__":
    with reported():
        typer.run(main)
