"""Read and write models/<arm>/: safetensors (loading one executes nothing) and arm.json, which rebuilds the network."""

from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from latent_audit.base.errors import InputError
from latent_audit.base.tables import read_json
from latent_audit.models.autoencoder import Autoencoder, ModelSpec, build
from latent_audit.models.image import ImageShape


def weights_path(folder: Path, seed: int) -> Path:
    """Where the weights of replicate `seed` lie."""
    return folder / f"seed-{seed}.safetensors"


def read_weights(path: Path) -> dict[str, torch.Tensor]:
    """Tensors by name; InputError where the file is missing or damaged."""
    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise InputError(f"cannot read the weights {path} ({error}); run `dvc repro`") from None


def load_model(folder: Path, seed: int, *, device: torch.device) -> Autoencoder:
    """The trained replicate `seed` of the arm whose folder is given, on `device`, in evaluation mode."""
    arm = read_json(folder / "arm.json")
    image = ImageShape(arm["channels"], arm["height"], arm["width"])
    spec = ModelSpec(
        arm["family"], arm["architecture"], image, arm["latent_dim"], arm["settings"], arm["n_classes"],
        arm.get("family_settings", {}),
    )  # fmt: skip
    model = build(spec, seed=seed)
    model.load_state_dict(read_weights(weights_path(folder, seed)))
    return model.to(device).eval()
