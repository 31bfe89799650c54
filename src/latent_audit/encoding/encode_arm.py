"""The codes of an arm, a worker per replicate: load its network and the prepared data, encode, write."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import torch

from latent_audit.base.codes import write_codes
from latent_audit.base.tables import read_json
from latent_audit.compute.workers import map_seeds
from latent_audit.data.prepared import load_split
from latent_audit.encoding.encode import encode_test_and_train
from latent_audit.models.store import load_model


def encode_replicate(
    models: Path, prepared: Path, codes: Path, device: torch.device, *, seed: int, send: Callable[[str], None]
) -> None:
    """Write codes/seed-<k>.npz of replicate `seed`, and send a line that says so."""
    arm = read_json(models / "arm.json")
    splits = {name: load_split(prepared, name, arm.get("classes")) for name in ("train", "test")}
    model = load_model(models, seed, device=device)
    arrays = encode_test_and_train(model, splits, reconstruction=arm["reconstruction"], seed=seed, device=device)
    write_codes(codes / f"seed-{seed}.npz", arrays)
    send(f"seed {seed}: encoded {len(arrays['z'])} test and {len(arrays['train_z'])} training images")


def encode_replicates(
    models: Path,
    prepared: Path,
    codes: Path,
    *,
    seeds: Sequence[int],
    device: torch.device,
    on_message: Callable[[str], None],
) -> None:
    """Encode every seed of the arm whose networks lie in `models`."""
    map_seeds(partial(encode_replicate, models, prepared, codes, device), seeds, device=device, on_message=on_message)
