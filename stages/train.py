"""Stage `train`: fit every seed of one arm and write the weights, the loss history and the arm's description."""

from pathlib import Path
from typing import Annotated

import typer

from latent_audit.base.errors import reported
from latent_audit.base.settings import load_sections
from latent_audit.base.stage_item import item_of_stage
from latent_audit.compute import server
from latent_audit.training.settings import ArmsRun

CHECKPOINTS = Path(".checkpoints")


def main(
    arm: Annotated[str | None, typer.Argument(help="a key of `arms` in params.yaml; that of DVC's stage")] = None,
) -> None:
    """Train all replicates of ARM and write models/ARM/."""
    params, arm = load_sections(Path("params.yaml"), ArmsRun), item_of_stage(arm)
    params.arm(arm)
    server.start(["latent_audit.training.fit_arm"])
    # only now, so that both processes import torch at the same time
    from latent_audit.base.lock import exclusive
    from latent_audit.compute.devices import device_class, emulates_bfloat16, resolve
    from latent_audit.console.progress import TrainingProgress
    from latent_audit.data.prepared import counted, load_meta
    from latent_audit.data.sizes import check_sizes
    from latent_audit.training.checkpoint import expire
    from latent_audit.training.describe import arm_json, describe, kl_weight
    from latent_audit.training.fit_arm import checkpoint_folder, train_replicates
    from latent_audit.training.write import write_arm

    prepared = Path("data/prepared") / params.dataset
    run = describe(arm, params, load_meta(prepared))
    sizes = counted(prepared, run.classes, f"arms.{arm}.classes")
    check_sizes(sizes, of_train={"train.batch_size": run.batch_size})
    device = resolve(params.device, run.precision)
    n_pixels = run.model.image.n_pixels
    weight = kl_weight(arm, params, n_pixels)
    description = arm_json(run, weight)
    said = ", ".join(f"{name} {description[name]}" for name in ("family", "beta", "beta_kl", "epochs"))
    print(f"{arm}: {said}, {len(params.seeds)} seeds", flush=True)
    if weight is not None and (words := params.weight_words(arm, n_pixels)):
        print(f"{arm}: {words}")
    if run.precision == "bfloat16" and emulates_bfloat16(device):
        print("this CPU has no instructions for bfloat16: train.precision: float32 would be many times faster here")
    progress = TrainingProgress(arm, len(params.seeds))
    with exclusive(CHECKPOINTS / f"train-{arm}.lock"):
        expire(CHECKPOINTS)
        checkpoints = checkpoint_folder(CHECKPOINTS, prepared, run, device_class(device))
        replicates = train_replicates(prepared, run, checkpoints, seeds=params.seeds, device=device, on_tick=progress)
        progress.close()
        write_arm(Path("models") / arm, dict(zip(params.seeds, replicates, strict=True)), description)


if __name__ == "__main__":
    with reported():
        typer.run(main)
