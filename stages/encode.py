"""Stage `encode`: run every trained replicate of one arm over both splits and write its codes."""

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import torch
import typer

from latent_audit.base.codes import write_codes
from latent_audit.base.errors import reported
from latent_audit.base.tables import read_json
from latent_audit.compute.devices import resolve
from latent_audit.compute.workers import map_seeds
from latent_audit.data.prepared import load_split
from latent_audit.encoding.encode import encode_test_and_train
from latent_audit.models.store import load_model
from latent_audit.params import load_params


def encode_replicate(
    models: Path,
    prepared: Path,
    codes: Path,
    reconstruction: str,
    device: torch.device,
    *,
    seed: int,
    send: Callable[[Any], None],
) -> None:
    """Write the codes of replicate `seed`."""
    splits = {name: load_split(prepared, name) for name in ("train", "test")}
    model = load_model(models, seed, device=device)
    arrays = encode_test_and_train(model, splits, reconstruction=reconstruction, seed=seed, device=device)
    write_codes(codes / f"seed-{seed}.npz", arrays)
    send(f"seed {seed}: encoded {len(arrays['z'])} test and {len(arrays['train_z'])} training images")


def main(arm: Annotated[str, typer.Argument(help="a key of `arms` in params.yaml")]) -> None:
    """Write codes/ARM/seed-<k>.npz for every seed."""
    params = load_params(Path("params.yaml"))
    params.arm(arm)
    prepared, codes, device = Path("data/prepared") / params.dataset, Path("codes") / arm, resolve(params.device)
    shutil.rmtree(codes, ignore_errors=True)
    work = partial(
        encode_replicate,
        Path("models") / arm,
        prepared,
        codes,
        read_json(Path("models") / arm / "arm.json")["reconstruction"],
        device,
    )
    map_seeds(work, params.seeds, device=device, on_message=lambda line: print(f"{arm}: {line}", flush=True))


if __name__ == "__main__":
    with reported():
        typer.run(main)
