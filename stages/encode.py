"""Stage `encode`: run every trained replicate of one arm over both splits and write its codes."""

import shutil
from pathlib import Path
from typing import Annotated

import typer

from latent_audit.base.errors import reported
from latent_audit.base.settings import Run, load_sections
from latent_audit.base.stage_item import item_of_stage
from latent_audit.compute import server


def main(
    arm: Annotated[str | None, typer.Argument(help="a key of `arms` in params.yaml; that of DVC's stage")] = None,
) -> None:
    """Write codes/ARM/seed-<k>.npz for every seed."""
    params, arm = load_sections(Path("params.yaml"), Run), item_of_stage(arm)
    params.arm(arm)
    server.start(["latent_audit.encoding.encode_arm"])
    # only now, so that both processes import torch at the same time
    from latent_audit.compute.devices import resolve
    from latent_audit.encoding.encode_arm import encode_replicates

    models, prepared, codes = Path("models") / arm, Path("data/prepared") / params.dataset, Path("codes") / arm
    shutil.rmtree(codes, ignore_errors=True)
    encode_replicates(
        models, prepared, codes, seeds=params.seeds, device=resolve(params.device),
        on_message=lambda line: print(f"{arm}: {line}", flush=True),
    )  # fmt: skip


if __name__ == "__main__":
    with reported():
        typer.run(main)
